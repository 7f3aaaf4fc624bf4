"""Optional sections of an experiment, and the results that need them."""

from collections.abc import Mapping
from types import MappingProxyType

NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bias": ("TABLES/bias.csv",),
        "claims": ("TABLES/claims.csv",),
        "enrichment": ("TABLES/enrichment.csv",),
        "sizes": ("TABLES/sizes.csv",),
        "twolar": ("TABLES/twolar.csv", "TABLES/ablation-NAME.csv", "TABLES/rankings.csv"),
        "validity": ("results/validity/", "TABLES/validity.csv", "TABLES/leaks.csv"),
    }
)
"""The results that need a section of the experiment."""


def describe_missing(origin: str, key: str, folder: str) -> str:
    """Return a message about a missing section.

    Args:
        origin: the experiment's file.
        key: the section.
        folder: the experiment's folder under ``results/``.
    """
    files = ", ".join(NEEDED[key]).replace("TABLES", f"results/{folder}tables")
    page = "distillation-study" if key == "twolar" else "passage-study"
    return f"{origin}: no section {key!r}, so {files} cannot be built; see docs/{page}.md"
