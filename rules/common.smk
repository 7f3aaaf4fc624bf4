"""The study, wildcard constraints and code hashes for all rule files.

``study`` reads and checks all files under config/. ``entity`` and ``each`` make paths from the fields of entities, and
``inputs`` contains the other input functions.
"""

import os
import sys
from pathlib import Path


include: "root.smk"


SRC = ROOT / "src"
sys.path.insert(0, str(SRC))

from synthrank.config.base import read_yaml
from synthrank.config.study import Study
from synthrank.data.paths import BY_RANKER, BY_RETRIEVER, CORPUS, PASSAGES, TRAINSET, any_of
from synthrank.errors import SynthrankError
from synthrank.runtime.environment import data_folder
from synthrank.workflow.code_hash import codes_of
from synthrank.workflow.command_line import options, step
from synthrank.workflow.inputs import Inputs
from synthrank.workflow.inputs.base import by_attempt, named, part_of, settings_of, shard_of
from synthrank.workflow.inputs.templates import Templates
from synthrank.workflow.targets import check_targets

# The experiment's file, for messages.
CONFIG = os.path.relpath((workflow.overwrite_configfiles or ["config/config.yaml"])[-1])
try:
    read_yaml(Path(CONFIG))  # unlike Snakemake, it refuses repeated keys
    CODES = codes_of((SRC / "synthrank/steps").glob("*/*.py"), ROOT / "scripts/step.py")
    study = Study(Path("config"), config, CONFIG)
    check_targets(study, sys.argv[1:])
except SynthrankError as error:
    raise WorkflowError(str(error)) from None
inputs = Inputs(study)
entity = Templates(study)
each = entity.each
# The folder of the user's data, as a part of templates.
DATA = Path(str(data_folder()).replace("{", "{{").replace("}", "}}"))
# Prefix of tables/, figures/ and report.html. All experiments share the other results.
OF = study.experiment.folder


def step_params(name):
    """Return the params of every rule: the options of its files, and the hash of its step's code."""
    return {"code": CODES[name], "options": options}


include: "running.smk"


# {scatteritem} is a shard such as 2-of-4, {part} its folder such as shards/2-of-4/, which is empty for a single job.
scattergather:
    encode=study.experiment.shards.encode,
    write=study.experiment.shards.write,
    rerank=study.experiment.shards.rerank,
    order=study.experiment.shards.order,


wildcard_constraints:
    ablation=study.ablation_pattern,
    augmentation=study.pattern("augmentations"),
    collection=any_of(CORPUS, PASSAGES),
    corpus=study.pattern("corpora"),
    data=any_of(TRAINSET, PASSAGES),
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
