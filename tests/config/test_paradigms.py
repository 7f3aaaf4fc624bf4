"""Tables and pages call rewordings of human passages reworded, and other generated passages LLM-generated."""

from rule_inputs import RuleInputs

from synthrank.config.base import read_yaml
from synthrank.config.experiment import Intervals
from synthrank.config.paradigms import rewords, word_for
from synthrank.config.study import Study
from synthrank.steps.report.sections import sections_for
from synthrank.steps.report.summary import _describe_paradigm
from synthrank.steps.tables.make_enrichment_table import RecipeRoles, _write_page


def test_only_passages_keyed_by_passage_are_reworded(study):
    paradigms = study.entities["paradigms"]
    assert [name for name, spec in paradigms.items() if rewords(spec)] == ["llama2-rewrite"]
    rewritten, written, human = (paradigms[name] for name in ("llama2-rewrite", "zero-shot", "human"))
    keyed_by_query = rewritten.model_copy(update={"by": "query"})
    assert word_for([human]) == ""
    assert word_for([human, rewritten]) == "reworded"
    assert word_for([human, written, keyed_by_query]) == "LLM-generated"
    assert word_for([rewritten, written]) == "reworded or LLM-generated"
    assert "reworded by " in _describe_paradigm(rewritten)
    assert "reworded" not in _describe_paradigm(keyed_by_query)


def test_tables_and_pages_of_rewordings_do_not_use_llm_written(config, study):
    other = Study(config, read_yaml(config / "experiments/nfcorpus-human-vs-llm.yaml"))
    assert RuleInputs(other).inputs.tables.enrichment_word(None) == "reworded"
    assert RuleInputs(study).inputs.tables.enrichment_word(None) == "LLM-generated"
    text = " ".join(_write_page([], RecipeRoles("human", (), ("both",)), "reworded", Intervals()))
    assert "human passages with reworded passages (both)" in text
    assert "the effect of reworded passages beyond that" in text
    (section,) = [item for item in sections_for("reworded") if item.key == "enrichment"]
    assert (section.title, section.lead) == (
        "Effect of adding reworded passages",
        "Three training sets: human passages, human and reworded passages, and human and more human passages.",
    )
    for claim in other.claims.claims.values():
        assert "LLM" not in claim.statement, "these passages are human abstracts reworded by Llama 2"
