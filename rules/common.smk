"""The study, its names as wildcard constraints, and fingerprints of code, for every rule file.

A Study reads and checks every file under config/; Needs answers which files a job reads where an entity file decides.
"""

import sys
from pathlib import Path


include: "root.smk"


SRC, SCRIPTS = ROOT / "src", ROOT / "scripts"
sys.path.insert(0, str(SRC))

from synthrank import fingerprint
from synthrank.errors import SynthrankError
from synthrank.needs import Needs
from synthrank.needs.base import by_attempt, compared
from synthrank.specs.augmentations import CropQueries, Doc2QueryQueries, LlmQueries, MixedQueries, TitleQueries
from synthrank.specs.corpora import BuiltCorpus, MixedCorpus
from synthrank.specs.models import FirstLayersModel, TokenTableModel, UnpackedModel
from synthrank.specs.paradigms import Asked, HumanParadigm, ImportedParadigm, QueriedParadigm
from synthrank.specs.recipes import DistilRecipe, OrderRecipe, Sized, TeacherRecipe
from synthrank.specs.retrievers import Bm25, Dense, Ordered, Recorded, Reranked, Sparse
from synthrank.study import Study

try:
    CODES = fingerprint.codes_of(SCRIPTS, SRC)
    study = Study(Path("config"), config)
except SynthrankError as error:
    raise WorkflowError(str(error)) from None
needs = Needs(study)


def code_of(script):
    """Return the hash of a script and the first-party modules behind it: a rule's reason to rerun."""
    return CODES[script]


def settings_of(section):
    """Return an input function of a section of the experiment as a param that a job is rerun for."""

    def of_job(wildcards):
        return compared(section(wildcards))

    return of_job


# src is importable in every environment with no install, and a rule's shell block names its script alone. A conda
# environment, unlike a virtual one, would let packages in the user's home come before its own. The budget is no param:
# raising it must not rerun what is finished.
BUDGET = "" if study.experiment.budget_usd is None else study.experiment.budget_usd
shell.prefix(
    f"set -euo pipefail; export PYTHONPATH={SRC} PYTHONNOUSERSITE=1 SCRIPTS={SCRIPTS} SYNTHRANK_BUDGET_USD={BUDGET}; "
)
# One job at a time asks a provider, on all nodes together, so that the limits of an LLM's file hold for the workflow.
workflow.global_resources.setdefault("api", 1)


# `--sdm apptainer` runs every job in the image that Dockerfile describes; without it no image is looked for.
container: "synthrank.sif"


onstart:
    # Under the default limit each finished job leaves a timer that looks at all ready jobs until the end: half a core.
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


# A shard is named {scatteritem}, such as 2-of-4: a step works through its own, a later one concatenates and counts all.
scattergather:
    encode=study.experiment.shards.encode,
    write=study.experiment.shards.write,
    rerank=study.experiment.shards.rerank,
    order=study.experiment.shards.order,


wildcard_constraints:
    ablation=study.ablation_pattern,
    augmentation=study.pattern("augmentations"),
    collection=r"corpora/[^/]+|passages/[^/]+/[^/]+/draw-\d+/[^/]+",
    corpus=study.pattern("corpora"),
    data=r"trainsets/[^/]+/[^/]+/draw-\d+|passages/[^/]+/[^/]+/draw-\d+/[^/]+",
    draw=r"\d+",
    llm=study.pattern("llms", "none"),
    model=study.pattern("models"),
    paradigm=study.pattern("paradigms"),
    pool=study.pattern("pools"),
    queryset=f"{study.split_pattern}|({study.pattern('augmentations')})(@raw)?",
    ranker=study.pattern("rankers"),
    ranking=study.pattern("rankings"),
    recipe=study.pattern("recipes", "none"),
    retriever=study.pattern("retrievers"),
    scatteritem=r"\d+-of-\d+",
    seed=r"\d+",
    split=study.split_pattern,
    suite=study.pattern("suites"),
    testset=study.pattern("testsets"),
