"""What the columns of the tables are called on the page, and what they mean."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Meaning(NamedTuple):
    """What stands above a column, and what it means."""

    label: str
    text: str


_COLUMNS = {
    "ranker": ("ranker", "The model that orders passages; RANKER+first-stage is its order fused with the first's"),
    "recipe": ("training set", "The recipe of the training set; none is a model that was not trained here"),
    "llm": ("written by", "The language model behind the training set; none where there is none"),
    "testset": ("test set", "The judged queries on which was measured; macro-average is the mean over several"),
    "distribution": ("distribution", "id: test queries of the training set's own corpus; ood: of other corpora"),
    "measure": ("measure", "How an order is scored, between 0 and 1; higher is better"),
    "mean": ("mean", "Over test queries and training seeds"),
    "std": ("spread", "Standard deviation over training seeds"),
    "seeds": ("seeds", "Training runs that differ only in chance, in what the text above the table says"),
    "draw": ("draw", "The training seed whose data these are; 0 where all seeds share them"),
    "draws": ("draws", "How many training seeds have passages of their own, all counted here; 1 is shared"),
    "queries": ("queries", "How many there are"),
    "delta": ("difference", "To the same ranker trained on human passages"),
    "p": ("p", "Of a two-way test over queries and training seeds, two-sided, not corrected for the number of tests"),
    "p_randomisation": ("p by randomisation", "Of flips of whole queries, two-sided, not corrected"),
    "delta_first_stage": ("difference to the first stage", "Of a reranker to the retriever that it reorders"),
    "p_first_stage": ("p against the first stage", "Of a two-way test, two-sided, not corrected"),
    "p_holm": ("p by Holm", "Corrected by Holm's method for all tests of its family"),
    "p_test": ("p of the claim's test", "Against 0 or the margin, as the claim calls for, before the correction"),
    "p_family": ("adjusted p", "Of the claim's test, corrected for the whole family by maxT (Westfall, Young)"),
    "p_equivalent": ("adjusted p, equivalence", "Against the margin nearer to the effect, corrected too"),
    "e": ("e", "E-value of the claim's test: 1 / e is a p whatever the number of seeds at which one stops"),
    "first_look": ("seeds at first look", "How many the family was first looked at with, where seeds are added"),
    "by_llm": ("effect by LLM", "Of the training set as each language model wrote it"),
    "gate": ("human training set", "The one whose gain shows whether training helps this ranker here"),
    "gain": ("human less untrained", "What training on human passages gained over the untrained ranker"),
    "p_gain": ("adjusted p, gain", "Against a gain of the margin or less, one-sided, corrected for all gains"),
    "why": ("why", "The reason of the verdict"),
    "over": ("speaks of", "What other draws p and intervals speak of"),
    "delta_base": ("to base", "Difference to human passages alone"),
    "delta_control": ("to control", "Difference to as many further human passages"),
    "p_base": ("p to base", "Not corrected for the number of tests"),
    "p_control": ("p to control", "Not corrected for the number of tests"),
    "testsets": ("test sets", "The judged queries on which was measured"),
    "seen": ("seen", "yes: the ranker's pretrained model was trained on the test set's corpus before"),
    "relative": ("relative difference", "In percent; above 0 human passages come first, below 0 rewritten ones"),
    "effect": ("effect", "Mean of the treatment less that of the control"),
    "verdict": ("verdict", "Undecided and insensitive are evidence of nothing; equivalent: within the margin"),
    "treatment": ("treatment", "The training set that the row is about"),
    "control": ("control", "The training set that it is compared with"),
    "size": ("training queries", "How many queries of each kind the training set has"),
    "actual_usd": ("US dollars", "What the replies cost"),
    "estimated_usd": ("estimated US dollars", "What the plan expected them to cost"),
    "tokens_in": ("tokens read", "By the language model"),
    "tokens_cached": ("of them cached", "Tokens that the provider had in its own cache"),
    "tokens_out": ("tokens written", "By the language model"),
    "snapshot": ("version", "The model as its server named it"),
    "malformed": ("malformed", "Replies that could not be read as what was asked for"),
    "repaired": ("repaired", "Replies read after small mending"),
    "well-formed": ("well formed", "Replies read as they came"),
    "truncated": ("cut off", "Replies that the limit of tokens ended"),
    "what": ("looked for", "The part of the training data that was looked for in the test set"),
    "kind": ("kind", "Measured here or published elsewhere; of leaks the test by which they were found"),
    "count": ("found", "How many of those compared"),
    "compared": ("compared", "How many were looked for"),
}

COLUMNS: Mapping[str, Meaning] = MappingProxyType({key: Meaning(*said) for key, said in _COLUMNS.items()})


def meaning(key: str) -> Meaning:
    """Return what a column is called and means; its key, readable, where nothing is said of it."""
    return COLUMNS.get(key, Meaning(key.replace("_", " "), ""))
