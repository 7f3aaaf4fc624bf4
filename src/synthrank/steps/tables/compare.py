"""The command ``python scripts/compare.py A B``: print the main tables of two experiments side by side."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from synthrank.config.distribution import MACRO
from synthrank.data.csv_text import dict_rows
from synthrank.errors import ConfigError, DataError, list_known
from synthrank.stats.score_matrix import System
from synthrank.steps.tables.labels import label_ranker, label_training, trained_rankers
from synthrank.steps.tables.markdown import align_columns

TABLES = ("id", "ood")
Means = Mapping[tuple[str, System, str], float]
"""The mean of a measure per (table, system, test set)."""


def find_tables(name: str) -> Path:
    """Return the folder of an experiment's tables.

    Args:
        name: the name of the experiment, or the folder.

    Raises:
        ConfigError: the folder has no tables.
    """
    found = [path for path in (Path("results", name, "tables"), Path(name)) if name and _has_tables(path)]
    if not found:
        names = (path.name for path in Path("results").glob("*/") if _has_tables(path / "tables"))
        raise ConfigError(
            f"{name!r}: no id.csv and ood.csv in results/{name}/tables or in a folder of this name; give an experiment "
            f"that has run or a folder, as in make compare A=study B=results/tables ({list_known(names)})"
        )
    return found[0]


def _has_tables(folder: Path) -> bool:
    return all((folder / f"{table}.csv").is_file() for table in TABLES)


def read_all_means(folder: Path) -> Mapping[str, Means]:
    """Return the means of each measure, in the order of the tables, without macro averages."""
    found: dict[str, dict[tuple[str, System, str], float]] = {}
    for table in TABLES:
        with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as stream:
            for row in dict_rows(stream):
                if row["testset"] != MACRO and row["mean"]:
                    key = table, (row["ranker"], row["recipe"], row["llm"]), row["testset"]
                    found.setdefault(row["measure"], {})[key] = float(row["mean"])
    return found


def format_comparison(names: tuple[str, str], experiments: tuple[Mapping[str, Means], Mapping[str, Means]]) -> str:
    """Return the means of the first common measure with their differences, then all that only one experiment has.

    Means over test sets are over the common test sets, because macro averages of two experiments may differ in theirs.

    Raises:
        DataError: the experiments have no system with the same test set and measure in common.
    """
    first, second = experiments
    measure = next((name for name in first if name in second and first[name].keys() & second[name].keys()), None)
    if measure is None:
        raise DataError(
            f"{names[0]} and {names[1]}: no system with a common test set and measure; compare experiments that share "
            "a first stage, or a ranker and its recipe"
        )
    pair = first[measure], second[measure]
    lines = [[measure, "test set", *names, "difference"]]
    lines += [
        [*words, f"{one:.4f}", f"{other:.4f}", _format_difference(other - one)]
        for *words, one, other in _pair_rows(*pair)
    ]
    text = [*align_columns(lines, 2), "", f"Differences are {names[1]} minus {names[0]} and are not tested."]
    return "\n".join([*text, *_alone(names[0], *pair), *_alone(names[1], *reversed(pair))])


def _format_difference(value: float) -> str:
    return f"{round(value, 4) + 0:+.4f}"  # + 0 turns -0.0 into 0.0


def _pair_rows(first: Means, second: Means) -> Iterator[tuple[str, str, float, float]]:
    """Yield (system, test set, both means) of each common row, then the means of a system's rows if it has several."""
    trained = _trained(first, second)
    for table in TABLES:
        for system in dict.fromkeys(key[1] for key in first if key[0] == table):
            common = [key for key in first if key[:2] == (table, system) and key in second]
            for key in common:
                yield _label(system, trained), f"{table}: {key[2]}", first[key], second[key]
            if len(common) > 1:
                one, other = (fmean(means[key] for key in common) for means in (first, second))
                yield _label(system, trained), f"{table}: mean of {len(common)}", one, other


def _alone(name: str, own: Means, others: Means) -> Iterator[str]:
    """Yield one line per system, then one per test set, that only one experiment has."""
    trained = _trained(own, others)
    for place in (1, 2):
        for item in dict.fromkeys(key[place] for key in own if key[place] not in {other[place] for other in others}):
            yield f"Only in {name}: {_label(item, trained) if isinstance(item, tuple) else f'test set {item}'}"


def _trained(*experiments: Means) -> Sequence[str]:
    return trained_rankers(system for means in experiments for _, system, _ in means)


def _label(system: System, trained: Sequence[str]) -> str:
    return f"{label_ranker(system[0])}, {label_training(system, trained)}"


def main(first: str, second: str) -> None:
    """Print the means of two experiments side by side, with their differences.

    Args:
        first: the name of an experiment, or a folder with id.csv and ood.csv.
        second: the name or folder of the other experiment.
    """
    folders = find_tables(first), find_tables(second)
    sys.stdout.write(
        format_comparison((first, second), (read_all_means(folders[0]), read_all_means(folders[1]))) + "\n"
    )
