# The main commands are `make demo` and `make test`. Their first run installs .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
CORES ?= all
CONFIG ?= config/config.yaml
BIN := .venv/bin
RUN = $(BIN)/snakemake --cores $(CORES) --configfile $(CONFIG)
# The folder of tables, figures and report of CONFIG: results/, or results/NAME/ if CONFIG states a name.
OF = results/$(addsuffix /,$(shell sed -n 's/^name: *\([a-z0-9.-]*\).*/\1/p' $(CONFIG) 2>/dev/null))
# On a terminal, show a progress line. Otherwise, print Snakemake's full output.
WATCHED := $(shell [ -t 2 ] && [ -z "$$CI" ] && echo --logger synthrank)
CODE := src scripts tests benchmarks docs/hooks
STAGES := workflow,corpora,models,passages,queries,runs,rankings,trainsets,validity,checkpoints,metrics,tables,figures,releases,report

# Tools find other tools of .venv on the PATH: snakefmt its shell formatter, Snakemake the Python of its jobs.
demo report test slurm-test torture check format plan dry-run docs recover: export PATH := $(CURDIR)/$(BIN):$(PATH)

demo report progress compare: export PYTHONPATH := $(CURDIR)/src

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: config-exists .venv/.ready ## Install .venv and run the default experiment: results/tables/ood.csv and id.csv
	$(RUN) $(WATCHED) -- $(OF)tables/ood.csv || { $(BIN)/python scripts/progress.py >&2; exit 1; }
	@$(BIN)/python scripts/show_tables.py --tables $(OF)tables
	@echo "tables: $(OF)tables/ood.md and $(OF)tables/id.md"

.PHONY: study
study: CONFIG = config/study.yaml
study: report ## Install .venv and run the study with all paradigms and five seeds: results/study/report.html

.PHONY: report
report: config-exists .venv/.ready ## Build all tables and figures of CONFIG as one HTML page, report.html
	$(RUN) $(WATCHED) -- $(OF)report.html || { $(BIN)/python scripts/progress.py >&2; exit 1; }
	@echo "report: $(OF)report.html"

.PHONY: new-corpus
new-corpus: .venv/.ready ## Write the configuration files for the corpus in data/NAME
	@$(BIN)/python scripts/new_corpus.py '$(NAME)'

.PHONY: compare
compare: installed ## Show two finished experiments side by side; A and B are their names or folders of tables
	@$(BIN)/python scripts/compare.py '$(A)' '$(B)'

.PHONY: progress
progress: installed ## Show the progress of the run: jobs, time, cost, and failures with their reasons
	@$(BIN)/python scripts/progress.py

.PHONY: test
test: .venv/.ready ## Install .venv and run the tests in two processes
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: slurm-test
slurm-test: .venv/.ready ## Run the tests that start a local SLURM; takes ten minutes, needs root
	$(BIN)/python -m pytest -m slurm tests/slurm

.PHONY: conda-test
conda-test: .venv/.ready ## Test the conda environment of each stage; takes half an hour and 16 GB
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[conda-test]'
	$(BIN)/python -m pytest -m conda tests/conda

# TORTURE_MINUTES=15 shortens it; tests/torture/conftest.py has the default, and divides the time.
.PHONY: torture
torture: .venv/.ready ## Kill runs, break servers, feed hostile input; takes up to half an hour
	$(BIN)/python -m pytest -m torture tests/torture

.PHONY: audit
audit: .venv/.ready ## List known vulnerabilities of the installed packages; needs the network
	@test -x build/audit/bin/pip-audit || { $(PYTHON) -m venv build/audit; \
	build/audit/bin/pip install --quiet --disable-pip-version-check pip-audit==2.10.1; }
	@$(BIN)/python benchmarks/audit.py build/audit/bin/pip-audit

.PHONY: check
check: .venv/.ready ## Check code style, formats, types, imports, schemas and plain English
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint --quiet all
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python -m synthrank.config.schemas --check config/schemas
	$(BIN)/python benchmarks/readme.py --check
	$(BIN)/python docs/hooks/style.py

.PHONY: format
format: .venv/.ready ## Format code and regenerate the schemas
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)
	$(BIN)/snakefmt Snakefile rules
	$(BIN)/python -m synthrank.config.schemas config/schemas

.PHONY: plan
plan: config-exists .venv/.ready ## Estimate power, API requests and cost of CONFIG; sends no request
	$(BIN)/python scripts/plan.py --config $(CONFIG)

.PHONY: cache-info
cache-info: .venv/.ready ## Describe the store of replies
	$(BIN)/python scripts/replies.py info

.PHONY: cache-export
cache-export: .venv/.ready ## Write all stored replies into FILE, for publication
	$(BIN)/python scripts/replies.py export --file $(or $(FILE),replies.jsonl)

.PHONY: cache-import
cache-import: .venv/.ready ## Add the replies of FILE to the store, for a rerun without API keys
	$(BIN)/python scripts/replies.py import --file $(or $(FILE),replies.jsonl)

.PHONY: docs
docs: .venv/.ready ## Build the documentation into build/site
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "site: build/site/index.html"

.PHONY: dry-run
dry-run: config-exists .venv/.ready ## List the jobs that CONFIG would run
	$(RUN) --dry-run --quiet rules --

.PHONY: recover
recover: installed ## After a killed run, cancel its SLURM jobs (JOBS=wait: wait for them) and unlock the folder
	@$(BIN)/python scripts/recover.py $(if $(JOBS),--jobs $(JOBS)) $(if $(HEAD),--head $(HEAD))
	@$(RUN) --unlock
	@echo "finished jobs are kept; run the same command to continue"

.PHONY: clean
clean: ## Remove all results except the store of replies
	find results -mindepth 1 ! -name README.md ! -path 'results/store*' -delete 2>/dev/null || true
	rm -rf .snakemake

# Commands that only inspect a run install nothing, because a `make demo` may be installing at the same time.
.PHONY: installed
installed:
	@test -e .venv/.ready || { echo "error: .venv is missing or still being installed; \
	make demo installs it" >&2; exit 1; }

.PHONY: config-exists
config-exists:
	@test -f '$(CONFIG)' || { echo "error: $(CONFIG): no such file; \
	available: $(wildcard config/*.yaml config/experiments/*.yaml)" >&2; exit 1; }

PIP := $(BIN)/pip install --quiet --disable-pip-version-check
OR_EXPLAIN := || { echo "error: pip cannot install into .venv; check the network (behind a mirror, set PIP_INDEX_URL) \
	and the free disk space, then run the same command to continue" >&2; exit 1; }

# torch is installed first with its pin. Otherwise other packages would install its newest build, which may include
# gigabytes of CUDA. Only Anserini's jar is used from pyserini, so its dependencies are not installed.
.venv/.ready: pyproject.toml Makefile
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON): no such program; synthrank needs Python 3.11 or \
	3.12, try: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 13) else \
		f"error: {sys.executable} is {sys.version.split()[0]}; synthrank needs Python 3.11 or 3.12, try: \
make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	@echo "1 of 3: installing torch; all three steps take some minutes"
	@$(PIP) torch==2.13.0 $(OR_EXPLAIN)
	@echo "2 of 3: installing about 150 packages for the stages and the tests"
	@$(PIP) --editable '.[$(STAGES),dev]' $(OR_EXPLAIN)
	@echo "3 of 3: installing Anserini"
	@$(PIP) --no-deps pyserini==1.6.0 $(OR_EXPLAIN)
	@touch $@
