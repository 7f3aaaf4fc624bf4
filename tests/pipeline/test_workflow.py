"""The whole workflow on the toy experiment: results, second runs, and reruns after an edit."""

import csv
import json
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from provider_server import Fault, ProviderServer
from provider_specs import KEY
from toy_experiment import TABLES, planned, snakemake

pytestmark = pytest.mark.workflow

GENERATED = ("zero-shot", "few-shot-unsupervised", "few-shot-supervised")
RANKERS = ("bi-encoder", "cross-encoder")
RANKING = {"bi-encoder": "search_testset", "cross-encoder": "rerank_testset"}
TESTSETS = ("gardens", "kitchens")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def downstream(recipe: str, llm: str, rankers: tuple[str, ...] = RANKERS, seed: int = 1) -> set[str]:
    """Return the jobs that follow from a recipe's training set."""
    jobs = {"make_tables"}
    for ranker in rankers:
        if recipe != "none":
            jobs.add(f"train_ranker {recipe} {llm} {ranker} {seed}")
        jobs |= evaluation(recipe, llm, ranker, TESTSETS, seed)
    return jobs


def evaluation(recipe: str, llm: str, ranker: str, testsets: Iterable[str], seed: int = 1) -> set[str]:
    """Return the jobs that rank and measure test sets with one model."""
    rules = RANKING[ranker], "score_testset"
    return {f"{rule} {testset} {recipe} {llm} {ranker} {seed}" for rule in rules for testset in testsets}


def written(paradigm: str, seed: int = 1) -> set[str]:
    """Return the jobs from the replies of a generated paradigm to the run over its passages."""
    draw = draw_of(paradigm, seed)
    return {
        f"filter_passages gardens {paradigm} {draw} echo",
        f"index_bm25 passages/gardens/{paradigm}/draw-{draw}/echo bm25",
        f"search_bm25 passages/gardens/{paradigm}/draw-{draw}/echo bm25 train",
    }


def draw_of(paradigm: str, seed: int = 1) -> int:
    """Return the draw of a paradigm's passages: seeds share those of a prompt without exemplars."""
    return 0 if paradigm == "zero-shot" else seed


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
    path.write_text(text.replace(old, new))


def test_tables_hold_every_system_once(finished: Path) -> None:
    systems = {
        ("bm25", "none", "none"),
        *((ranker, "none", "none") for ranker in ("bi-encoder", "cross-encoder", "cross-encoder+first-stage")),
        *((ranker, "human", "none") for ranker in ("bi-encoder", "cross-encoder", "cross-encoder+first-stage")),
        *((ranker, "enriched", "echo") for ranker in ("bi-encoder", "cross-encoder", "cross-encoder+first-stage")),
    }
    for name, testsets in (("id", {"gardens"}), ("ood", {"kitchens"})):
        table = rows(finished / f"results/tables/{name}.csv")
        assert {row["testset"] for row in table} == testsets
        keys = [(row["ranker"], row["recipe"], row["llm"], row["measure"]) for row in table]
        assert len(keys) == len(set(keys)) == len(systems) * 2, "lists of 10 and 20 have no Recall@100"
        assert {key[:3] for key in keys} == systems
        for row in table:
            assert float(row["ci_low"]) <= float(row["mean"]) <= float(row["ci_high"])
            assert row["queries"] == {"gardens": "8", "kitchens": "12"}[row["testset"]]


def test_table_values_come_from_the_runs(finished: Path) -> None:
    run = finished / "results/runs/testsets/kitchens/human/none/bi-encoder/seed-1.trec"
    best = {}
    for line in run.read_text().splitlines():
        query, _, passage, place, _, _ = line.split()
        best.setdefault(query, {})[passage] = int(place)
    dishes = [json.loads(line)["_id"] for line in (finished / "data/kitchens/queries.jsonl").open()]
    relevant = dict(
        line.split("\t")[:2] for line in (finished / "data/kitchens/qrels/test.tsv").read_text().splitlines()[1:]
    )
    reciprocal = [1 / place if (place := best[query].get(relevant[query], 99)) <= 10 else 0 for query in dishes]
    shown = [
        float(row["mean"])
        for row in rows(finished / "results/tables/ood.csv")
        if (row["ranker"], row["recipe"], row["measure"]) == ("bi-encoder", "human", "MRR@10")
    ]
    assert shown == [pytest.approx(sum(reciprocal) / len(dishes), abs=1e-4)]


