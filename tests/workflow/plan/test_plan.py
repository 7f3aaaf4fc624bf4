"""The cost of an experiment, counted from written requests or estimated from the files under config/."""

import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from distillation_study import make_config, make_study

from synthrank.config.base import read_yaml
from synthrank.config.rankings import Listwise, Pairwise, Pointwise, Setwise
from synthrank.config.study import Study
from synthrank.data.files import write_jsonl
from synthrank.data.records import Message, Reply, Request
from synthrank.errors import ConfigError
from synthrank.llms.base import request_key
from synthrank.llms.hosted import identity
from synthrank.llms.reranking.methods import sort_of
from synthrank.llms.store.pricing import cost_usd
from synthrank.llms.store.store import ReplyStore, folder_of
from synthrank.workflow.plan import Line, format_plan, plan
from synthrank.workflow.plan.question_counts import is_bound, shown_sizes

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def paper():
    return Study(PROJECT / "config", read_yaml(PROJECT / "config/paper.yaml"))


def test_plan_of_the_full_study_needs_no_data(paper, tmp_path):
    lines = list(plan(paper, tmp_path, tmp_path / "store"))
    assert all((line.mode, line.minutes) == ("batch", None) and line.usd > 0 for line in lines)
    passages = [line for line in lines if line.rule == "generate_passages"]
    assert {line.requests for line in passages} == {102_000}
    assert len({line.name for line in passages}) * 2 == len(passages), "each draw is requested once"
    # The 30 candidates of each of TWOLAR's 20 000 queries are one window.
    assert {line.requests for line in lines if line.name.startswith("twolar-20k/")} == {20_000}
    text = format_plan(lines, paper)
    total = next(line for line in text.splitlines() if line.startswith("total"))
    assert f"{sum(line.requests for line in lines):,}" in total
    cost = sum(line.usd for line in lines)
    assert f" {cost:.2f} " in total
    assert f"\nThis costs ${cost:.2f}: within the budget of ${paper.experiment.budget_usd:.2f}.\n" in text
    assert cost < paper.experiment.budget_usd < 1.7 * cost, "the budget is near the planned cost"


def test_plan_uses_the_mode_of_each_llm(paper, tmp_path):
    name = "gemini-2.5-flash"
    by_batch = list(plan(paper, tmp_path, tmp_path / "store"))
    paper.entities["llms"][name] = paper.entities["llms"][name].model_copy(update={"mode": "live"})
    lines = list(plan(paper, tmp_path, tmp_path / "store"))
    halves = sum(line.usd for line in by_batch if line.llm == name)
    assert sum(line.usd for line in lines) == pytest.approx(sum(line.usd for line in by_batch) + halves)
    assert {(line.mode, line.minutes) for line in lines if line.llm == name} == {("live", 102_000 * 4 / 64 / 60)}


@pytest.mark.parametrize(
    ("limit", "spent", "end"),
    [
        (None, 0.0, ": no budget is set."),
        (30.0, 0.0, ": within the budget of $30.00."),
        (
            20.0,
            0.0,
            ": over the budget of $20.00, so the run will stop early; reduce the requests, use mode: batch, or",
        ),
        (30.0, 5.25, ", in addition to $5.25 for stored replies: over the budget of $30.00, so the run"),
    ],
)
def test_format_plan_compares_the_cost_with_the_budget(paper, limit, spent, end):
    line = Line("generate_passages", "c", "p", "gpt-4.1-mini", 10, 0, 1, 1, "batch", 25.0, None, "estimated")
    experiment = paper.experiment.model_copy(update={"budget_usd": limit})
    paper.experiment = experiment
    assert f"This costs $25.00{end}" in format_plan([line], paper, spent)


def test_plan_counts_written_requests_and_stored_replies(paper, tmp_path):
    asked = [Request(f"q{place}", "why", (Message("user", f"why {place}?" * 20),)) for place in range(8)]
    write_jsonl(tmp_path / "passages/msmarco-passage/zero-shot/draw-0/requests.jsonl", asked)
    spec = paper.entities["llms"]["gpt-4.1-mini"]
    with ReplyStore(folder_of(tmp_path / "store", spec.model)) as store:
        for item in asked[:3]:
            key = request_key(identity(spec), item)
            store.add(Reply(item.query_id, "", 0, "so", "stop", 1, 1, spec.model, {}, item.messages, key=key))
    line = next(iter(plan(paper, tmp_path, tmp_path / "store")))
    assert (line.requests, line.stored, line.counted) == (8, 3, "yes")
    assert line.usd == pytest.approx(cost_usd(spec, asked[3:]), rel=0.05)


def test_plan_without_the_number_of_training_queries_is_refused(paper, tmp_path):
    corpus = paper.entities["corpora"]["msmarco-passage"]
    silent = corpus.model_copy(update={"train_queries": None, "counts": type(corpus.counts)()})
    paper.entities["corpora"]["msmarco-passage"] = silent
    with pytest.raises(ConfigError, match=r"msmarco-passage\.yaml: counts\.splits\.train\.queries: is missing"):
        list(plan(paper, tmp_path, tmp_path / "store"))


