"""The plan for people."""

from collections.abc import Sequence

from synthrank.llms.pricing import OUTPUT_SHARE
from synthrank.plan.line import Line
from synthrank.specs.llms import GeminiLlm, OpenAiLlm
from synthrank.study import Study

HEAD = (
    "rule", "corpus", "what", "llm", "requests", "stored", "tokens in", "tokens out", "mode", "$", "minutes", "counted",
)  # fmt: skip


def as_text(lines: Sequence[Line], study: Study, spent: float = 0.0) -> str:
    """Return the plan as a table, with a total line, whether the budget allows it, and what it rests on.

    Args:
        lines: what is asked.
        study: the study.
        spent: US dollars that the replies in the store have cost, which count towards the budget too.
    """
    rows = [list(HEAD), *(_row(line) for line in lines), _total(lines)]
    return f"{table(rows)}\n{_notes(lines, study, spent)}\n"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells in columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(line: Line) -> list[str]:
    return [
        *(line.rule, line.corpus, line.name, line.llm, f"{line.requests:,}", f"{line.stored:,}"),
        *(f"{line.tokens_in:,}", f"{line.tokens_out:,}", line.mode or "-", f"{line.usd:.2f}"),
        *("-" if line.minutes is None else f"{line.minutes:.0f}", line.counted),
    ]


def _total(lines: Sequence[Line]) -> list[str]:
    sums = [sum(getattr(line, name) for line in lines) for name in ("requests", "stored", "tokens_in", "tokens_out")]
    minutes = sum(line.minutes or 0.0 for line in lines)
    return ["total", "", "", "", *(f"{number:,}" for number in sums), "", f"{_usd(lines):.2f}", f"{minutes:.0f}", ""]


def _usd(lines: Sequence[Line]) -> float:
    return sum(line.usd for line in lines)


def _notes(lines: Sequence[Line], study: Study, spent: float) -> str:
    listed = [
        f"{name} {spec.price.listed.isoformat()}"
        for name in dict.fromkeys([*study.experiment.llms, *(line.llm for line in lines)])
        if isinstance(spec := study.entities["llms"][name], OpenAiLlm | GeminiLlm)
    ]
    return (
        f"{_verdict(lines, study, spent)}\n"
        f"Prices as listed: {', '.join(listed) or 'no hosted LLM'}; by batch a reply takes up to a day. A passage is "
        f"taken to use {OUTPUT_SHARE:.0%} of its LLM's max_new_tokens, an order what its numbers need, and nothing is "
        "asked for again. Nothing was asked of anyone."
    )


def _verdict(lines: Sequence[Line], study: Study, spent: float) -> str:
    """Return one sentence: what all of it costs, and whether the budget allows that."""
    total, limit = _usd(lines), study.experiment.budget_usd
    said = f"This costs ${total:.2f}" + (f", beside ${spent:.2f} that stored replies have cost" if spent else "")
    if limit is None:
        return f"{said}: no budget is set."
    if spent + total <= limit:
        return f"{said}: within the budget of ${limit:.2f}."
    return (
        f"{said}: not within the budget of ${limit:.2f}, which stops the run before it is exceeded; ask for less, ask "
        "by batch, or raise budget_usd."
    )