def test_the_fused_run_sums_reciprocal_ranks_of_reranker_and_first_stage(finished: Path) -> None:
    def places(path: Path) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for line in path.read_text().splitlines():
            query, _, passage, place, _, _ = line.split()
            found.setdefault(query, {})[passage] = int(place)
        return found

    folder = finished / "results/runs/testsets/gardens/human/none/cross-encoder"
    reranked = places(folder / "seed-1.trec")
    first = places(finished / "results/runs/corpora/gardens/bm25/test.trec")
    assert reranked != {query: dict(list(found.items())[:10]) for query, found in first.items()}
    for query, fused in places(folder / "seed-1+first-stage.trec").items():
        score = {
            passage: sum(1 / (10 + found[query][passage]) for found in (reranked, first) if passage in found[query])
            for passage in fused
        }
        assert list(fused) == sorted(fused, key=lambda passage: (-score[passage], passage))


def test_no_test_answer_is_ever_seen_in_training(finished: Path) -> None:
    held_out = {line.split()[2] for line in (finished / "results/corpora/gardens/test/qrels.txt").open()}
    assert len(held_out) == 8
    for path in (finished / "results/trainsets").rglob("groups.jsonl"):
        for line in path.open():
            assert not {item["id"] for item in json.loads(line)["candidates"]} & held_out, path
    for path in (finished / "results/passages").rglob("exemplars.jsonl"):
        assert not {json.loads(line)["id"] for line in path.open()} & held_out, path
    titles = finished / "results/queries/gardens/titles/queries.jsonl"
    assert not {json.loads(line)["source"] for line in titles.open()} & held_out


def test_models_are_safetensors_only(finished: Path) -> None:
    files = {path.suffix for path in (finished / "results/checkpoints").rglob("*") if path.is_file()}
    assert ".safetensors" in files
    assert not files & {".bin", ".pt", ".pth", ".pkl", ".ckpt"}


def test_a_second_run_does_nothing(finished: Path) -> None:
    assert "Nothing to be done" in snakemake(finished, "--cores", "2", "--", *TABLES).stdout


def test_an_edited_prompt_reruns_its_dependents(edited: Path) -> None:
    edit(edited / "config/prompts/passage-zero-shot.md", "Write one passage", "Write a passage")
    assert planned(edited) == {
        "write_requests gardens zero-shot 0",
        "generate_passages gardens zero-shot 0 echo",
        *written("zero-shot"),
        "pair_trainset enriched echo 1",
        *downstream("enriched", "echo"),
    }


def test_an_edited_recipe_reruns_its_dependents(edited: Path) -> None:
    edit(edited / "config/recipes/human.yaml", "queries: 12", "queries: 11")
    assert planned(edited) == {"pair_trainset human none 1", *downstream("human", "none")}


def test_an_edited_ranker_reruns_its_dependents(edited: Path) -> None:
    edit(edited / "config/rankers/bi-encoder.yaml", "learning_rate: 1.0e-3", "learning_rate: 2.0e-3")
    expected = set()
    for recipe, llm in (("none", "none"), ("human", "none"), ("enriched", "echo")):
        expected |= downstream(recipe, llm, ("bi-encoder",))
    assert planned(edited) == expected


def test_change_of_a_rankers_use_trains_nothing(edited: Path) -> None:
    edit(edited / "config/rankers/bi-encoder.yaml", "depth: 20", "depth: 19 # of those in a block")
    assert not {job for job in planned(edited) if job.startswith("train_ranker")}
    edit(edited / "config/rankers/cross-encoder.yaml", "depth: 10", "depth: 9")
    expected = set()
    for recipe, llm in (("none", "none"), ("human", "none"), ("enriched", "echo")):
        expected |= downstream(recipe, llm)
    assert planned(edited) == {job for job in expected if not job.startswith("train_ranker")}


def test_new_seed_runs_only_that_seed(edited: Path) -> None:
    edit(edited / "config/config.yaml", "seeds: [1]", "seeds: [1, 2]")
    expected = {"train_ranker warm-up none warm 2", "pair_trainset human none 2", "pair_trainset enriched echo 2"}
    for paradigm in ("few-shot-unsupervised", "few-shot-supervised"):
        expected |= {f"write_requests gardens {paradigm} 2", f"generate_passages gardens {paradigm} 2 echo"}
        expected |= written(paradigm, seed=2)
    expected |= downstream("none", "none", ("cross-encoder",), seed=2)  # seeds do not change the untrained bi-encoder
    for recipe, llm in (("human", "none"), ("enriched", "echo")):
        expected |= downstream(recipe, llm, seed=2)
    assert planned(edited) == expected


