"""Settings are chosen on the development split: by an independent measure the kept model is the best of the grid."""

import json
import math
from functools import partial

import pytest
import toy_task as toy
from safetensors.torch import load_file
from tiny_models import tiny_t5

from synthrank.config.base import load
from synthrank.config.rankers import RankerSpec, Rerank
from synthrank.config.training import Selection
from synthrank.data.files import write_jsonl
from synthrank.data.records import Judgment, Query
from synthrank.data.trec import read_qrels, read_run, write_qrels
from synthrank.errors import BudgetError, ConfigError
from synthrank.rankers import open_ranker, trainers
from synthrank.rankers.base import Collection
from synthrank.rankers.development import open_development
from synthrank.steps.checkpoints import selecting
from synthrank.steps.checkpoints.selecting import Trial, best
from synthrank.steps.checkpoints.train_ranker import train_ranker

pytestmark = pytest.mark.usefixtures("one_thread")

RATES = (1e-4, 3e-3, 3e-2)
GRID = {"learning_rates": list(RATES), "epochs": [1, 2.5, 3], "measure": "nDCG@4", "retriever": "bm25", "depth": 4}


@pytest.fixture(scope="module")
def bases(tmp_path_factory, encoder):
    t5 = tiny_t5(tmp_path_factory.mktemp("t5") / "t5")
    return {"cross-encoder": encoder, "bi-encoder": encoder, "seq2seq": t5}


@pytest.fixture(scope="module")
def development(tmp_path_factory):
    return toy.development(tmp_path_factory.mktemp("development") / "corpora/toy/dev")


@pytest.fixture(scope="module")
def step(bases, development):
    """Return a function that runs the step in a folder; with ``kill``, it is interrupted after that many updates."""

    def do(work, name, architecture="cross-encoder", selection=GRID, kill=None, files=development, **optimiser):
        done = 0

        def on_step_end(self, args, state, control, **_):
            nonlocal done
            real(self, args, state, control)
            done += 1
            if done == kill:
                raise KeyboardInterrupt

        real = trainers.ProgressCallback.on_step_end
        # 6 batches and 3 updates per epoch, 9 updates in total
        settings = {"learning_rate": 3e-3, "epochs": 3, "batch_size": 2, "accumulation": 2, **optimiser}
        loss = "multiple-negatives" if architecture == "bi-encoder" else "ranknet"
        changed = {"selection": selection} if selection else {}
        spec = toy.spec(architecture, loss, optimiser=settings, **changed)
        (work / "ranker.yaml").write_text(json.dumps(spec.model_dump(mode="json", exclude_defaults=True)
                                                     | {"architecture": architecture}))  # fmt: skip
        write_jsonl(work / "groups.jsonl", toy.groups(12))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(trainers.ProgressCallback, "on_step_end", on_step_end)
            train_ranker(trainset=work / "groups.jsonl", spec=work / "ranker.yaml", base=bases[architecture],
                         seed=1, checkpoint=work / name / "seed-1",
                         development=files if selection else [])  # fmt: skip
        return work / name / "seed-1"

    return do


@pytest.fixture
def job(step, tmp_path):
    """Return :func:`step` in the folder of the test."""
    return partial(step, tmp_path)


@pytest.fixture(scope="module")
def whole(step, tmp_path_factory):
    """Return the checkpoint of a cross-encoder whose selection was not interrupted."""
    return step(tmp_path_factory.mktemp("whole"), "whole")


@pytest.fixture
def tried(monkeypatch):
    """Return a list to which the learning rate of every training is appended."""
    rates, real = [], selecting.train

    def train(spec, *rest, **named):
        rates.append(spec.optimiser.learning_rate)
        return real(spec, *rest, **named)

    monkeypatch.setattr(selecting, "train", train)
    return rates


def record_of(folder, name="selection.json"):
    return json.loads((folder / name).read_text())


