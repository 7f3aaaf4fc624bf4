"""Released models: the card's Python code loads them with other libraries and gives the same scores."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tiny_models import tiny_encoder, tiny_llm, tiny_t5

from synthrank.config.base import load
from synthrank.config.rankers import RankerSpec
from synthrank.data.files import sha256_of, write_jsonl
from synthrank.data.records import Passage, Query
from synthrank.data.scores import Score, write_scores
from synthrank.errors import ModelError
from synthrank.rankers import open_ranker
from synthrank.rankers.base import Collection
from synthrank.rankers.cosine import open_encoder
from synthrank.rankers.cross_encoder import open_pair_model
from synthrank.steps import releases
from synthrank.steps.releases.release_model import release_model
from synthrank.steps.releases.usage import PASSAGES, QUERY
from synthrank.vectors.encoder import open_bi_encoder

TEMPLATE = Path(releases.__file__).with_name("models.md.j2")
COMMON = "base: {model: tiny}\nmax_length: 48\noptimiser: {learning_rate: 1.0e-3, epochs: 1, batch_size: 4}\n"
PAIRS = COMMON + "loss: lambda\nrerank: {retriever: bm25, depth: 10}\n"
RANKERS = {
    "searcher": f"architecture: bi-encoder\n{COMMON}loss: multiple-negatives\nquery_prefix: 'query: '\n"
    "passage_prefix: 'passage: '\n",
    "one": f"architecture: cross-encoder\n{PAIRS}",
    "two": f"architecture: cross-encoder\n{PAIRS}labels: 2\n",
    "two-softmax": f"architecture: cross-encoder\n{PAIRS}labels: 2\nscore: softmax\n",
    "t5": f"architecture: seq2seq\n{PAIRS}score: difference\n",
    "t5-softmax": f"architecture: seq2seq\n{PAIRS}score: softmax\n",
    "t5-extra": f"architecture: seq2seq\n{PAIRS}score: extra-id\n",
    "decoder": f"architecture: decoder\n{PAIRS}positive: y\nnegative: n\nlora: {{rank: 2, alpha: 4}}\n",
    "decoder-softmax": f"architecture: decoder\n{PAIRS}positive: y\nnegative: n\nscore: softmax\n",
    "decoder-searcher": f"architecture: bi-encoder\n{COMMON}loss: multiple-negatives\npooling: last\n",
    "second": f"architecture: cross-encoder\n{PAIRS}".replace("{model: tiny}", "{recipe: warm-up, ranker: one}"),
}
RECIPE = """kind: pairs
corpus: toy
positives: [{paradigm: zero-shot, queries: 12}]
negatives: {source: human, retriever: bm25}
"""
TRAINING = {
    "ranker": "one",
    "base": {"model": "tiny", "source": {"entity": {"path": "/home/somebody/tiny"}}},
    "seed": 7,
}


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """Return a function that writes and caches the checkpoint of a ranker with the code that saves after training."""
    folder = tmp_path_factory.mktemp("checkpoints")
    bases = {"t5": tiny_t5(folder / "t5"), "decoder": tiny_llm(folder / "decoder")}
    encoder = tiny_encoder(folder / "encoder")

    def make(name, spec):
        path = folder / f"checkpoint-{name}"
        if path.exists():
            return path
        if name == "searcher":
            tiny_encoder(path)
        elif name == "decoder-searcher":
            open_bi_encoder(bases["decoder"], pooling="last").save_pretrained(str(path), create_model_card=False)
        else:
            open_pair_model(spec, bases.get(name.split("-")[0], encoder), 7).save_as_base(path)
        (path / "training.json").write_text(json.dumps(TRAINING))
        (path / "loss.csv").write_text("update,loss\n1,0.5\n")
        (path / "pytorch_model.bin").write_bytes(b"a pickle")
        (path / "1_Odd").mkdir()
        (path / "1_Odd/optimizer.pt").write_bytes(b"a pickle")
        return path

    return make


@pytest.fixture
def release(tmp_path, checkpoint):
    """Return a function that releases a ranker and returns the folder and the card."""
    for name, text in {
        **{f"rankers/{name}": text for name, text in RANKERS.items()},
        "models/tiny": "source: hub\nrepo: someone/tiny\nrevision: abc123\n",
        "models/own": "source: folder\npath: /home/somebody/tiny\n",
        "recipes/zero-shot": RECIPE,
        "llms/echo": "backend: echo\n",
    }.items():
        (tmp_path / name).with_suffix(".yaml").parent.mkdir(exist_ok=True)
        (tmp_path / name).with_suffix(".yaml").write_text(text)
    (tmp_path / "stats.json").write_text(json.dumps({"zero-shot": {"groups": 5, "queries_replaced": 1}}))

    def run(name="one", pretrained="tiny", llm=True, recipe="zero-shot@5", path=None):
        spec = load(RankerSpec, tmp_path / f"rankers/{name}.yaml")
        write_scores(tmp_path / "m.csv", [
            Score(system, "zero-shot@5", "echo", "7", testset, measure, query, value)
            for system in (name, f"{name}+bm25")
            for testset in ("cooking", "gardens")
            for measure in ("nDCG@10", "MRR@10")
            for query, value in (("q1", 0.25), ("q2", 0.5 if system == name else 1.0))
        ])  # fmt: skip
        release_model(
            checkpoint=path or checkpoint(name, spec), ranker=tmp_path / f"rankers/{name}.yaml",
            bases=[tmp_path / "rankers/one.yaml"] if name == "second" else [],
            pretrained=tmp_path / f"models/{pretrained}.yaml", recipe=recipe,
            spec=tmp_path / "recipes/zero-shot.yaml", stats=tmp_path / "stats.json",
            llm=[tmp_path / "llms/echo.yaml"] if llm else [], weights=[], seed=7, metrics=[tmp_path / "m.csv"],
            template=TEMPLATE, release=tmp_path / "release",
        )  # fmt: skip
        return tmp_path / "release", (tmp_path / "release/README.md").read_text(encoding="utf-8")

    return run


def scored_here(folder, path, name):
    """Return the scores of the card's passages from the code that writes runs."""
    write_jsonl(folder / "p.jsonl", [Passage(str(place), text) for place, text in enumerate(PASSAGES)])
    spec = load(RankerSpec, folder / f"rankers/{name}.yaml")
    if spec.rerank is None:
        searcher = open_encoder(spec, path)
        return (searcher.passages(PASSAGES) @ searcher.queries([QUERY])[0]).tolist()
    first = {"q": [(str(place), -float(place)) for place in range(len(PASSAGES))]}
    run = open_ranker(spec, path, 7).rank(Collection((Query("q", QUERY),), folder / "p.jsonl", first))
    scores = dict(run["q"])
    return [scores[str(place)] for place in range(len(PASSAGES))]


