"""The README: one screen, commands that run, numbers that agree with results, links that exist."""

import csv
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
SCREEN = 110
"""Lines, including the blocks that are generated from results."""
ADDED = {"human-zero-shot", "human-few-shot-unsupervised", "human-few-shot-supervised"}
sys.path.append(str(ROOT / "benchmarks"))

import front_page  # noqa: E402
import suite  # noqa: E402

RULES = """\
flowchart TB
\tid0[all]
\tid1[make]
\tid2[score]
\tid3[search]
\tid4[index]
\tstyle id0 fill:#D95757
\tid1 --> id0
\tid2 --> id1
\tid3 --> id2
\tid4 --> id3
\tid3 --> id1
\tid4 --> id4
"""


def commands() -> list[str]:
    """Return the commands of the README, without its cluster section, which tests/slurm runs."""
    text = re.sub(r"\n## On a cluster\n.*?(?=\n## |\Z)", "", PAGE, flags=re.DOTALL)
    text = re.sub(r"^```python\n.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    inline = re.findall(r"`((?:make|snakemake|source) [^`]+)`", text)
    return sorted({*(line for block in blocks for line in block.splitlines()), *inline})


def block(name: str, path: Path = ROOT / "README.md") -> str:
    text = path.read_text(encoding="utf-8")
    return re.search(rf"<!-- {name}:begin -->\n(.*)\n<!-- {name}:end -->", text, re.DOTALL)[1]


def test_readme_is_one_screen() -> None:
    assert len(PAGE.splitlines()) <= SCREEN


def test_the_two_commands_come_first() -> None:
    assert re.findall(r"^```\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)[0] == "make demo\nmake test\n"
    assert len(commands()) >= 5


@pytest.mark.parametrize("command", commands())
def test_every_command_runs(command: str) -> None:
    """Long commands are only dry-run: continuous integration runs `make test`."""
    words = shlex.split(command)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if words[0] == "make":
        words = ["make", "--dry-run", "--old-file=Makefile", *words[1:]]
    elif words[0] == "source":
        assert words[1:] == [".venv/bin/activate"]
        return
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_readme_numbers_equal_the_measured_ones() -> None:
    assert block("commands") == front_page.commands()
    assert block("published") == front_page.published()


def test_published_numbers_have_a_source_and_are_near_the_measured_ones() -> None:
    with (ROOT / "docs/published/measured.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert all(row["source"] and int(row["queries"]) for row in rows)
    other = [row for row in rows if abs(float(row["published"]) - float(row["measured"])) > 5e-5]
    assert {row["system"] for row in other} == {"RankVicuna on BM25"}, "RankLLM's numbers are about another run"
    assert all(abs(float(row["published"]) - float(row["measured"])) < 0.02 for row in other)


def test_the_graph_shows_what_is_needed_directly() -> None:
    assert front_page.graph(RULES) == "```mermaid\nflowchart LR\n    index --> search --> score --> make\n```"


@pytest.mark.workflow
def test_the_graph_is_that_of_the_rules() -> None:
    assert block("rules", ROOT / "docs/demo/README.md") == front_page.rules()


def test_links_exist() -> None:
    targets = [*re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE), *re.findall(r'(?:src|srcset)="([^"]+)"', PAGE)]
    assert len(targets) > 20
    assert not [target for target in targets if "://" not in target and not (ROOT / target).exists()]


def test_first_results_are_those_of_the_study() -> None:
    """Sentences agree with the kept tables; the picture is one of the study's."""
    said = " ".join(PAGE.split("## Try it")[0].split())
    assert block("finding").endswith(front_page.finding())
    assert f"]({front_page.STUDY}/effectiveness.svg)" in said
    claims = [row for row in front_page.rows("experiments/study/claims.csv") if row["distribution"] == "ood"]
    (zero, raw, pairs) = [row for row in claims if row["claim"] == "ood-gain"]
    assert {row["verdict"] for row in (zero, raw, pairs)} == {"contradicted"}
    effects = sorted(-float(row["effect"]) for row in (zero, raw, pairs))
    assert f"by {effects[0]:.3f} to {effects[-1]:.3f} nDCG@10".replace("0.", ".") in said
    added = [row for row in claims if row["control"] == "human" and row["treatment"] in ADDED]
    assert [row["verdict"] for row in added] == ["equivalent"] * 3
    assert {row["margin"] for row in added} == {"0.0200"}
    (mixed,) = [
        row
        for row in front_page.rows("experiments/study/ood.csv")
        if (row["ranker"], row["recipe"]) == ("static-reranker+first-stage", "human")
        and (row["testset"], row["measure"]) == ("macro-average", "nDCG@10")
    ]
    assert f"improves BM25 by {float(mixed['delta_first_stage']):.3f} out".replace("0.", ".") in said
    assert float(mixed["p_first_stage"]) < 0.001