def weights(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*.safetensors")}


def ndcg(spec, folder, files):
    """Return the mean nDCG@4 of binary judgments with one relevant passage per query, from its definition."""
    queries, qrels, passages, run = files
    spec = spec.model_copy(update={"rerank": Rerank(retriever="bm25", depth=4)})
    texts = tuple(Query(**json.loads(line)) for line in queries.read_text().splitlines())
    ranked = open_ranker(spec, folder, 1).rank(Collection(texts, passages, read_run(run)))
    gains = []
    for query, grades in read_qrels(qrels).items():
        (relevant,) = grades
        place = [name for name, _ in ranked[query]].index(relevant) + 1
        gains.append(1 / math.log2(place + 1))
    return sum(gains) / len(gains)


@pytest.mark.parametrize("architecture", ["cross-encoder", "bi-encoder", "seq2seq"])
def test_train_ranker_with_selection_keeps_the_best_model(job, whole, development, architecture):
    folder = whole if architecture == "cross-encoder" else job("out", architecture)
    made = record_of(folder)
    trials = [(item["learning_rate"], item["epochs"], item["updates"]) for item in made["trials"]]
    assert trials == [(rate, *point) for rate in RATES for point in ((1.0, 3), (2.6667, 8), (3.0, 9))]
    (chosen,) = [item for item in made["trials"] if item["chosen"]]
    values = [item["value"] for item in made["trials"]]
    assert chosen["value"] == max(values) > min(values)
    spec = load(RankerSpec, folder.parents[1] / "ranker.yaml")
    assert ndcg(spec, folder, development) == pytest.approx(chosen["value"], abs=1e-6)
    assert (made["split"], made["queries"], made["measure"], made["retriever"]) == ("toy/dev", 12, "nDCG@4", "bm25")
    assert (made["trainings"], made["updates_to_last_point"]) == (3, 27)
    record = record_of(folder, "training.json")
    assert record["updates"] == chosen["updates"]
    assert record["settings"]["selection"]["learning_rates"] == list(RATES)
    last = (folder / "loss.csv").read_text().splitlines()[-1]
    assert int(last.split(",")[0]) <= chosen["updates"]
    names = {path.name for path in folder.iterdir()}
    assert {"selection.json", "training.json", "loss.csv"} < names
    assert not [name for name in names if name.startswith((".", "rate", "update"))], "trials are removed"


@pytest.mark.parametrize("architecture", ["cross-encoder", "bi-encoder", "seq2seq"])
def test_train_ranker_with_selection_leaves_the_training_unchanged(job, architecture):
    plain = job("plain", architecture, selection=None)
    grid = {**GRID, "learning_rates": [3e-3], "epochs": [], "updates": [9]}
    selected = job("selected", architecture, selection=grid)
    assert weights(selected) == weights(plain)
    assert (selected / "loss.csv").read_text() == (plain / "loss.csv").read_text()
    # an intermediate point does not change the training either
    values = record_of(job("both", architecture, selection=grid | {"updates": [4, 9]}))["trials"]
    assert values[-1]["value"] == record_of(selected)["trials"][0]["value"]


@pytest.mark.parametrize("kill", [5, 20])
def test_train_ranker_resumes_an_interrupted_selection(job, whole, tried, tmp_path, kill):
    """Finished rates are not trained again."""
    with pytest.raises(KeyboardInterrupt):
        job("killed", save_every=2, kill=kill)
    (state,) = (tmp_path / "killed").iterdir()
    assert state.name.startswith(".seed-1.state-")
    done = (kill - 1) // 9
    assert len(list(state.glob("rate-*.json"))) == done
    tried.clear()
    resumed = job("killed", save_every=2)
    assert tried == list(RATES[done:])
    assert weights(resumed) == weights(whole)
    assert record_of(resumed) == record_of(whole)
    assert [path.name for path in resumed.parent.iterdir()] == ["seed-1"], "the states are gone"


def test_train_ranker_restarts_a_selection_if_the_development_split_changes(job, development, tried):
    with pytest.raises(KeyboardInterrupt):
        job("killed", save_every=2, kill=10)
    assert tried == list(RATES[:2]), "the first rate is finished"
    tried.clear()
    qrels = development[1].read_text().splitlines(keepends=True)
    fewer = development[1].with_name("fewer.txt")
    fewer.write_text("".join(qrels[1:]))
    job("killed", save_every=2, files=[development[0], fewer, *development[2:]])
    assert tried == list(RATES)


def test_train_ranker_with_other_judgments_selects_another_model(job, whole, development):
    wrong = development[1].with_name("wrong.txt")
    run = read_run(development[3])
    write_qrels(wrong, [Judgment(query, ranked[0][0], 1) for query, ranked in run.items()])
    assert weights(job("other", files=[development[0], wrong, *development[2:]])) != weights(whole)


def test_best_breaks_ties_by_updates_then_rate():
    trials = [Trial(2e-5, 2, 20, 0.5), Trial(2e-5, 1, 10, 0.5), Trial(1e-5, 1, 10, 0.5), Trial(1e-5, 2, 20, 0.4)]
    assert best(trials) == Trial(1e-5, 1, 10, 0.5)
    assert best([*trials, Trial(9e-5, 9, 90, 0.6)]).value == 0.6


def test_open_development_samples_judged_queries_by_seed(development):
    def drawn(**changed):
        grid = Selection(**{**GRID, **changed})
        found = open_development(*development, depth=grid.depth, most=grid.queries, seed=grid.seed)
        assert found.qrels.keys() == {query.id for query in found.collection.queries}
        return [query.id for query in found.collection.queries]

    assert len(drawn()) == len(drawn(queries=99)) == 12
    assert drawn(queries=3) == drawn(queries=5)[:3] != drawn(queries=3, seed=14)
    nothing = development[1].with_name("nothing.txt")
    nothing.write_text("q99 0 p99 1\n")
    with pytest.raises(BudgetError, match=r"nothing\.txt: no query of .*queries\.jsonl is judged"):
        open_development(development[0], nothing, *development[2:])


def test_train_ranker_refuses_a_point_beyond_the_training(job):
    with pytest.raises(ConfigError, match=r"^selection\.updates: 10 exceeds the 9 updates of this training"):
        job("out", selection={**GRID, "epochs": [], "updates": [2, 10]})


def test_train_ranker_with_selection_trains_with_the_chosen_rate(job):
    """Training with the chosen rate outside a selection gives the same weights."""
    made = job("grid", selection={**GRID, "learning_rates": list(RATES[1:]), "epochs": [3]})
    (chosen,) = [item for item in record_of(made)["trials"] if item["chosen"]]
    plain = job("plain", selection=None, learning_rate=chosen["learning_rate"])
    assert weights(made) == weights(plain)
    assert load_file(made / "model.safetensors").keys() == load_file(plain / "model.safetensors").keys()
