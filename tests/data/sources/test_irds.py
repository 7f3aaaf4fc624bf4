"""Corpora of the ir_datasets catalogue, with a dataset that the test registers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from synthrank.config.corpora import IrdsCorpus
from synthrank.data.records import Judgment, Passage, Query
from synthrank.data.sources import open_source
from synthrank.errors import ConfigError, FetchError

ir_datasets = pytest.importorskip("ir_datasets")
from ir_datasets.formats import BaseDocs, BaseQrels, BaseQueries, GenericDoc, GenericQuery, TrecQrel  # noqa: E402

ORIGIN = Path("config/corpora/toy.yaml")


class TitledDoc(NamedTuple):
    doc_id: str
    title: str
    text: str

    def default_text(self) -> str:
        return f"{self.title} {self.text}"


class AbstractDoc(NamedTuple):
    doc_id: str
    title: str
    abstract: str

    def default_text(self) -> str:
        return f"{self.title} {self.abstract}"


class Docs(BaseDocs):  # type: ignore[misc]
    def __init__(self, *rows: Any) -> None:
        self.rows = rows

    def docs_iter(self) -> Iterator[Any]:
        return iter(self.rows)


class Queries(BaseQueries):  # type: ignore[misc]
    def queries_iter(self) -> Iterator[Any]:
        yield GenericQuery("1", "first")


class Qrels(BaseQrels):  # type: ignore[misc]
    def qrels_iter(self) -> Iterator[Any]:
        yield TrecQrel("1", "d1", 2, "0")


class Unreachable(BaseDocs):  # type: ignore[misc]
    def docs_iter(self) -> Iterator[Any]:
        raise RuntimeError("All download sources failed\nlook above")
        yield


@pytest.fixture(scope="module")
def catalogue() -> str:
    rows = TitledDoc("d1", "T", "one"), AbstractDoc("d2", "T", "two"), GenericDoc("d3", "three")
    ir_datasets.registry.register("synthrank-toy", ir_datasets.Dataset(Docs(*rows)))
    ir_datasets.registry.register("synthrank-toy/test", ir_datasets.Dataset(Docs(*rows), Queries(), Qrels()))
    ir_datasets.registry.register("synthrank-toy/gone", ir_datasets.Dataset(Unreachable()))
    return "synthrank-toy"


def spec(dataset: str, split: str = "synthrank-toy/test") -> IrdsCorpus:
    return IrdsCorpus.model_validate({"source": "ir_datasets", "dataset": dataset, "splits": {"test": split}})


def test_irds_source_reads_documents_queries_and_judgments(catalogue: str) -> None:
    source = open_source(spec(catalogue), ORIGIN)
    assert list(source.passages()) == [Passage("d1", "one", "T"), Passage("d2", "T two"), Passage("d3", "three")]
    assert source.queries("test") == ([Query("1", "first")], [Judgment("1", "d1", 2)])


def test_irds_source_refuses_unknown_ids_and_splits(catalogue: str) -> None:
    with pytest.raises(ConfigError, match=r"toy\.yaml: dataset: 'no-such' is not an id of the ir_datasets catalogue$"):
        list(open_source(spec("no-such"), ORIGIN).passages())
    source = open_source(spec(catalogue, catalogue), ORIGIN)
    with pytest.raises(
        ConfigError, match=r"toy\.yaml: splits\.test: the ir_datasets id 'synthrank-toy' has no queries$"
    ):
        source.queries("test")
    with pytest.raises(ConfigError, match=r"toy\.yaml: splits: no split 'dev'; known: test$"):
        source.queries("dev")


def test_irds_source_with_a_failing_download_is_a_one_line_error(catalogue: str) -> None:
    with pytest.raises(FetchError, match=r"^synthrank-toy/gone: ir_datasets could not get the docs \(All .* above\);"):
        list(open_source(spec("synthrank-toy/gone"), ORIGIN).passages())
