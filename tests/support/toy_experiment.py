"""The toy experiment: a copy of the project with made-up collections, tiny models and an echoing LLM."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from tiny_models import tiny_encoder, tiny_splade, tiny_t5
from warm import warm_folder

from synthrank.workflow.code_hash import codes_of

PROJECT = Path(__file__).resolve().parents[2]
TOY = Path(__file__).resolve().parents[1] / "toy" / "config"
TABLES = ("results/tables/id.csv", "results/tables/ood.csv")
ARCHIVE = "anserini.jsa"
"""The archive of ``java_archive``, next to the warm ``python``."""
TWOLAR = """
twolar:
  llms: [echo]
  recipes: [order]
  rankers: [student, t5]
  first_stages: [bm25, tiny-sparse]
  measures: [nDCG@1, nDCG@10]
  published: twolar
  ablations:
    data: {recipes: [order, human], rankers: [student]}
"""
"""The toy's distillation study, to add to its configuration; it takes another minute."""

PASSAGES = """
claims:
  measure: nDCG@10
  margin: 0.05
  permutations: 500
  over: [queries]
  claims:
    gain:
      {statement: Echoes help, expects: gain, distribution: both, treatment: [enriched], control: human,
       rankers: [bi-encoder]}
    same:
      {statement: Other words do as well, expects: equivalence, distribution: ood, treatment: [rewritten],
       control: human, rankers: [bi-encoder]}
enrichment: {base: human@6, control: human, enriched: [rewritten]}
sizes: {recipes: [human], queries: [6]}
validity: {retriever: tiny, sample: 20, leaks: {ngrams: [8], cosine: 0.99, retriever: tiny}}
bias: {suites: [mixed]}
"""
"""The toy's sections for the passage study, only for its bi-encoder."""

PLANTS = (
    "rose tulip lavender fern ivy basil mint thyme sage orchid cactus bamboo lilac peony dahlia aster clover heather "
    "jasmine magnolia poppy violet willow maple birch cedar hazel juniper laurel myrtle"
).split()
DISHES = "soup bread stew pie curry salad omelette risotto noodles dumplings pancakes custard".split()
PLACES = "shade gravel clay sand loam peat moss bark straw compost slate limestone".split()


def make_toy(folder: Path) -> Path:
    """Copy the project into ``folder`` and put the toy's configuration, data and models there."""
    # Fingerprints are next to the bytecode and copied with it.
    codes_of((PROJECT / "src/synthrank/steps").glob("*/*.py"), PROJECT / "scripts/step.py")
    half_written = (".*", "*.pyc.*")
    for name in ("Snakefile", "rules", "scripts", "src", "envs"):
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("*.egg-info", *half_written))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    shutil.copytree(TOY, folder / "config")
    for kind in ("prompts", "paradigms"):
        shutil.copytree(PROJECT / "config" / kind, folder / "config" / kind, dirs_exist_ok=True)
    for name, make in (("tiny-encoder", tiny_encoder), ("tiny-splade", tiny_splade), ("tiny-t5", tiny_t5)):
        make(folder / "models" / name)
    _gardens(folder / "data" / "gardens")
    _kitchens(folder / "data" / "kitchens")
    return folder


def publish_elsewhere(folder: Path) -> None:
    """Give a toy the project's published numbers, all of them for test sets that it lacks."""
    for path in (PROJECT / "config/published").glob("*.yaml"):
        published = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = sorted({name for result in published["results"] for name in result["values"]})
        (folder / "config/published").mkdir(exist_ok=True)
        text = yaml.safe_dump({**published, "elsewhere": names}, allow_unicode=True)
        (folder / "config/published" / path.name).write_text(text, encoding="utf-8")