def test_new_test_set_runs_only_that_test_set(edited: Path) -> None:
    shutil.copy(edited / "config/corpora/kitchens.yaml", edited / "config/corpora/diner.yaml")
    (edited / "config/testsets/diner.yaml").write_text("corpus: diner\nsplit: test\n")
    (edited / "config/suites/toy.yaml").write_text("testsets: [gardens, kitchens, diner]\n")
    expected = {"build_passages diner", "build_queries diner test", "index_bm25 corpora/diner bm25", "make_tables",
                "search_bm25 corpora/diner bm25 test", "score_first_stage diner bm25"}  # fmt: skip
    for ranker in RANKERS:
        for recipe, llm in (("none", "none"), ("human", "none"), ("enriched", "echo")):
            expected |= evaluation(recipe, llm, ranker, ["diner"])
    assert planned(edited) == expected


def test_a_second_test_set_of_a_collection_shares_its_vectors(edited: Path) -> None:
    """Vectors are deleted after the searches, so the first one is searched again; rerankers rank only the new one."""
    shutil.copy(edited / "config/testsets/kitchens.yaml", edited / "config/testsets/cooks.yaml")
    (edited / "config/suites/toy.yaml").write_text("testsets: [gardens, kitchens, cooks]\n")
    expected = {"make_tables", "score_first_stage cooks bm25"}
    for recipe, llm in (("none", "none"), ("human", "none"), ("enriched", "echo")):
        expected.add(f"encode_collection kitchens {recipe} {llm} bi-encoder 1 1-of-1")
        expected |= evaluation(recipe, llm, "bi-encoder", ["kitchens", "cooks"])
        expected |= evaluation(recipe, llm, "cross-encoder", ["cooks"])
    assert planned(edited) == expected


def test_comments_docstrings_and_times_rerun_nothing(edited: Path) -> None:
    for path in (edited / "src/synthrank").rglob("*.py"):
        path.write_text(path.read_text() + "\n# A remark.\n")
    edit(edited / "src/synthrank/data/trec.py", "Sort (passage id, score) pairs", "Arrange (passage id, score) pairs")
    for path in sorted(edited.rglob("*")):
        if ".snakemake" not in path.parts and "results" not in path.relative_to(edited).parts:
            os.utime(path)
    os.utime(edited / "config/prompts/passage-zero-shot.md", (1, 1))
    assert planned(edited) == set()


def test_changed_code_reruns_its_steps(edited: Path) -> None:
    edit(edited / "src/synthrank/llms/parsing/passage.py", 'finish_reason == "length"', 'finish_reason == "limit"')
    expected = {"pair_trainset enriched echo 1", *downstream("enriched", "echo")}
    for paradigm in GENERATED:
        expected |= {f"generate_passages gardens {paradigm} {draw_of(paradigm)} echo", *written(paradigm)}
    assert planned(edited) == expected


def test_changed_excluded_passages_rerun_their_readers(edited: Path) -> None:
    path = edited / "results/corpora/gardens/train/excluded.txt"
    held_out = {line.split()[2] for line in (edited / "results/corpora/gardens/test/qrels.txt").open()}
    assert path.read_text().splitlines() == sorted(held_out)
    os.utime(path)
    assert planned(edited) == set()
    path.write_text(path.read_text() + "one-more\n")
    rules = {job.split()[0] for job in planned(edited)}
    assert {"collect_passages", "take_titles", "write_requests", "pair_trainset", "distil_trainset"} <= rules
    assert not rules & {"exclude_passages", "build_queries", "score_first_stage"}


def test_changed_table_code_reruns_only_tables(edited: Path) -> None:
    edit(edited / "src/synthrank/steps/tables/small_table.py", 'MARK = "†"', 'MARK = "*"')
    assert planned(edited) == {"make_tables"}


def test_changed_intervals_rerun_only_tables(edited: Path) -> None:
    config = edited / "config/config.yaml"
    edit(config, "intervals: {resamples: 200}", "intervals: {resamples: 123}")
    assert planned(edited) == {"make_tables"}