def test_sentences_on_the_distillation_record_follow_its_table() -> None:
    said = " ".join((ROOT / "docs/distillation-study.md").read_text(encoding="utf-8").split())
    rows = [row for row in front_page.rows("experiments/dl20-to-dl19/twolar.csv") if row["measure"] == "nDCG@10"]
    found = {(row["system"], row["recipe"]): row for row in rows}

    def value(system: str, recipe: str, column: str = "value") -> str:
        return f"{float(found[system, recipe][column]):+.3f}".replace("0.", ".").removeprefix("+")

    assert f"nDCG@10 of {value('dl19-rankvicuna', 'none')}, BM25 {value('dl19-bm25', 'none')}" in said
    bi, cross = (found[system, "dl20-teacher"] for system in ("dl-bi-encoder", "dl-cross-encoder"))
    assert f"reranks to {value('dl-bi-encoder', 'none')} without" in said
    assert f"to {value('dl-bi-encoder', 'dl20-teacher')} after it" in said
    assert f"(difference {value('dl-bi-encoder', 'dl20-teacher', 'delta_untrained')}, p " in said
    assert f"p {float(bi['p_untrained']):.3f})".replace("0.", ".") in said
    untrained, trained = (value("dl-cross-encoder", recipe) for recipe in ("none", "dl20-teacher"))
    gain = value("dl-cross-encoder", "dl20-teacher", "delta_untrained")
    assert (
        f"goes from {untrained} to {trained} (+{gain}, p {float(cross['p_untrained']):.3f})".replace("0.", ".") in said
    )
    assert f"on {bi['queries']} queries" in said


def test_sentences_on_the_cross_encoder_record_follow_its_tables() -> None:
    said = " ".join((ROOT / "docs/passage-study.md").read_text(encoding="utf-8").split())
    claims = front_page.rows("experiments/nfcorpus-cross-encoder/claims.csv")
    assert [row["verdict"] for row in claims] == ["insensitive"] * 4
    inside, outside = (next(row for row in claims if row["distribution"] == name) for name in ("id", "ood"))
    gains = f"by {float(inside['gain']):+.3f} in distribution and by {float(outside['gain']):+.3f} out of distribution"
    chances = f"(adjusted p {float(inside['p_gain']):.3f} and {float(outside['p_gain']):.3f})"
    assert gains.replace("0.", ".") in said
    assert chances.replace("0.", ".") in said
    means = {
        (row["ranker"], row["recipe"]): float(row["mean"])
        for row in front_page.rows("experiments/nfcorpus-cross-encoder/id.csv")
        if row["measure"] == "nDCG@10"
    }
    human, bm25 = means["nfcorpus-cross-encoder", "nfcorpus-shared-human"], means["bm25", "none"]
    assert f"nDCG@10 of {human:.3f}, and BM25 has {bm25:.3f}".replace("0.", ".") in said


def test_sentences_on_the_nfcorpus_record_follow_its_tables() -> None:
    folder = "experiments/nfcorpus-human-vs-llm"
    page = (ROOT / "docs/passage-study.md").read_text(encoding="utf-8")
    said = " ".join(page.split("## A record on NFCorpus")[1].split())
    assert "3,338 answer a dev or test question" in said
    for name in ("id", "ood", "claims"):
        table = (ROOT / f"docs/{folder}/{name}.md").read_text(encoding="utf-8")
        assert "**Rankers were trained on passages that answer test queries.**" in table.split("|")[0]

    claims = front_page.rows(f"{folder}/claims.csv")
    outside = [row for row in claims if row["distribution"] == "ood"]
    inside = [row for row in claims if row["distribution"] == "id"]
    assert {row["verdict"] for row in outside} == {"insensitive"}
    (settled,) = [row for row in inside if row["verdict"] != "undecided"]
    assert len(inside) == 6
    assert "one of six claims is settled" in said
    assert (settled["claim"], settled["verdict"]) == ("enrichment-beats-more", "contradicted")
    assert f"({float(settled['effect']):.3f}, adjusted p below .001)".replace("-0.", "-.") in said
    assert float(settled["p_family"]) < 0.001
    (first,) = [row for row in inside if row["claim"] == "id-loss"]
    assert f"(+{float(first['gain']):.3f}, adjusted p below .001)".replace("0.", ".") in said
    assert all(float(row["p_gain"]) < 0.001 for row in inside)
    (weak,) = [row for row in outside if row["claim"] == "ood-gain"]
    gain, p = float(weak["gain"]), float(weak["p_gain"])
    assert f"gain of +{gain:.3f} does not exceed the margin of .01 (adjusted p {p:.3f})".replace("0.", ".") in said

    preference = {row["recipe"]: row for row in front_page.rows(f"{folder}/bias.csv") if row["seeds"] == "10"}
    assert float(preference["nfcorpus-shared-human"]["ci_low"]) > 0
    assert float(preference["nfcorpus-shared-llama2"]["ci_high"]) < 0
    assert float(preference["nfcorpus-shared-human-llama2"]["p"]) > 0.05


def test_the_figures_of_the_tests_are_of_pytests_last_line() -> None:
    said = "=== short test summary info ===\nx in 3s\n==== 3472 passed, 4 skipped in 1067.86s (0:17:47) ====\n"
    assert suite.figures(said) == {"passed": "3472", "skipped": "4", "seconds": "1067.86"}
