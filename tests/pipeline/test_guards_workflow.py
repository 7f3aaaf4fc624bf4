"""Inputs that would give wrong numbers silently are refused in one line, counted or marked by the workflow."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file, save_file
from toy_experiment import TABLES, planned, snakemake

from synthrank.config.base import read_yaml
from synthrank.config.study import Study
from synthrank.errors import ConfigError

pytestmark = pytest.mark.workflow

MODEL = "results/models/tiny-encoder"
DENSE = "results/runs/corpora/kitchens/tiny/test.trec"
MARK = b"\xef\xbb\xbf"


BUILT = [f"results/corpora/kitchens/{name}" for name in ("passages.jsonl", "test/queries.jsonl", "test/qrels.txt")]


def change(path: Path, **changed: object) -> None:
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changed}))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def refused(folder: Path, target: str) -> str:
    """Return the last line of a refused run; check that the target does not exist."""
    done = snakemake(folder, "--cores", "2", "--", target, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    errors = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stdout[-3000:]
    assert not (folder / target).exists()
    return errors[0].removeprefix("error: ")


def weights(folder: Path, made) -> None:
    """Change the tensors of the toy's model."""
    path = folder / MODEL / "model.safetensors"
    save_file({name: item for old, value in load_file(path).items() for name, item in made(old, value)}, path,
              metadata={"format": "pt"})  # fmt: skip


def test_a_training_that_diverges_ends_in_an_error(edited: Path) -> None:
    """The trainer's filter shows a loss of 0.0, but the weights are not finite."""
    target = "results/checkpoints/human/none/bi-encoder/seed-1"
    shutil.rmtree(edited / target)
    change(edited / "config/rankers/bi-encoder.yaml",
           optimiser={"learning_rate": 2e30, "epochs": 4, "batch_size": 4})  # fmt: skip
    said = refused(edited, target)
    assert re.fullmatch(r"update \d+: the loss is (nan|inf); lower optimiser.learning_rate or switch bf16 off", said)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda name, value: [(name, value * float("nan"))], r": \d+ of \d+ weights are not finite, the first in "),
        (lambda name, value: [(name, value * 0 + 3e38 if name == "embeddings.LayerNorm.weight" else value)],
         r": the vector of '.+' is not finite; expected finite numbers"),
        (lambda name, value: [(f"module.{name}", value)],
         r": \d+ weights of a BertModel are missing, the first .*; it has \d+ unexpected ones, the first 'module\."),
    ],
)  # fmt: skip
def test_models_with_invalid_weights_are_refused(edited: Path, made, said: str) -> None:
    """NaN weights would give an empty run and 0.0 everywhere, missing weights a random encoder."""
    weights(edited, made)
    assert re.search(said, refused(edited, DENSE))


def test_a_models_own_prompt_changes_no_run(edited: Path) -> None:
    snakemake(edited, "--cores", "2", "--", DENSE)
    before = (edited / DENSE).read_bytes()
    told = edited / MODEL / "config_sentence_transformers.json"
    stated = {"prompts": {"query": "bread: "}, "default_prompt_name": "query"}
    told.write_text(json.dumps(json.loads(told.read_text()) | stated))
    shutil.rmtree(edited / "results/runs/corpora/kitchens/tiny")
    snakemake(edited, "--cores", "2", "--", DENSE)
    assert (edited / DENSE).read_bytes() == before


def test_a_length_beyond_the_models_positions_is_refused(edited: Path) -> None:
    change(edited / "config/rankers/bi-encoder.yaml", eval_max_length=1024)
    assert not {job for job in planned(edited) if job.startswith("train_ranker")}, "only ranking reads more tokens"
    target = "results/runs/testsets/kitchens/human/none/bi-encoder/seed-1.trec"
    (edited / target).unlink()
    said = refused(edited, target)
    assert said.endswith(": has 128 positions, too few for 1024 tokens; lower max_length or eval_max_length")