def test_the_command_prints_one_total():
    done = subprocess.run(
        [sys.executable, "scripts/plan.py", "--config", "config/paper.yaml"],
        cwd=PROJECT, env={"PYTHONPATH": "src", "PATH": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.count("\ntotal ") == 1
    assert "No request was sent." in done.stdout
    assert re.search(r"^This costs \$\d+\.\d\d: within the budget of \$250\.00\.$", done.stdout, re.MULTILINE)


def test_the_command_reads_only_the_given_file(tmp_path):
    """Keys that the file lacks do not come from the default experiment. Snakemake does not add them either."""
    (tmp_path / "own.yaml").write_text(
        "llms: []\nrecipes: [human]\nrankers: [bi-encoder]\nseeds: [1]\nsuites: [faq]\nmeasures: [nDCG@10]\n"
    )
    done = subprocess.run(
        [sys.executable, "scripts/plan.py", "--config", str(tmp_path / "own.yaml")],
        cwd=PROJECT, env={"PYTHONPATH": "src", "PATH": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "smollm2" not in done.stdout
    assert "rank_candidates" not in done.stdout
    assert re.search(r"^total +0 ", done.stdout, re.MULTILINE)


# The distillation study


def asked(sort, answer):
    """Return the number of passages in each distinct request of a sort. ``answer`` returns the replies."""
    sizes, known = [], {}
    wanted = next(sort)
    try:
        while True:
            for shown in wanted:
                if shown not in known:
                    known[shown] = answer(shown)
                    sizes.append(len(shown))
            wanted = sort.send([known[shown] for shown in wanted])
    except StopIteration:
        return sizes


@pytest.mark.parametrize(
    ("count", "window", "step", "passes", "sizes"),
    [
        (100, 20, 10, 1, [20] * 9),  # nine calls, as in RankGPT
        (30, 30, 10, 1, [30]),
        (30, 20, 10, 1, [20, 20]),
        (30, 20, 10, 3, [20, 20] * 3),
        (25, 10, 5, 1, [10, 10, 10, 10]),
        (27, 10, 5, 1, [10, 10, 10, 10, 7]),
        (6, 20, 10, 1, [6]),
        (1, 20, 10, 1, []),
    ],
)
def test_shown_sizes_of_windows_are_exact(count, window, step, passes, sizes):
    spec = Listwise(kind="listwise", prompt="rank-listwise", window=window, step=step, passes=passes)
    assert shown_sizes(spec, count) == sizes
    assert not is_bound(spec)
    if count > 1:
        random = Random(1)
        shuffled = asked(sort_of(spec, count), lambda shown: random.sample(range(len(shown)), len(shown)))
        assert len(shuffled) <= len(sizes)
        assert passes > 1 or shuffled == sizes


@pytest.mark.parametrize("count", [2, 3, 9, 25, 30])
@pytest.mark.parametrize(
    "spec",
    [
        Setwise(kind="setwise", prompt="p", compared=compared, sort=sort, top=top)
        for compared in (2, 3, 5) for sort in ("heap", "bubble") for top in (1, 4, 99)
    ] + [
        Pairwise(kind="pairwise", prompt="p", sort=sort, top=top) for sort in ("heap", "bubble") for top in (1, 4, 99)
    ],
)  # fmt: skip
def test_shown_sizes_of_sorts_are_an_upper_bound(spec, count):
    most = shown_sizes(spec, count)
    assert is_bound(spec)
    found = []
    for seed in range(6):
        random, best = Random(seed), list(range(count))
        random.shuffle(best)
        orders = [best, list(reversed(range(count))), list(range(count))]
        order = orders[min(seed, 2)] if seed < 3 else best
        sizes = asked(sort_of(spec, count), lambda shown, order=order: shown.index(min(shown, key=order.index)))
        assert max(sizes) <= max(most)
        found.append(len(sizes))
    assert max(found) <= len(most)
    # A loose bound would make the plan useless. Small heaps need fewer comparisons than the bound.
    assert len(most) <= 4 * max(found) + 4


@pytest.mark.parametrize("count", [2, 7, 30])
def test_shown_sizes_of_pairs_and_single_passages_are_exact(count):
    pairs = Pairwise(kind="pairwise", prompt="p")
    assert shown_sizes(pairs, count) == [2] * (count * (count - 1)) == asked(sort_of(pairs, count), lambda shown: 0)
    single = Pointwise(kind="pointwise", prompt="p")
    assert shown_sizes(single, count) == [1] * count == asked(sort_of(single, count), lambda shown: 0.5)
    assert not is_bound(pairs)
    assert not is_bound(single)


@pytest.fixture
def distillation(tmp_path, config):
    return make_study(make_config(tmp_path, config))


def found(lines, rule):
    return {(line.name, line.llm): line for line in lines if line.rule == rule}


def test_plan_counts_the_requests_of_the_distillation_study(distillation, tmp_path):
    lines = list(plan(distillation, tmp_path / "results", tmp_path / "store"))
    queries, orders = found(lines, "ask_queries"), found(lines, "rank_candidates")
    assert {key: line.requests for key, line in queries.items()} == {("asked", "gemini-2.5-flash"): 21}
    # 36 mixed and 52 training queries. 25 candidates, window 10 and step 5 give 4 windows.
    windows, choices = 4, len(shown_sizes(distillation.entities["rankings"]["choices"], 25))
    llms = ("gpt-4.1-mini", "echo")
    expected = {("blend/two/windows", llm): 36 * windows for llm in llms}
    expected |= {("train/two/windows", llm): 52 * windows for llm in llms}
    expected |= {("blend/two/choices", llm): 36 * choices for llm in llms}
    tests = {name: spec.counts.splits["test"].queries for name, spec in distillation.entities["corpora"].items()
             if name in ("python-faq", "sqlalchemy", "celery", "lxml", "cython")}  # fmt: skip
    own = {line.corpus: line.requests for line in lines if line.name == "test/two/choices"}
    assert own == {name: count * choices for name, count in tests.items()}
    assert {key: line.requests for key, line in orders.items() if not key[0].startswith("test/")} == expected
    assert {line.counted for line in orders.values() if "choices" in line.name} == {"at most"}
    assert {line.counted for line in orders.values() if "windows" in line.name} == {"estimated"}
    # The plan includes the passages of the recipes of the distillation study.
    written = found(lines, "generate_passages")
    assert {("zero-shot", llm) for llm in ("smollm2-135m", *llms)} <= written.keys()


def test_plan_prices_rankings(distillation, tmp_path):
    lines = found(plan(distillation, tmp_path / "results", tmp_path / "store"), "rank_candidates")
    line = lines["blend/two/windows", "gpt-4.1-mini"]
    # Ten passages of 60 words, with more than one token per word. The reply has ten places of five tokens.
    assert 10 * 60 < line.tokens_in / line.requests < 10 * 60 * 3
    assert line.tokens_out == line.requests * 10 * 5
    price = distillation.entities["llms"]["gpt-4.1-mini"].price
    dollars = (line.tokens_in * price.input + line.tokens_out * price.output) / 1e6
    assert line.mode == "batch"
    assert line.usd == pytest.approx(dollars / 2, rel=0.01)
    assert (lines["blend/two/windows", "echo"].usd, lines["blend/two/windows", "echo"].mode) == (0, "")
    assert lines["blend/two/windows", "echo"].tokens_in == line.tokens_in


def test_plan_of_rankings_grows_with_the_passages(distillation, tmp_path):
    def tokens(name, **changed):
        spec = distillation.entities["rankings"]["windows"]
        distillation.entities["rankings"]["windows"] = spec.model_copy(update=changed)
        lines = found(plan(distillation, tmp_path / "results", tmp_path / "store"), "rank_candidates")
        distillation.entities["rankings"]["windows"] = spec
        return lines["blend/two/windows", "echo"].tokens_in / lines["blend/two/windows", "echo"].requests

    usual = tokens("windows")
    assert tokens("windows", passage_words=30) == pytest.approx(usual / 2, rel=0.25)
    assert tokens("windows", window=20, step=10) == pytest.approx(usual * 2, rel=0.25)
    # Passages shorter than the limit of 300 words keep their length.
    assert tokens("windows", passage_words=300) == tokens("windows", passage_words=None) < usual * 1.5


def test_format_plan_of_a_distillation_study(distillation, tmp_path):
    lines = list(plan(distillation, tmp_path / "results", tmp_path / "store"))
    text = format_plan(lines, distillation)
    head, *rows = text.splitlines()
    assert head.split("  ")[0] == "rule"
    assert len(rows) == len(lines) + 3
    total = next(row for row in rows if row.startswith("total"))
    assert f"{sum(line.requests for line in lines):,}" in total
    assert re.search(r"^rank_candidates +python-faq +blend/two/choices +gpt-4\.1-mini .* at most$", text, re.MULTILINE)
    assert rows[-1].startswith("Prices as listed: gpt-4.1-mini ")
    assert "gemini-2.5-flash 2025" in rows[-1], "the prices include LLMs that only generate queries"


def test_plan_without_the_number_of_queries_of_a_split_is_refused(distillation, tmp_path):
    corpus = distillation.entities["corpora"]["celery"]
    distillation.entities["corpora"]["celery"] = corpus.model_copy(update={"counts": type(corpus.counts)()})
    with pytest.raises(ConfigError, match=r"celery\.yaml: counts\.splits\.test\.queries: is missing; state the number"):
        list(plan(distillation, tmp_path / "results", tmp_path / "store"))