def _gardens(folder: Path) -> None:
    passages, queries, qrels = [], [], {"train": [], "test": []}
    for place, plant in enumerate(PLANTS):
        days, soil = 2 + place % 9, PLACES[place % len(PLACES)]
        passages.append(
            {
                "_id": f"care-{plant}",
                "title": f"Watering the {plant}",
                "text": f"Water the {plant} every {days} days in summer, and less in winter, when the {plant} rests. "
                f"It likes {soil} that drains well, and a place out of the wind where frost does not linger.",
            }
        )
        passages.append(
            {
                "_id": f"origin-{plant}",
                "title": f"Where the {plant} comes from",
                "text": f"The {plant} came to gardens with travellers who carried seeds in {soil}. Old books praise "
                f"the {plant} for its scent and colour, and painters have shown it for hundreds of years.",
            }
        )
        if place < 22:
            split = "train" if place < 14 else "test"
            queries.append({"_id": f"q{place:03}", "text": f"How often should I water the {plant}?"})
            qrels[split].append((f"q{place:03}", f"care-{plant}", 1))
    _write(folder, passages, queries, qrels)
    rewritten = [{"id": item["_id"], "words": f"One should know: {item['text'].lower()}"} for item in passages]
    (folder / "rewritten.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rewritten))


def _kitchens(folder: Path) -> None:
    passages, queries, qrels = [], [], {"test": []}
    for place, dish in enumerate(DISHES):
        passages.append(
            {
                "_id": f"cook-{dish}",
                "title": "",
                "text": f"Cook the {dish} for {10 + 5 * place} minutes over a low flame, and stir the {dish} now and "
                "then. Salt it at the end, because boiling makes it saltier than you meant it to be.",
            }
        )
        passages.append(
            {
                "_id": f"serve-{dish}",
                "title": "",
                "text": f"Serve the {dish} warm, with herbs from the garden and a slice of lemon. What is left of the "
                f"{dish} keeps for {1 + place % 4} days in the cold.",
            }
        )
        queries.append({"_id": f"k{place}", "text": f"How long must {dish} cook?"})
        qrels["test"].append((f"k{place}", f"cook-{dish}", 1))
    _write(folder, passages, queries, qrels)


def _write(
    folder: Path, passages: list[dict[str, str]], queries: list[dict[str, str]], qrels: dict[str, list[tuple]]
) -> None:
    (folder / "qrels").mkdir(parents=True)
    for name, rows in (("corpus", passages), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for split, rows in qrels.items():
        lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in rows)]
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join(lines) + "\n")


def environment() -> dict[str, str]:
    """Return the environment of a toy's run: forks of the warm process, and a store below the toy's results."""
    variables = {**os.environ, "SYNTHRANK_DATA": "data", "CI": "true"}
    variables["PATH"] = os.pathsep.join([str(warm_folder()), str(Path(sys.executable).parent), variables["PATH"]])
    shared = f"-XX:SharedArchiveFile={warm_folder() / ARCHIVE}"
    variables["JDK_JAVA_OPTIONS"] = f"{variables.get('JDK_JAVA_OPTIONS', '')} {shared}".strip()
    for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "SYNTHRANK_STORE", "SYNTHRANK_BUDGET_USD"):
        variables.pop(name, None)
    return variables


def command(*arguments: str) -> list[str]:
    """Return the command line of a toy's run."""
    return [str(warm_folder() / "python"), "-m", "snakemake", "--show-failed-logs", "--scheduler", "greedy", *arguments]


def snakemake(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a toy's folder, with the libraries and environment of the tests.

    Snakemake and its jobs are forks of a process that has imported the libraries. The SLURM tests compare their output
    with the output of plain processes.
    """
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(f"snakemake {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-6000:]}")
    return done


def planned(folder: Path) -> set[str]:
    """Return the jobs that a dry run lists, each as ``rule wildcard wildcard …`` in the order Snakemake shows."""
    text = snakemake(folder, "--dry-run", "--", *TABLES).stdout
    jobs = set()
    for block in re.split(r"\n(?=\[[A-Z][a-z]{2} )", text):
        rule = re.search(r"^(?:local)?rule (\w+):", block, re.MULTILINE)
        if rule:
            wildcards = re.search(r"^ +wildcards: (.*)$", block, re.MULTILINE)
            values = re.findall(r"\w+=([^,]+)", wildcards[1]) if wildcards else []
            jobs.add(" ".join([rule[1], *values]))
    return jobs
