# Two commands do everything: `make demo` and `make test`. Both set up .venv first, once.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
CORES ?= all
CONFIG ?= config/config.yaml
BIN := .venv/bin
RUN = $(BIN)/snakemake --cores $(CORES) --configfile $(CONFIG)
# Someone who watches sees one line kept up to date; a log gets all that Snakemake says.
WATCHED := $(shell [ -t 2 ] && [ -z "$$CI" ] && echo --logger synthrank)
CODE := src scripts tests benchmarks docs/hooks
STAGES := workflow,corpora,models,passages,queries,runs,rankings,trainsets,validity,checkpoints,metrics,tables,figures,releases,report

# Tools start tools of the same environment: snakefmt its shell formatter, Snakemake the jobs' Python.
demo report test slurm-test check format plan dry-run docs recover: export PATH := $(CURDIR)/$(BIN):$(PATH)

demo report progress: export PYTHONPATH := $(CURDIR)/src

.PHONY: help
help: ## Say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: .venv/.ready ## Set up, then run the default experiment: results/tables/ood.csv and id.csv
	$(RUN) $(WATCHED) -- results/tables/ood.csv || { $(BIN)/python -m synthrank.watch >&2; exit 1; }
	@$(BIN)/python -m synthrank.tables
	@echo "read results/tables/ood.md and results/tables/id.md"

.PHONY: study
study: CONFIG = config/study.yaml
study: report ## Set up, then run the study with all paradigms and five seeds: results/report.html

.PHONY: report
report: .venv/.ready ## Make all tables and figures of CONFIG and show them as one page: results/report.html
	$(RUN) $(WATCHED) -- results/report.html || { $(BIN)/python -m synthrank.watch >&2; exit 1; }
	@echo "open results/report.html"

.PHONY: progress
progress: installed ## Say how far the run is: jobs, time, money, and what failed and why
	@$(BIN)/python -m synthrank.watch

.PHONY: test
test: .venv/.ready ## Set up, then run the tests, two files at a time
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: slurm-test
slurm-test: .venv/.ready ## Run the tests that start a SLURM of their own; they take ten minutes, and root
	$(BIN)/python -m pytest -m slurm tests/slurm

.PHONY: conda-test
conda-test: .venv/.ready ## Create each stage's environment by `--sdm conda` and run in them: half an hour, 16 GB
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[conda-test]'
	$(BIN)/python -m pytest -m conda tests/conda

.PHONY: check
check: .venv/.ready ## Lint, formats, types, imports, schemas
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint --quiet all
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python -m synthrank.specs.schemas --check config/schemas
	$(BIN)/python benchmarks/readme.py --check

.PHONY: format
format: .venv/.ready ## Put code and schemas in their form
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)
	$(BIN)/snakefmt Snakefile rules
	$(BIN)/python -m synthrank.specs.schemas config/schemas

.PHONY: plan
plan: .venv/.ready ## What CONFIG can settle, will ask of language models, and costs; calls no model
	$(BIN)/python -m synthrank.plan --config $(CONFIG)

.PHONY: cache-info
cache-info: .venv/.ready ## What the store of replies holds
	$(BIN)/python -m synthrank.llms.manage info

.PHONY: cache-export
cache-export: .venv/.ready ## Write all stored replies into FILE, to publish them
	$(BIN)/python -m synthrank.llms.manage export --file $(or $(FILE),replies.jsonl)

.PHONY: cache-import
cache-import: .venv/.ready ## Take the replies of FILE into the store, so that no key is needed to rerun
	$(BIN)/python -m synthrank.llms.manage import --file $(or $(FILE),replies.jsonl)

.PHONY: docs
docs: .venv/.ready ## Build the site of docs/ into build/site
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "open build/site/index.html"

.PHONY: dry-run
dry-run: .venv/.ready ## List the jobs that CONFIG would run
	$(RUN) --dry-run --quiet rules --

.PHONY: recover
recover: installed ## After a killed run: end what it left (JOBS=wait: let it finish), on SLURM too, and unlock
	@$(BIN)/python -m synthrank.recovery $(if $(JOBS),--jobs $(JOBS)) $(if $(HEAD),--head $(HEAD))
	@$(RUN) --unlock
	@echo "go on with the command of the run that was killed: what it finished is kept"

.PHONY: clean
clean: ## Remove everything made by the workflow, but not the store of replies
	find results -mindepth 1 ! -name README.md ! -path 'results/store*' -delete 2>/dev/null || true
	rm -rf .snakemake

# What looks at a run installs nothing, least of all beside a `make demo` that is installing.
.PHONY: installed
installed:
	@test -e .venv/.ready || { echo "error: nothing ran here yet: .venv is not installed, or still installing; \
	make demo installs" >&2; exit 1; }

PIP := $(BIN)/pip install --quiet --disable-pip-version-check
OR_SAY := || { echo "error: pip could not install into .venv; without network or behind a mirror name an index that \
	answers (PIP_INDEX_URL), make room where the disk is full, then the same command goes on" >&2; exit 1; }

# torch goes first and pinned: any other package would pull in the newest build, with gigabytes of CUDA where the
# package index has them. pyserini is taken for Anserini's jar alone; its other dependencies are not needed.
.venv/.ready: pyproject.toml Makefile
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON): no such program; Python 3.11 or 3.12 is needed, try: \
	make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 13) else \
		f"Python 3.11 or 3.12 is needed, {sys.executable} is {sys.version.split()[0]}; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	@echo "1 of 3: installing torch; all three take some minutes"
	@$(PIP) torch==2.13.0 $(OR_SAY)
	@echo "2 of 3: installing what the stages and the tests need, about 150 packages"
	@$(PIP) --editable '.[$(STAGES),dev]' $(OR_SAY)
	@echo "3 of 3: installing Anserini"
	@$(PIP) --no-deps pyserini==1.6.0 $(OR_SAY)
	@touch $@
