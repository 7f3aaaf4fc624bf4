"""make new-corpus: files for a collection in the BEIR layout, valid as they are."""

import json
import shutil
from pathlib import Path

import pytest

from synthrank.config.base import read_yaml
from synthrank.config.study import Study
from synthrank.errors import ConfigError, DataError
from synthrank.workflow.new_corpus import main, new_corpus

CONFIG = Path(__file__).resolve().parents[2] / "config"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(CONFIG, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYNTHRANK_DATA", raising=False)
    folder = tmp_path / "data/bicycles"
    (folder / "qrels").mkdir(parents=True)
    passages = [{"_id": f"p{number}", "title": "T", "text": "one two three"} for number in range(4)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in passages))
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "first"}\n{"_id": "q2", "text": "second"}\n')
    (folder / "qrels/test.txt").write_text("q1 0 p1 1\nq1 0 p2 0\n")
    return tmp_path


def test_new_corpus_files_make_a_valid_experiment(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main("bicycles")
    study = Study(Path("config"), read_yaml(Path("config/experiments/bicycles.yaml")))
    corpus = study.entities["corpora"]["bicycles"]
    assert (corpus.passage_words, corpus.title, corpus.counts.passages) == (3, "prepend", 4)
    assert (corpus.counts.splits["test"].queries, corpus.counts.splits["test"].judgments) == (1, 2)
    assert study.experiment.recipes == ("human",)
    assert capsys.readouterr().out.splitlines()[-1] == (
        "next: .venv/bin/snakemake --configfile config/experiments/bicycles.yaml -- results/bicycles/tables/ood.csv"
    )


def test_new_corpus_uses_the_training_sets_of_the_default_experiment(project: Path) -> None:
    main("bicycles")
    default, new = (read_yaml(Path("config", name)) for name in ("config.yaml", "experiments/bicycles.yaml"))
    assert new["vary"] == default["vary"]
    assert set(new["recipes"]) <= set(default["recipes"])
    assert set(new["rankers"]) <= set(default["rankers"])


def test_new_corpus_states_judged_passages_that_are_absent(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "data/bicycles/qrels/test.txt").write_text("q1 0 p1 1\nq1 0 p77 1\n")
    main("bicycles")
    text = Path("config/corpora/bicycles.yaml").read_text()
    assert "    test: {queries: 1, judgments: 2, absent: 1}\n" in text
    assert "note: judged passages are missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "qrels/test.txt",
            "q1 0 p1 1\nq9 0 p1 1\n",
            "query 'q9' is judged but not in .*add it, or remove its judgments",
        ),
        ("queries.jsonl", '{"_id": "q 1", "text": "first"}\n', "invalid query id 'q 1'"),
        ("corpus.jsonl", '{"_id": "p1", "text": "a"}\n{"_id": "p1", "text": "b"}\n', "passage id 'p1' is repeated"),
    ],
)
def test_new_corpus_refuses_ids_that_the_workflow_would_refuse(
    project: Path, file: str, text: str, message: str
) -> None:
    (project / "data/bicycles" / file).write_text(text)
    with pytest.raises(DataError, match=message):
        new_corpus("bicycles", Path("config"))


def test_new_corpus_with_a_training_split_has_a_recipe(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "data/bicycles/qrels/train.tsv").write_text("query-id\tcorpus-id\tscore\nq2\tp3\t1\n")
    main("bicycles")
    study = Study(Path("config"), read_yaml(Path("config/experiments/bicycles.yaml")))
    assert study.experiment.recipes == ("bicycles-human",)
    assert study.entities["recipes"]["bicycles-human"].positives[0].queries == 1
    assert capsys.readouterr().out.strip().endswith("results/bicycles/tables/id.csv")


def test_new_corpus_splits_have_valid_names(project: Path) -> None:
    folder = project / "data/bicycles/qrels"
    (folder / "test.txt").rename(folder / "User_Query.txt")
    files = new_corpus("bicycles", Path("config"))
    assert "  user-query: qrels/User_Query.txt\n" in files[Path("config/corpora/bicycles.yaml")]
    assert files[Path("config/testsets/bicycles.yaml")].endswith("corpus: bicycles\nsplit: user-query\n")


@pytest.mark.parametrize("name", ["My_Corpus", "", "a/b", "bicycles.2"])
def test_new_corpus_refuses_an_invalid_name(project: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="use lower-case letters, digits and hyphens"):
        new_corpus(name, Path("config"))


def test_new_corpus_overwrites_nothing(project: Path) -> None:
    (project / "config/suites/bicycles.yaml").write_text("mine\n")
    with pytest.raises(ConfigError, match=r"config/suites/bicycles\.yaml: exists already"):
        main("bicycles")
    assert not (project / "config/corpora/bicycles.yaml").exists()


def test_new_corpus_names_a_missing_folder(project: Path) -> None:
    with pytest.raises(DataError, match="data/boats: no such folder"):
        new_corpus("boats", Path("config"))


def test_new_corpus_needs_a_split_to_test_on(project: Path) -> None:
    folder = project / "data/bicycles/qrels"
    (folder / "test.txt").rename(folder / "train.txt")
    with pytest.raises(ConfigError, match="only the split train"):
        new_corpus("bicycles", Path("config"))
    (folder / "train.txt").unlink()
    with pytest.raises(ConfigError, match="bicycles/qrels: no qrels"):
        new_corpus("bicycles", Path("config"))