@pytest.mark.parametrize("name", [name for name in RANKERS if name != "second"])
@pytest.mark.usefixtures("one_thread")
def test_code_of_the_model_card_gives_our_scores(release, tmp_path, monkeypatch, capsys, name):
    folder, card = release(name)
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    monkeypatch.chdir(folder)
    capsys.readouterr()
    exec(compile(code, "README.md", "exec"), {})
    printed = json.loads(capsys.readouterr().out)
    assert printed == pytest.approx(scored_here(tmp_path, folder, name), rel=1e-4, abs=1e-6)
    assert printed[0] != pytest.approx(printed[1], abs=1e-6), "the passages have different scores"
    head = yaml.safe_load(card.split("---\n")[1])
    searches = name.endswith("searcher")
    plain = name.startswith(("t5", "decoder")) and not searches
    assert head["library_name"] == ("transformers" if plain else "sentence-transformers")
    assert head["pipeline_tag"] == ("sentence-similarity" if searches else "text-ranking")


def test_release_model_copies_only_files_needed_for_loading(release):
    folder, card = release()
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files >= {"README.md", "sha256.txt", "model.safetensors", "config.json", "training.json", "loss.csv"}
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pkl"))], "no pickle"
    done = subprocess.run(["sha256sum", "--strict", "-c", "sha256.txt"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, len(files) - 1)
    assert json.loads((folder / "training.json").read_text())["base"] == {"model": "tiny", "source": {"entity": {}}}
    for path in folder.rglob("*"):
        for private in (b"/home/somebody", str(folder.parent).encode()):
            assert path.is_dir() or private not in path.read_bytes(), path
    before = {name: sha256_of(folder / name) for name in files}
    release()
    assert {name: sha256_of(folder / name) for name in files} == before, "a second release is identical"
    assert "[ ]" in card


def test_release_model_card_lists_provenance(release):
    _, card = release("second")
    assert yaml.safe_load(card.split("---\n")[1])["base_model"] == "someone/tiny"
    assert "# second, trained on zero-shot@5 of echo, seed 7\n" in card
    parts = dict(re.findall(r"^([^\n]+):\n\n```yaml\n(.*?)\n```", card, re.MULTILINE | re.DOTALL))
    assert list(parts) == [
        "The ranker `second`", "The base ranker `one`", "The pretrained model `tiny`",
        "The recipe `zero-shot@5`", "The language model `echo`",
    ]  # fmt: skip
    assert yaml.safe_load(parts["The recipe `zero-shot@5`"])["positives"][0]["queries"] == 5, (
        "@5 replaces the number of the file"
    )
    settings = yaml.safe_load(parts["The ranker `second`"])
    assert settings["optimiser"]["schedule"] == "linear", "defaults are listed"
    assert "| zero-shot: groups | 5 |\n| zero-shot: queries replaced | 1 |\n" in card
    scores = card.split("## Scores")[1]
    assert "| test set | system | queries | nDCG@10 | MRR@10 |\n|---|---|---|---|---|\n" in scores
    assert "| cooking | second | 2 | 0.3750 | 0.3750 |\n" in scores
    assert "| gardens | second+bm25 | 2 | 0.6250 | 0.6250 |\n" in scores
    assert card.count("- [ ]") == 4
    assert "it may prefer text of language models" in card


def test_release_model_card_lists_the_selection(release, checkpoint, tmp_path):
    assert "How its settings were chosen" not in release()[1]
    trials = [
        {"learning_rate": 2e-5, "epochs": None, "updates": 63, "value": 0.25, "chosen": False},
        {"learning_rate": 1e-4, "epochs": None, "updates": 63, "value": 0.375, "chosen": True},
    ]
    record = {"split": "toy/dev", "queries": 12, "measure": "nDCG@10", "retriever": "bm25", "depth": 100,
            "trainings": 2, "updates_to_last_point": 126, "trials": trials}  # fmt: skip
    path = shutil.copytree(checkpoint("one", load(RankerSpec, tmp_path / "rankers/one.yaml")), tmp_path / "chosen")
    (path / "selection.json").write_text(json.dumps(record))
    folder, card = release(path=path)
    assert "On the development split toy/dev, 12 queries, which is no test set" in card
    assert "| 2e-05 | 63 | 0.2500 |  |" in card
    assert "| 0.0001 | 63 | 0.3750 | chosen |" in card
    assert json.loads((folder / "selection.json").read_text()) == record


def test_release_model_card_without_an_llm(release):
    _, card = release(pretrained="own", llm=False, recipe="human")
    assert "# one, trained on human, seed 7\n" in card
    assert "base_model" not in card, "a local folder is not on the hub"
    assert "/home/somebody" not in card
    assert card.count("- [ ]") == 3
    assert "language model" not in card.split("## Training set")[0].split("## Intended use")[1]


def test_release_model_refuses_a_checkpoint_without_safetensors(release, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(ModelError, match=r"empty: no safetensors; a release needs the weights of a trained model$"):
        release(path=tmp_path / "empty")
    assert not (tmp_path / "release").exists()