def test_a_failure_is_one_line_and_leaves_nothing(edited: Path) -> None:
    corpus = edited / "data/kitchens/corpus.jsonl"
    corpus.write_text(corpus.read_text() + corpus.read_text().splitlines()[0] + "\n")
    (edited / "results/corpora/kitchens/passages.jsonl").unlink()
    done = snakemake(edited, "--cores", "2", "--", *TABLES, check=False)
    assert done.returncode != 0
    errors = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "kitchens" in errors[0]
    assert "cook-soup" in errors[0]
    assert "Traceback" not in done.stdout
    assert not (edited / "results/corpora/kitchens/passages.jsonl").exists()
    assert not [path for path in (edited / "results/corpora/kitchens").iterdir() if path.name.startswith(".passages")]


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("config/config.yaml", "rankers: [cross-encoder,", "rankers: [cross-encodr,", "did you mean 'cross-encoder'?"),
        ("config/rankers/warm.yaml", "epochs: 1", "epoch: 1", "optimiser.epoch"),
        ("config/recipes/human.yaml", "human, queries", "humane, queries", "did you mean 'human'?"),
        ("config/testsets/kitchens.yaml", "split: test", "split: dev", "has no split 'dev' (known: test)"),
    ],
)
def test_a_wrong_configuration_is_one_line(edited: Path, path: str, old: str, new: str, said: str) -> None:
    edit(edited / path, old, new)
    done = snakemake(edited, "--dry-run", "--", *TABLES, check=False)
    assert done.returncode != 0
    assert said in done.stdout
    assert "Traceback" not in done.stdout
    assert len(re.findall(r"config/\S+\.yaml|experiment:", done.stdout)) >= 1


def test_replies_are_stored_and_not_asked_again(edited: Path) -> None:
    target = "results/passages/gardens/zero-shot/draw-0/echo/replies.jsonl"
    before = (edited / target).read_bytes()
    snakemake(edited, "--cores", "2", "--forcerun", "generate_passages", "--", target)
    log = edited / "results/logs/generate_passages/gardens/zero-shot/draw-0/echo/replies.log"
    assert "0 of 14 requests new, 14 from the store" in log.read_text()
    assert (edited / target).read_bytes() == before


def test_the_tables_of_replies_and_costs(edited: Path) -> None:
    snakemake(edited, "--cores", "2", "--", "results/tables/cost.csv")
    costs, counts = (rows(edited / f"results/tables/{name}.csv") for name in ("cost", "replies"))
    assert [(row["corpus"], row["kind"], row["paradigm"], row["llm"]) for row in costs] == [
        ("gardens", "passages", paradigm, "echo") for paradigm in GENERATED
    ]
    assert [row["requests"] for row in costs] == ["14"] * 3
    assert {row["actual_usd"] for row in costs} == {"0.0"}
    for row in counts:
        kinds = ("well-formed", "repaired", "malformed", "refused", "truncated", "blocked")
        assert sum(int(row[kind]) for kind in kinds) == int(row["replies"]) >= 14
        assert row["prompt"] == f"passage-{row['paradigm']}"


def test_missing_key_stops_the_workflow_before_the_first_job(edited: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOY_KEY", raising=False)
    wanted = "results/passages/gardens/zero-shot/draw-0/served/passages.jsonl"
    (edited / "config/llms/served.yaml").write_text(
        "backend: openai\nmodel: toy\nkey_variable: TOY_KEY\nbase_url: http://localhost:9/v1\n"
        "price: {listed: 2026-01-01, input: 1, cached_input: 1, output: 1}\n"
    )
    snakemake(edited, "--dry-run", "--", wanted)
    stopped = snakemake(edited, "--cores", "2", "--", wanted, check=False)
    assert stopped.returncode
    assert "TOY_KEY is not set (needed by config/llms/served.yaml); run: export TOY_KEY=" in stopped.stdout
    assert "Traceback" not in stopped.stdout
    assert not (edited / "results/logs/generate_passages/gardens/zero-shot/draw-0/served").exists()


def test_key_is_stored_nowhere_and_budget_stops_the_workflow(edited: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_KEY", KEY)
    wanted = "results/passages/gardens/zero-shot/draw-0/served/passages.jsonl"
    with ProviderServer(faults=[Fault("bad-key", first=1, last=1, share=0.2), Fault("429", share=0.3)]) as server:
        (edited / "config/llms/served.yaml").write_text(
            f"backend: openai\nmodel: toy\nkey_variable: TOY_KEY\nbase_url: {server.url}/v1\nlimits: {{attempts: 4}}\n"
            "price: {listed: 2026-01-01, input: 1, cached_input: 1, output: 1}\n"
        )
        stopped = snakemake(edited, "--cores", "2", "--config", "budget_usd=0", "--", wanted, check=False)
        assert "error: budget_usd: $0.0000 of $0.00 is spent" in stopped.stdout
        assert not server.asked
        refused = snakemake(edited, "--cores", "2", "--", wanted, check=False)
        assert refused.returncode
        assert re.search(r"^error: .*TOY_KEY", refused.stdout, re.MULTILINE)
        done = snakemake(edited, "--cores", "2", "--", wanted)
        answered = sum(1 for _ in (edited / "results/passages/gardens/zero-shot/draw-0/served/replies.jsonl").open())
        assert answered >= 14
    assert KEY not in stopped.stdout + refused.stdout + done.stdout
    for path in edited.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
