"""Files of a small finished experiment whose texts contain markup and scripts."""

import json
from pathlib import Path

from synthrank.data.files import write_jsonl
from synthrank.data.records import Ask, Dropped, Message, Order, Passage, Pool, Pooled, Query, Reply, WrittenPassage

ROOT = Path(__file__).resolve().parents[2]
ATTACK = "</script><script>window.attacked=1</script><img src=x onerror='window.attacked=1'>&lt;b&gt;"
ID = """\
ranker,recipe,llm,testset,measure,mean,std,ci_low,ci_high,seeds,queries,delta,p,p_holm
bm25,none,none,gardens,nDCG@10,0.3000,,0.2000,0.4000,1,8,,,
bi-encoder,none,none,gardens,nDCG@10,0.2000,,0.1000,0.3000,1,8,-0.2000,0.500000,0.500000
bi-encoder,human,none,gardens,nDCG@10,0.4000,,0.3000,0.5000,1,8,,,
bi-encoder,zero-shot,echo,gardens,nDCG@10,0.1000,,0.0500,0.2000,1,8,-0.3000,0.001000,0.004000
bi-encoder,human,none,gardens,MRR@10,0.9000,,0.8000,1.0000,1,8,,,
"""
TWIN = "# In distribution\n\nWhat it shows & not <b>bold</b>.\n\n## nDCG@10\n\n| a |\n|---|\n| 1 |\n\n† differs.\n"
COST = """\
corpus,kind,paradigm,llm,replies,actual_usd
gardens,passages,zero-shot,echo,2,0.5
gardens,passages,zero-shot,other,2,0.25
gardens,queries,inpars,echo,2,0.125
"""
EXPERIMENT = {
    "llms": ["echo"],
    "recipes": ["human", "zero-shot"],
    "rankers": ["bi-encoder"],
    "suites": ["toy"],
    "seeds": [1],
    "intervals": {"resamples": 10, "confidence": 0.95, "seed": 13},
}
GRAPH = {
    "rules": [["build", "corpora", "Build it."], ["train", "checkpoints", "Train it."], ["table", "tables", "Count."]],
    "edges": [["build", "train"], ["train", "train"], ["train", "table"], ["build", "table"]],
}
SPECS = {
    "recipes/human": "kind: pairs\ncorpus: gardens\npositives: [{paradigm: human, queries: 12}]\n"
    "negatives: {source: human, retriever: bm25}\nseed: 77\n",
    "recipes/zero-shot": "kind: pairs\ncorpus: gardens\npositives: [{paradigm: zero-shot, queries: 12}]\n"
    "negatives: {source: human, retriever: bm25}\n",
    "paradigms/human": "kind: human\n",
    "paradigms/zero-shot": "kind: generated\nprompt: passage\n",
    "testsets/gardens": "corpus: gardens\nsplit: test\n",
    "models/tiny": "source: hub\nrepo: example/tiny\nrevision: abc123\n",
}
PLACE = "results/passages/gardens/zero-shot/draw-0/echo"


class Case:
    """The files of an experiment, and the keywords of the step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report = folder / "results/report.html"
        tables = [self.text("results/tables/id.csv", ID), self.text("results/tables/cost.csv", COST)]
        chart = {
            "title": {"text": "Means", "subtitle": ["It shows means.", "It shows no cause."]},
            "data": {"values": [{"a": 1, "b": ATTACK}, {"a": 3, "b": "two"}]},
            "mark": "bar",
            "encoding": {"x": {"field": "a", "type": "quantitative"}, "y": {"field": "b", "type": "nominal"}},
        }
        run = "results/runs/testsets/gardens"
        corpus, pool = "results/corpora/gardens", "results/rankings/gardens/titles/both"
        candidates = (Pooled("p1", {"bm25": 1, "minilm": 2}), Pooled("p2", {"bm25": 2, "minilm": 1}))
        asked = Ask("a1", 0, ("p1", "p2"), f"[2] > [1] {ATTACK}", "repaired")
        self.keywords = {
            "tables": tables,
            "markdown": [self.text("results/tables/id.md", TWIN)],
            "figures": [self.text("results/figures/effectiveness.vl.json", json.dumps(chart))],
            **self._written(),
            "testsets": [self.text("config/testsets/gardens.yaml", SPECS["testsets/gardens"])],
            "queries": [self.rows(f"{corpus}/test/queries.jsonl", Query("t1", "Which tulip?"), Query("t2", "x"))],
            "qrels": [self.text(f"{corpus}/test/qrels.txt", "t1 0 p2 1\n")],
            "collections": [
                self.rows(f"{corpus}/passages.jsonl", Passage("p1", ATTACK), Passage("p2", "tulip " * 200))
            ],
            "first_runs": [
                self.text("results/runs/corpora/gardens/bm25/test.trec", "t1 Q0 p1 1 2 x\nt1 Q0 p2 2 1 x\n")
            ],
            "runs": [
                self.text(f"{run}/{name}/bi-encoder/seed-1.trec", "t1 Q0 p2 1 2 x\nt1 Q0 p1 2 1 x\n")
                for name in ("none/none", "human/none", "zero-shot/echo")
            ],
            "candidates": [
                self.rows(f"{pool}/candidates.jsonl", Pool("a1", "Ask me", candidates))
            ],
            "orders": [self.rows(f"{pool}/sliding/echo/orders.jsonl", Order("a1", "Ask me", ("p2", "p1")))],
            "asks": [self.rows(f"{pool}/sliding/echo/asks.jsonl", asked)],
            "specs": [self.text(f"config/{name}.yaml", text) for name, text in SPECS.items()],
            "environments": [ROOT / "envs/report.yaml"],
            "template": ROOT / "src/synthrank/steps/report/page.html.j2",
            "style": ROOT / "src/synthrank/steps/report/page.css",
            "script": ROOT / "src/synthrank/steps/report/page.js",
            "experiment": json.dumps(EXPERIMENT),
            "graph": json.dumps(GRAPH),
            "benchmarks": folder / "results/benchmarks",
            "report": self.report,
        }  # fmt: skip

    def _written(self) -> dict[str, list[Path]]:
        human = WrittenPassage("h1", "A person wrote this.", "q1", "How often?", 2)
        turn = (Message("user", f"Write it. {ATTACK}"),)
        replies = [
            Reply("q1", "How often?", 0, f"Sure! {ATTACK}", "stop", 1, 2, "echo", {}, turn),
            Reply("q2", "How warm?", 0, "As a model I cannot.", "length", 1, 2, "echo", {}, turn),
        ]
        written = WrittenPassage("w1", ATTACK, "q1", "How often?")
        return {
            "written": [
                self.rows("results/passages/gardens/human/draw-0/none/passages.jsonl", human),
                self.rows(f"{PLACE}/passages.jsonl", written, WrittenPassage("w3", "x", "q2", "How warm?")),
            ],
            "replies": [self.rows(f"{PLACE}/replies.jsonl", *replies)],
            "dropped": [self.rows(f"{PLACE}/dropped.jsonl", Dropped("q2", 0, "refusal", "As a model I cannot."))],
        }

    def text(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def rows(self, name: str, *records: object) -> Path:
        write_jsonl(self.folder / name, records)
        return self.folder / name

    def made(self, **other: object) -> str:
        """Make the page and return its text."""
        from synthrank.steps.report.make_report import make_report

        make_report(**(self.keywords | other))  # type: ignore[arg-type]
        return self.report.read_text(encoding="utf-8")
