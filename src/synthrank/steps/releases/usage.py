"""Python code that loads a released model and ranks with it, without this project."""

from synthrank.config.rankers import BiEncoderRanker, CrossEncoderRanker, PromptRanker, RankerSpec, Seq2SeqRanker

QUERY = "how does it work?"
PASSAGES = ("A search engine returns passages that answer the question.", "Bread needs flour, water, salt and yeast.")


def usage(spec: RankerSpec) -> str:
    """Return code that scores a query with two passages; it runs in the folder of the model."""
    if isinstance(spec, BiEncoderRanker):
        return _show_bi_encoder(spec)
    return _cross_encoder(spec) if isinstance(spec, CrossEncoderRanker) else _show_language_model(spec)


def library(spec: RankerSpec) -> str:
    """Return the library that loads the model."""
    return "transformers" if isinstance(spec, PromptRanker) else "sentence-transformers"


def _show_texts(passages: list[str]) -> str:
    return "[\n" + "".join(f"    {text!r},\n" for text in passages) + "]"


def _show_bi_encoder(spec: BiEncoderRanker) -> str:
    return f"""\
from sentence_transformers import SentenceTransformer

model = SentenceTransformer(".")
model.max_seq_length = {spec.eval_length}
query = {spec.query_prefix + QUERY!r}
passages = {_show_texts([spec.passage_prefix + text for text in PASSAGES])}
scores = model.similarity(model.encode(query), model.encode(passages))[0]
print(scores.tolist())"""


def _cross_encoder(spec: CrossEncoderRanker) -> str:
    one = "scores"
    options = ""
    if spec.labels == 2:
        one = "scores[:, 1]" if spec.score == "softmax" else "scores[:, 1] - scores[:, 0]"
        options = ", apply_softmax=True" if spec.score == "softmax" else ""
    return f"""\
from sentence_transformers import CrossEncoder
from torch.nn import Identity

model = CrossEncoder(".", max_length={spec.eval_length})
query = {QUERY!r}
passages = {_show_texts(list(PASSAGES))}
pairs = [(query, passage) for passage in passages]
scores = model.predict(pairs, activation_fn=Identity(){options})
print(({one}).tolist())"""


def _show_language_model(spec: PromptRanker) -> str:
    score = {
        "difference": "logits[:, ids[0]] - logits[:, ids[1]]",
        "softmax": "logits[:, ids].softmax(dim=1)[:, 0]",
        "extra-id": "logits[:, ids[0]]",
    }[spec.score]
    if isinstance(spec, Seq2SeqRanker):
        family = "AutoModelForSeq2SeqLM"
        forward = """\
start = torch.full((len(texts), 1), model.config.decoder_start_token_id)
with torch.inference_mode():
    logits = model(**inputs, decoder_input_ids=start).logits[:, 0]"""
    else:
        family = "AutoModelForCausalLM"
        forward = """\
last = inputs["attention_mask"].sum(dim=1) - 1
with torch.inference_mode():
    logits = model(**inputs).logits[torch.arange(len(texts)), last]"""
    return f"""\
import torch
from transformers import {family}, AutoTokenizer

model = {family}.from_pretrained(".")
tokenizer = AutoTokenizer.from_pretrained(".", padding_side="right")
query = {QUERY!r}
passages = {_show_texts(list(PASSAGES))}
prompt = {spec.prompt!r}
texts = [prompt.format(query=query, passage=passage) for passage in passages]
inputs = tokenizer(texts, padding=True, return_tensors="pt")
{forward}
ids = [tokenizer(text, add_special_tokens=False).input_ids[0] for text in {spec.answers!r}]
print(({score}).tolist())"""
