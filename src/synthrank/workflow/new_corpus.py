"""Write the configuration files of a new corpus, for ``make new-corpus NAME=…``."""

import re
import sys
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from statistics import fmean

from synthrank.config.base import read_yaml, validate
from synthrank.config.corpora import TRAIN, BeirCorpus
from synthrank.data.checks import check_id
from synthrank.data.files import atomic_text
from synthrank.data.records import Judgment
from synthrank.data.sources.beir import BeirSource
from synthrank.data.words import words_of
from synthrank.errors import ConfigError, DataError
from synthrank.runtime.environment import data_folder

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SCHEMA = "# yaml-language-server: $schema=../schemas/{kind}.json\n"

CORPUS = """\
source: beir
folder: {folder}
# url: where to get the collection; licence: its terms
title: {title} # prepend: titles are searched with the texts; ignore: they are not
passage_words: {words} # mean of the relevant passages; prompts ask for passages of this length
splits:
{splits}
# A file that was cut short, or another version of the collection, is refused.
counts:
  passages: {passages}
  splits:
{counts}
"""
TESTSET = "corpus: {name}\nsplit: {split}\n"
SUITE = "testsets: [{name}]\n"
RECIPE = """\
kind: pairs
corpus: {name}
positives:
  - {{paradigm: human, queries: {queries}}}
negatives:
  source: human
  retriever: bm25
  count: 4
"""
EXPERIMENT = """\
# BM25, and the bi-encoder `static` before and after training on {trained_on}.
name: {name}
llms: []
recipes: [{recipe}]
rankers: [static]
seeds: [1]
suites: [{name}]
first_stages: [bm25]
measures: [nDCG@10, MRR@10]
"""
VARY = """\
# As in config/config.yaml, so that both experiments use the same training sets and rankers.
vary: [{vary}]
"""


def new_corpus(name: str, config: Path) -> dict[Path, str]:
    """Read a folder in the BEIR layout and return the files that bring it into a table.

    Args:
        name: the corpus's name, and that of its folder under :func:`data_folder`.
        config: the folder ``config/``.

    Returns:
        The text of each file: corpus, test set, suite, experiment, and a recipe if a split is named train.

    Raises:
        ConfigError: the name is invalid, or a file of it exists.
        DataError: the folder or one of its files is missing or malformed, or a judged query is missing.
    """
    if not KEBAB.fullmatch(name):
        raise ConfigError(f"invalid name {name!r}: use lower-case letters, digits and hyphens")
    folder = data_folder() / name
    qrels = sorted(path for path in (folder / "qrels").glob("*") if path.suffix in (".txt", ".tsv"))
    splits = {_split_name(path): f"qrels/{path.name}" for path in qrels}
    spec = validate(BeirCorpus, {"source": "beir", "folder": name, "splits": splits}, f"corpora/{name}.yaml")
    source = BeirSource(spec, config / f"corpora/{name}.yaml")
    if not splits:
        raise ConfigError(f"{folder}/qrels: no qrels; expected a file per split, such as test.txt or test.tsv")
    judged = {split: _judged(source, split, folder) for split in splits}
    relevant = {item.passage_id for items in judged.values() for item in items if item.grade > 0}
    lengths, titles, passages = [], 0, set[str]()
    for passage in source.passages():
        check_id("passage", passage.id, passages, f"{folder}/corpus.jsonl")
        passages.add(passage.id)
        titles += bool(passage.title)
        if passage.id in relevant:
            lengths.append(len(words_of(passage.text)))
    tested = [split for split in splits if split != TRAIN]
    if not tested:
        raise ConfigError(f"{folder}/qrels: only the split {TRAIN}; expected one to test on, such as test.txt")
    texts = {
        "corpora": CORPUS.format(
            folder=name, title="prepend" if titles else "ignore", words=round(fmean(lengths)) if lengths else 60,
            splits=_lines(f"  {split}: {file}" for split, file in splits.items()), passages=len(passages),
            counts=_lines(f"    {split}: {_count(items, passages)}" for split, items in judged.items()),
        ),
        "testsets": TESTSET.format(name=name, split="test" if "test" in tested else tested[0]),
        "suites": SUITE.format(name=name),
    }  # fmt: skip
    files = {config / f"{kind}/{name}.yaml": SCHEMA.format(kind=kind) + text for kind, text in texts.items()}
    recipe, trained_on = "human", "the human passages of the default experiment"
    if TRAIN in splits:
        recipe, trained_on = f"{name}-human", "its human passages"
        queries = len({item.query_id for item in judged[TRAIN]})
        text = SCHEMA.format(kind="recipes") + RECIPE.format(name=name, queries=queries)
        files[config / f"recipes/{recipe}.yaml"] = text
    files[config / f"experiments/{name}.yaml"] = SCHEMA.format(kind="experiment") + EXPERIMENT.format(
        name=name, recipe=recipe, trained_on=trained_on
    )
    if TRAIN not in splits and (vary := read_yaml(config / "config.yaml").get("vary")):
        files[config / f"experiments/{name}.yaml"] += VARY.format(vary=", ".join(vary))
    for path in files:
        if path.exists():
            raise ConfigError(f"{path}: exists already; choose another name, or edit the file")
    return files


def main(name: str) -> None:
    """Write the files under config/ that bring the collection in data/NAME into a table.

    Args:
        name: the corpus's name: lower-case letters, digits and hyphens.
    """
    files = new_corpus(name, Path("config"))
    for path, text in files.items():
        with atomic_text(path) as stream:
            stream.write(text)
        sys.stdout.write(f"wrote {path}\n")
    corpus = files[Path(f"config/corpora/{name}.yaml")]
    if "absent:" in corpus:
        sys.stdout.write(
            "note: judged passages are missing from corpus.jsonl; absent in the corpus file states how many\n"
        )
    table = "id" if Path("config/recipes", f"{name}-human.yaml") in files else "ood"
    command = f".venv/bin/snakemake --configfile config/experiments/{name}.yaml -- results/{name}/tables/{table}.csv"
    sys.stdout.write(f"next: {command}\n")


def _judged(source: BeirSource, split: str, folder: Path) -> list[Judgment]:
    """Return the judgments of a split, whose queries exist and have valid ids."""
    queries, judgments = source.queries(split)
    known: set[str] = set()
    for query in queries:
        check_id("query", query.id, known, f"{folder}/queries.jsonl")
        known.add(query.id)
    for item in judgments:
        if item.query_id not in known:
            raise DataError(
                f"{folder}/qrels: split {split}: query {item.query_id!r} is judged but not in {folder}/queries.jsonl; "
                "add it, or remove its judgments"
            )
    return judgments


def _split_name(path: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")


def _count(judgments: Sequence[Judgment], passages: Container[str]) -> str:
    absent = sum(item.passage_id not in passages for item in judgments)
    known = f", absent: {absent}" if absent else ""
    return f"{{queries: {len({item.query_id for item in judgments})}, judgments: {len(judgments)}{known}}}"


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)
