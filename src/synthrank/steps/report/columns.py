"""Labels and meanings of the tables' columns on the page."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Meaning(NamedTuple):
    """The label above a column, and its meaning."""

    label: str
    text: str


_COLUMNS = {
    "ranker": ("ranker", "A trained model or a first stage; RANKER+first-stage is fused with its first stage"),
    "recipe": ("recipe", "The recipe of the training set; none: untrained, or a first stage"),
    "llm": ("llm", "The language model behind the training set; none: no language model was used"),
    "testset": ("test set", "The corpus and split of the queries; macro-average is the mean over the test sets"),
    "distribution": ("distribution", "id: test queries of the training set's own corpus; ood: of other corpora"),
    "measure": ("measure", "A score of a ranking between 0 and 1; higher is better"),
    "mean": ("mean", "Over test queries and training seeds"),
    "std": ("std", "Standard deviation over training seeds"),
    "seeds": ("seeds", "Number of training runs with different random seeds"),
    "draw": ("draw", "The training seed of the training set; 0: all seeds share it"),
    "draws": ("draws", "Number of training seeds with separate passages, counted together; 1: shared by all"),
    "queries": ("queries", "Number of queries"),
    "reference": ("reference", "The system of the difference and p: RECIPE/LLM/RANKER"),
    "delta": ("difference to reference", "Mean minus the reference's mean"),
    "p": ("p", "Two-sided test of the difference over queries and seeds, not corrected"),
    "p_randomisation": ("p, randomisation", "Two-sided test of the difference that flips whole queries, not corrected"),
    "first_stage": ("first stage", "The retriever whose run is reordered; none: no run is reordered"),
    "delta_first_stage": ("difference to first stage", "Mean minus the first stage's mean"),
    "p_first_stage": ("p to first stage", "Two-sided test of the difference over queries and seeds, not corrected"),
    "p_holm": ("p, Holm", "p corrected by Holm's method for all tests of its family"),
    "p_test": ("p of the claim's test", "Test that the effect is beyond 0 or the margin, as the claim states"),
    "p_family": ("adjusted p", "The claim's p, corrected for the whole family by maxT (Westfall, Young)"),
    "p_equivalent": ("adjusted p, equivalence", "Test that the effect is within the margin, corrected for the family"),
    "e": ("e", "E-value of the claim's test: 1 / e is a valid p for any number of seeds"),
    "first_look": ("seeds at first look", "Number of seeds at the first look, if seeds may be added"),
    "by_llm": ("effect by LLM", "The effect with the training set of each language model"),
    "gate": ("gate", "The training set of human passages whose gain shows whether training helps this ranker"),
    "gain": ("gain over untrained", "Mean of the gate minus the mean of the untrained ranker"),
    "p_gain": ("adjusted p, gain", "One-sided test that the gain is above the margin, corrected for all gains"),
    "why": ("why", "The reason of the verdict"),
    "over": ("over", "The sources of variance that p and intervals account for"),
    "delta_base": ("difference to base", "Mean minus the mean with human passages only"),
    "delta_control": ("difference to control", "Mean minus the mean with as many other human passages added"),
    "p_base": ("p to base", "Not corrected for the number of tests"),
    "p_control": ("p to control", "Not corrected for the number of tests"),
    "testsets": ("test sets", "The test sets behind the effect"),
    "seen": ("seen", "yes: the ranker's pretrained model was trained on the test set's corpus"),
    "relative": ("relative difference", "In percent; above 0 human passages are preferred, below 0 rewritten passages"),
    "effect": ("effect", "Mean of the treatment minus the mean of the control"),
    "verdict": ("verdict", "Undecided and insensitive: no conclusion; equivalent: within the margin"),
    "treatment": ("treatment", "The recipe that the claim is about"),
    "control": ("control", "The recipe that it is compared with"),
    "size": ("training queries", "Number of training queries per paradigm"),
    "actual_usd": ("US dollars", "Cost of the replies"),
    "estimated_usd": ("estimated US dollars", "Cost that the plan estimated"),
    "tokens_in": ("input tokens", "Tokens of the prompts"),
    "tokens_cached": ("cached input tokens", "Input tokens that the provider took from its cache"),
    "tokens_out": ("output tokens", "Tokens of the replies"),
    "snapshot": ("version", "The model version that the server reported"),
    "malformed": ("malformed", "Replies that do not have the requested format"),
    "repaired": ("repaired", "Replies that could be parsed after a small repair"),
    "well-formed": ("well-formed", "Replies that could be parsed unchanged"),
    "truncated": ("truncated", "Replies that reached the limit of tokens"),
    "what": ("text", "The part of the training set that was searched for in the test set"),
    "kind": ("kind", "Measured here or published; of overlaps the test; of replies passages or queries"),
    "count": ("found", "Number of texts that also occur in the test set"),
    "compared": ("compared", "Number of texts that were searched for"),
}

COLUMNS: Mapping[str, Meaning] = MappingProxyType({key: Meaning(*words) for key, words in _COLUMNS.items()})


def meaning(key: str) -> Meaning:
    """Return the label and meaning of a column. The default is its readable key without a meaning."""
    return COLUMNS.get(key, Meaning(key.replace("_", " "), ""))