def test_byte_order_marks_change_nothing(edited: Path, finished: Path) -> None:
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        path = edited / "data/kitchens" / name
        path.write_bytes(MARK + path.read_bytes())
    shutil.rmtree(edited / "results/corpora/kitchens")
    snakemake(edited, "--cores", "2", "--", *BUILT)
    assert all((edited / name).read_bytes() == (finished / name).read_bytes() for name in BUILT)


@pytest.mark.parametrize(
    ("judgments", "said"),
    [
        ("", r"config/corpora/kitchens\.yaml, split test: none of 0 judgments has a positive grade"),
        (f"k0\tcook-soup\t{'9' * 20}\n", r"qrels/test\.tsv:2: score '9{20}' is out of range; expected -10 to 100"),
        ("k0\tcook-soup\t1_0\n", r"qrels/test\.tsv:2: score '1_0' is not a whole number"),
    ],
)
def test_judgments_that_judge_nothing_or_too_much_are_refused(edited: Path, judgments: str, said: str) -> None:
    (edited / "data/kitchens/qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judgments)
    target = "results/corpora/kitchens/test/qrels.txt"
    (edited / target).unlink()
    assert re.search(said, refused(edited, target))


def test_a_measure_that_cannot_be_computed_is_refused_before_anything_runs(edited: Path) -> None:
    """Snakemake shows the error that the study raises while the configuration is read."""
    for name in ("P@0", "ERR@10", "RBP", "alpha_nDCG@10", "nDGC@10"):
        change(edited / "config/config.yaml", measures=["nDCG@10", name])
        with pytest.raises(ConfigError, match=rf"^experiment: measures\.1: .*'{name}'"):
            Study(edited / "config", read_yaml(edited / "config/config.yaml"))
    done = snakemake(edited, "--dry-run", "--", *TABLES, check=False)
    assert done.returncode != 0
    assert "measures.1: unknown measure 'nDGC@10'; did you mean 'nDCG@10'?" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_measure_deeper_than_the_lists_is_marked(finished: Path) -> None:
    for name in ("id", "ood"):
        assert {row["measure"] for row in rows(finished / f"results/tables/{name}.csv")} == {"nDCG@10", "MRR@10"}
        text = " ".join((finished / f"results/tables/{name}.md").read_text().split())
        assert "the rankings are shorter than the measure's cutoff: Recall@100 of `bm25` on" in text
    scored = rows(finished / "results/metrics/testsets/kitchens/bm25.csv")
    assert {row["value"] for row in scored if row["measure"] == "Recall@100"} == {""}


def test_training_queries_are_refused_as_a_test_set_under_another_name(edited: Path) -> None:
    (edited / "config/corpora/allotments.yaml").write_text(
        "source: beir\nfolder: gardens\nsplits: {dev: qrels/train.tsv}\n"
    )
    (edited / "config/testsets/kitchens.yaml").write_text("corpus: allotments\nsplit: dev\n")
    done = snakemake(edited, "--dry-run", "--", *TABLES, check=False)
    assert done.returncode != 0
    assert "kitchens.yaml: split: 'dev' shares queries with split 'train'" in done.stdout


def test_a_mixed_corpus_over_the_recipes_own_is_in_distribution(edited: Path) -> None:
    change(edited / "config/config.yaml", recipes=["human"], rankers=["bi-encoder"], suites=["toy", "mixed"])
    snakemake(edited, "--cores", "2", "--", *TABLES)
    assert {row["testset"] for row in rows(edited / TABLES[0])} == {"gardens", "gardens-mixed"}
    assert {row["testset"] for row in rows(edited / TABLES[1])} == {"kitchens"}


def test_report_with_one_kind_of_test_sets(edited: Path) -> None:
    change(edited / "config/config.yaml", recipes=["human"], rankers=["bi-encoder"], llms=[])
    (edited / "config/suites/toy.yaml").write_text("testsets: [kitchens]\n")
    snakemake(edited, "--cores", "2", "--", "results/report.html")
    assert rows(edited / TABLES[0]) == []
    assert "The experiment has no test set of this kind." in (edited / "results/tables/id.md").read_text()
    assert (edited / "results/report.html").stat().st_size > 10_000
