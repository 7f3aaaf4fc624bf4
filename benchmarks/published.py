"""Compare published numbers with measured ones: ``SYNTHRANK_SHARED=DIR python benchmarks/published.py``.

DIR contains collections and published results; the tests that read DIR describe its layout. Results are written to
``docs/published/measured.csv``, one row per number: our BM25, and recorded runs of other systems scored by our
measures.
"""

import csv
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / "src")]

from synthrank.config.base import load  # noqa: E402
from synthrank.config.published import PublishedSpec  # noqa: E402
from synthrank.config.retrievers import RetrieverSpec  # noqa: E402
from synthrank.data.files import atomic_path, json_lines, read_jsonl  # noqa: E402
from synthrank.data.records import Query  # noqa: E402
from synthrank.data.trec import Qrels, Run, read_qrels, read_run  # noqa: E402
from synthrank.retrievers.bm25 import build_index, search  # noqa: E402
from synthrank.stats.measures import measure_run  # noqa: E402
from synthrank.steps.corpora.build_passages import build_passages  # noqa: E402
from synthrank.steps.corpora.build_queries import build_queries  # noqa: E402

COLUMNS = ("system", "from", "testset", "measure", "published", "measured", "queries", "source")
Row = tuple[str, str, str, str, float, float, int, str]


def mean(run: Run, qrels: Qrels, measure: str, level: int) -> tuple[float, int]:
    """Return the mean of a measure over all judged queries, and their number."""
    values = [value for *_, value in measure_run(run, qrels, [measure], level)]
    return sum(values) / len(values), len(values)


def own_bm25(shared: Path, regressions: dict[str, dict]) -> Iterator[Row]:
    """Index and search NFCorpus as the workflow does, to Anserini's depth."""
    os.environ["SYNTHRANK_DATA"] = str(shared / "collections")
    spec = PROJECT / "config/corpora/nfcorpus.yaml"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        build_passages(spec=spec, passages=folder / "p.jsonl", stats=folder / "p.json")
        build_queries(
            spec=spec, split="test", passages=folder / "p.jsonl", queries=folder / "q", qrels=folder / "qrels"
        )
        build_index(((row["id"], row["text"]) for _, row in json_lines(folder / "p.jsonl")), folder / "index", 1)
        bm25 = load(RetrieverSpec, PROJECT / "config/retrievers/bm25.yaml").model_copy(update={"depth": 1000})
        run = search(folder / "index", list(read_jsonl(folder / "q", Query)), bm25, 1)
        published = regressions["beir-v1.0.0-nfcorpus.flat"]["models"]["bm25"]
        for measure, key in (("nDCG@10", "nDCG@10"), ("Recall@100", "R@100")):
            value, queries = mean(run, read_qrels(folder / "qrels"), measure, 1)
            yield (
                "BM25", "indexed and searched here", "NFCorpus (BEIR)", measure, published[key][0], value, queries,
                "Anserini, regression beir-v1.0.0-nfcorpus.flat",
            )  # fmt: skip


def recorded_bm25(shared: Path, regressions: dict[str, dict]) -> Iterator[Row]:
    """Measure the recorded runs of BM25 on both years of TREC Deep Learning."""
    for year in ("19", "20"):
        folder, published = shared / f"collections/trec-dl{year}", regressions[f"dl{year}-passage"]["models"]
        for measure, key in (("nDCG@10", "nDCG@10"), ("Recall@100", "R@100")):
            value, queries = mean(
                read_run(folder / "runs/bm25.trec"), read_qrels(folder / "qrels-full.txt"), measure, 2
            )
            yield (
                "BM25", "recorded run", f"TREC DL 20{year}", measure, published["bm25-default"][key][0], value, queries,
                f"Anserini, regression dl{year}-passage",
            )  # fmt: skip


def submitted(shared: Path) -> Iterator[Row]:
    """Measure runs that were submitted to TREC Deep Learning 2019; NIST counts grade 1 as relevant in MAP."""
    folder = shared / "golden/trec-dl19-official"
    for name in ("ICT-BERT2", "ICT-CKNRM_B50"):
        for measure, kind, key in (("nDCG@10", "ndcgeval", "ndcg_cut_10"), ("AP", "treceval", "map")):
            lines = (line.split() for line in (folder / f"{name}.{kind}").read_text().splitlines())
            published = next(float(line[2]) for line in lines if line[:2] == [key, "all"])
            value, queries = mean(read_run(folder / f"{name}.run"), read_qrels(folder / "qrels-pass.txt"), measure, 1)
            yield (
                name, "submitted run", "TREC DL 2019", measure, published, value, queries, "NIST's trec_eval output",
            )  # fmt: skip


def reordered(shared: Path) -> Iterator[Row]:
    """Measure the orders that RankVicuna gave to BM25's top 100, as RankLLM recorded them."""
    spec = load(PublishedSpec, PROJECT / "config/published/twolar.yaml")
    (known,) = (item for item in spec.results if item.method == "RankVicuna" and item.first_stage == "bm25")
    for year in ("19", "20"):
        text = (shared / f"golden/sliding-window/rankvicuna.bm25.dl{year}.jsonl").read_text(encoding="utf-8")
        records = [json.loads(line) for line in text.splitlines()]
        run = {row["qid"]: [(name, -float(rank)) for rank, name in enumerate(row["final"])] for row in records}
        qrels = read_qrels(shared / f"collections/trec-dl{year}/qrels-full.txt")
        value, queries = mean(run, qrels, "nDCG@10", 2)
        yield (
            "RankVicuna on BM25", "recorded order", f"TREC DL 20{year}", "nDCG@10",
            known.values[f"trec-dl{year}"]["nDCG@10"], value, queries, known.source,
        )  # fmt: skip


def main() -> None:
    """Measure all, and keep it."""
    if not os.environ.get("SYNTHRANK_SHARED"):
        sys.exit("error: SYNTHRANK_SHARED is not set; it names the folder of the collections and published figures")
    shared = Path(os.environ["SYNTHRANK_SHARED"])
    regressions = json.loads((shared / "golden/anserini-regressions/regressions.json").read_text())
    rows = [
        *own_bm25(shared, regressions),
        *recorded_bm25(shared, regressions),
        *submitted(shared),
        *reordered(shared),
    ]
    path = PROJECT / "docs/published/measured.csv"
    with atomic_path(path) as made, made.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows((*row[:4], f"{row[4]:.4f}", f"{row[5]:.4f}", *row[6:]) for row in rows)
    sys.stdout.write(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
