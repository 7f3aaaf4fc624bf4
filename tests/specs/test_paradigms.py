"""Text that says a human passage again is called reworded, in one place for all tables and pages."""

from synthrank.needs import Needs
from synthrank.report.sections import sections_for
from synthrank.report.summary import _paradigm
from synthrank.specs.base import read_yaml
from synthrank.specs.experiment import Intervals
from synthrank.specs.paradigms import rewords, word_for
from synthrank.study import Study
from synthrank.tables.make_enrichment_table import Compared, _page


def test_passages_that_are_keyed_by_passage_are_reworded_and_no_others(study):
    paradigms = study.entities["paradigms"]
    assert [name for name, spec in paradigms.items() if rewords(spec)] == ["llama2-rewrite"]
    rewritten, written, human = (paradigms[name] for name in ("llama2-rewrite", "zero-shot", "human"))
    keyed_by_query = rewritten.model_copy(update={"by": "query"})
    assert word_for([human]) == ""
    assert word_for([human, rewritten]) == "reworded"
    assert word_for([human, written, keyed_by_query]) == "LLM-written"
    assert word_for([rewritten, written]) == "reworded or LLM-written"
    assert "reworded by " in _paradigm(rewritten)
    assert "reworded" not in _paradigm(keyed_by_query)


def test_tables_and_the_page_of_rewordings_call_nothing_llm_written(config, study):
    other = Study(config, read_yaml(config / "experiments/nfcorpus-human-vs-llm.yaml"))
    assert Needs(other).enrichment_word(None) == "reworded"
    assert Needs(study).enrichment_word(None) == "LLM-written"
    text = " ".join(_page([], Compared("human", (), ("both",)), "reworded", Intervals()))
    assert "human passages with reworded ones (both)" in text
    assert "what reworded passages add beyond that" in text
    (section,) = [item for item in sections_for("reworded") if item.key == "enrichment"]
    assert (section.title, section.lead) == (
        "What reworded passages add to human ones",
        "Human passages alone, with reworded ones, and with as many further human passages.",
    )
    for claim in other.claims.claims.values():
        assert "LLM" not in claim.statement, "its text is Llama 2's wording of human abstracts"
