"""The README: one screen, commands that run, figures in step with what was measured, links that lead somewhere."""

import csv
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
SCREEN = 110
"""Lines, the blocks that are written from results among them."""
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
    """Return what the README tells to type, but for its cluster section, which tests/slurm types."""
    text = re.sub(r"\n## On a cluster\n.*?\n## ", "\n## ", PAGE, flags=re.DOTALL)
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    inline = re.findall(r"`((?:make|snakemake|source) [^`]+)`", text)
    return sorted({*(line for block in blocks for line in block.splitlines()), *inline})


def block(name: str, path: Path = ROOT / "README.md") -> str:
    text = path.read_text(encoding="utf-8")
    return re.search(rf"<!-- {name}:begin -->\n(.*)\n<!-- {name}:end -->", text, re.DOTALL)[1]


def test_it_is_one_screen() -> None:
    assert len(PAGE.splitlines()) <= SCREEN


def test_the_two_commands_come_first() -> None:
    assert re.findall(r"^```\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)[0] == "make demo\nmake test\n"
    assert len(commands()) >= 5


@pytest.mark.parametrize("command", commands())
def test_every_command_runs(command: str) -> None:
    """What would take long is only looked at: continuous integration runs `make test`."""
    words = shlex.split(command)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if words[0] == "make":
        words = ["make", "--dry-run", "--old-file=Makefile", *words[1:]]
    elif words[0] == "source":
        assert words[1:] == [".venv/bin/activate"]
        return
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_figures_are_those_that_were_measured() -> None:
    assert block("commands") == front_page.commands()
    assert block("published") == front_page.published()


def test_every_published_figure_has_its_source_and_what_was_measured_is_near() -> None:
    with (ROOT / "docs/published/measured.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert all(row["source"] and int(row["queries"]) for row in rows)
    other = [row for row in rows if abs(float(row["published"]) - float(row["measured"])) > 5e-5]
    assert {row["system"] for row in other} == {"RankVicuna on BM25"}, "RankLLM's are of another run"
    assert all(abs(float(row["published"]) - float(row["measured"])) < 0.02 for row in other)


def test_the_graph_shows_what_is_needed_directly() -> None:
    assert front_page.graph(RULES) == "```mermaid\nflowchart LR\n    index --> search --> score --> make\n```"


@pytest.mark.workflow
def test_the_graph_is_that_of_the_rules() -> None:
    assert block("rules", ROOT / "docs/demo/README.md") == front_page.rules()


def test_links_lead_somewhere() -> None:
    targets = [*re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE), *re.findall(r'(?:src|srcset)="([^"]+)"', PAGE)]
    assert len(targets) > 20
    assert not [target for target in targets if "://" not in target and not (ROOT / target).exists()]


def test_the_first_finding_is_that_of_the_study() -> None:
    """What the sentences say is what the kept tables hold; the picture is one of the study's."""
    said = " ".join(PAGE.split("## Two commands")[0].split())
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


def test_a_record_older_than_a_change_of_numbers_says_so() -> None:
    record = sorted((ROOT / "docs/experiments/nfcorpus-human-vs-llm").glob("*.md"))
    assert record
    for path in record:
        text = " ".join(path.read_text(encoding="utf-8").replace("> ", "").split())
        assert "**Older than the corrections.**" in text.split("|")[0], f"{path}: above any table"
        assert "3,338 answer a dev or test question" in text.split("|")[0]
    study = (ROOT / "docs/passage-study.md").read_text(encoding="utf-8")
    above, shown = study.split("<!-- record:begin -->")
    assert "3,338 answer a dev or test question" in above
    assert not re.findall("supported|contradicted", shown), "no verdict of the record is repeated"


def test_the_figures_of_the_tests_are_of_pytests_last_line() -> None:
    said = "=== short test summary info ===\nx in 3s\n==== 3472 passed, 4 skipped in 1067.86s (0:17:47) ====\n"
    assert suite.figures(said) == {"passed": "3472", "skipped": "4", "seconds": "1067.86"}
