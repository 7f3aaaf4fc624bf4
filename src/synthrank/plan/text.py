"""The plan for people."""

from collections.abc import Sequence

from synthrank.plan.line import Line
from synthrank.specs.llms import GeminiLlm, OpenAiLlm
from synthrank.study import Study

HEAD = (
    "rule", "corpus", "what", "llm", "requests", "stored", "tokens in", "tokens out", "live $", "batch $", "minutes",
    "counted",
)  # fmt: skip


def as_text(lines: Sequence[Line], study: Study) -> str:
    """Return the plan as a table, with a total line and what it rests on."""
    rows = [list(HEAD), *(_row(line) for line in lines), _total(lines)]
    return f"{table(rows)}\n{_notes(lines, study)}\n"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells in columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(line: Line) -> list[str]:
    return [
        *(line.rule, line.corpus, line.name, line.llm, f"{line.requests:,}", f"{line.stored:,}"),
        *(f"{line.tokens_in:,}", f"{line.tokens_out:,}", f"{line.live_usd:.2f}", f"{line.batch_usd:.2f}"),
        *(f"{line.minutes:.0f}" if line.live_usd else "-", line.counted),
    ]


def _total(lines: Sequence[Line]) -> list[str]:
    sums = [sum(getattr(line, name) for line in lines) for name in ("requests", "stored", "tokens_in", "tokens_out")]
    money = [sum(getattr(line, name) for line in lines) for name in ("live_usd", "batch_usd", "minutes")]
    dollars = [f"{money[0]:.2f}", f"{money[1]:.2f}", f"{money[2]:.0f}"]
    return ["total", "", "", "", *(f"{number:,}" for number in sums), *dollars, ""]


def _notes(lines: Sequence[Line], study: Study) -> str:
    listed = [
        f"{name} {spec.price.listed.isoformat()}"
        for name in dict.fromkeys([*study.experiment.llms, *(line.llm for line in lines)])
        if isinstance(spec := study.entities["llms"][name], OpenAiLlm | GeminiLlm)
    ]
    limit = study.experiment.budget_usd
    return (
        f"Prices as listed: {', '.join(listed) or 'no hosted LLM'}. "
        f"budget_usd: {f'{limit:.2f}' if limit is not None else 'no limit'}. Nothing was asked of anyone."
    )
