"""The plan as text."""

from collections.abc import Sequence

from synthrank.config.llms import GeminiLlm, OpenAiLlm
from synthrank.config.study import Study
from synthrank.llms.store.pricing import OUTPUT_SHARE
from synthrank.workflow.plan.llm_cost import Line

HEAD = (
    "rule", "corpus", "what", "llm", "requests", "stored", "tokens in", "tokens out", "mode", "$", "minutes", "counted",
)  # fmt: skip


def format_plan(lines: Sequence[Line], study: Study, spent: float = 0.0) -> str:
    """Return the plan as a table with a total, the comparison with the budget, and a note on the assumptions.

    Args:
        lines: the lines of the plan.
        study: the study.
        spent: US dollars that the replies in the store have cost. They count towards the budget.
    """
    rows = [list(HEAD), *(_row(line) for line in lines), _total(lines)]
    return f"{table(rows)}\n{_notes(lines, study, spent)}\n"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as text with aligned columns."""
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
        f"Prices as listed: {', '.join(listed) or 'no hosted LLM'}; a batch takes up to a day. Assumptions: a passage "
        f"uses {OUTPUT_SHARE:.0%} of its LLM's max_new_tokens, a ranking only the tokens of its numbers, and no "
        "request is repeated. No request was sent."
    )


def _verdict(lines: Sequence[Line], study: Study, spent: float) -> str:
    """Return one sentence with the total cost and whether it is within the budget."""
    total, limit = _usd(lines), study.experiment.budget_usd
    cost = f"This costs ${total:.2f}" + (f", in addition to ${spent:.2f} for stored replies" if spent else "")
    if limit is None:
        return f"{cost}: no budget is set."
    if spent + total <= limit:
        return f"{cost}: within the budget of ${limit:.2f}."
    return (
        f"{cost}: over the budget of ${limit:.2f}, so the run will stop early; reduce the requests, use mode: batch, "
        "or raise budget_usd."
    )
