"""Cross-encoders of sentence-transformers with one score per pair and little padding.

One class for encoders, T5s and decoders. The library's trainer, losses and ``predict`` work on it unchanged, and
:mod:`synthrank.rankers.batching` splits each of their forward passes.
"""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sentence_transformers import CrossEncoder
from sentence_transformers.base.modules import Module
from torch import Tensor, nn

from synthrank.config.rankers import CrossEncoderRanker, DecoderRanker, Reranker, Seq2SeqRanker
from synthrank.data.records import Query
from synthrank.errors import ModelError
from synthrank.rankers.batching import LENGTHS, BatchLimits, budget, encode_in_runs
from synthrank.rankers.decoder import open_decoder
from synthrank.rankers.prompt_score import STRATEGIES, PromptScore
from synthrank.rankers.seq2seq import open_seq2seq
from synthrank.runtime.model_checks import own_weights, refuse_long
from synthrank.runtime.torch_setup import device, dtype, has_bfloat16, seed_everything
from synthrank.vectors.encoder import drop_chat_template, drop_prompts, pad_right, read_texts_plainly


class PairModel(CrossEncoder):  # type: ignore[misc]  # the library is untyped
    """A model that maps each pair of texts to one score."""

    limit: BatchLimits | None = None
    """Size of a forward pass; ``None`` for one pass per batch."""

    @property
    def num_labels(self) -> int:
        """Return 1, which the library's losses need: the two outputs of a head become one score."""
        return 1

    def preprocess(self, inputs: Any, prompt: str | None = None, **kwargs: Any) -> dict[str, Any]:
        """Return the tokens of pairs, and the number of tokens per pair."""
        features: dict[str, Any] = super().preprocess(inputs, prompt=prompt, **kwargs)
        if LENGTHS not in features and "attention_mask" in features:
            features[LENGTHS] = features["attention_mask"].sum(dim=1).tolist()
        return features

    def forward(self, input: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Return the features with ``scores``, shape (pairs, 1)."""
        forward = partial(super().forward, **kwargs)
        if self.limit is None:
            return dict(forward(input))
        return {**input, "scores": encode_in_runs(forward, input, "scores", self.limit)}

    def save_as_base(self, folder: Path) -> None:
        """Write a model for other libraries: a language model, or a cross-encoder with all outputs of its head."""
        if isinstance(self[0], PromptScore):
            self[0].save(str(folder))
        else:
            plain = CrossEncoder(modules=[item for item in self if not isinstance(item, OneScore)], device=self.device)
            plain.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)


class OneScore(Module):  # type: ignore[misc]  # the library is untyped
    """Turn the two outputs of a head into one score; the second is for *relevant*, as in monoBERT and monoELECTRA."""

    def __init__(self, score: str) -> None:
        super().__init__()
        self._strategy = STRATEGIES[score]

    def forward(self, features: dict[str, Tensor], **_: Any) -> dict[str, Tensor]:
        """Return the features with ``scores`` of shape (pairs, 1) in place of (pairs, 2)."""
        return {**features, "scores": self._strategy(features["scores"].flip(1))[:, None]}

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """Write nothing: the ranker's file states the score."""


class PairScorer:
    """Score pairs at the evaluation length and in the ranker's precision."""

    def __init__(self, spec: Reranker, checkpoint: Path, seed: int) -> None:
        """Load the model; ``seed`` is for a new head if an encoder has no head."""
        self._checkpoint = checkpoint
        number = "bfloat16" if spec.bf16 and has_bfloat16() else "float32"
        self.model = open_pair_model(spec, checkpoint, seed, number, spec.eval_length)

    def scores(self, pairs: Sequence[tuple[Query, str, str]]) -> list[float]:
        """Return the scores of (query, passage id, passage text) triples.

        Raises:
            ModelError: a score is not finite.
        """
        scores = self.model.predict(
            [(query.text, text) for query, _, text in pairs],
            batch_size=len(pairs),  # the model splits the batch by tokens
            activation_fn=nn.Identity(),  # a sigmoid would round different logits to the same score
            show_progress_bar=False,
            convert_to_tensor=True,
        )
        found: list[float] = scores.float().tolist()
        for (query, name, _), score in zip(pairs, found, strict=True):
            if not math.isfinite(score):
                raise ModelError(
                    f"{self._checkpoint}: the score of query {query.id} and passage {name} is {score}; expected finite "
                    "numbers"
                )
        return found


def open_pair_model(
    spec: Reranker, folder: Path, seed: int, dtype_name: str = "float32", max_length: int | None = None
) -> PairModel:
    """Load a reranker from a checkpoint or a pretrained model.

    Args:
        spec: the ranker.
        folder: the model.
        seed: seed of a new head if an encoder has no head.
        dtype_name: the type of the weights.
        max_length: tokens of query and passage together; by default as in training.

    Raises:
        ModelError: the folder does not contain such a model, weights are missing, or the model's maximum length is
            below ``max_length``.
    """
    seed_everything(seed)
    length = max_length or spec.max_length
    if not isinstance(spec, CrossEncoderRanker):
        first = _open_prompt_score(spec, folder, dtype_name, length)
        model = PairModel(modules=[first], device=device())
        heads = [f"0.model.{first.head}"]
    else:
        model = _open_encoder(spec, folder, dtype_name, length)
        refuse_long(model.transformers_model, folder, spec.longest)
        if not (folder / "modules.json").is_file():
            drop_chat_template(model)
        drop_prompts(model)
        pad_right(model, folder)
        read_texts_plainly(model)
        linear = [(name, part) for name, part in model.named_modules() if type(part) is nn.Linear]
        heads = [name for name, part in linear[-1:] if part.out_features == spec.labels]
    # The head is cheap to compute. In bfloat16, different scores would be rounded to the same number.
    model.set_keep_in_fp32_modules(heads)
    model.limit = budget(device(), spec.eval_batch_size, length)
    return model


def _open_prompt_score(spec: Seq2SeqRanker | DecoderRanker, folder: Path, dtype_name: str, length: int) -> PromptScore:
    if isinstance(spec, Seq2SeqRanker):
        return open_seq2seq(spec, folder, dtype(dtype_name), length)
    return open_decoder(spec, folder, dtype(dtype_name), length)


def _open_encoder(spec: CrossEncoderRanker, folder: Path, dtype_name: str, length: int) -> PairModel:
    try:
        with own_weights(folder, head=True):
            model = PairModel(
                str(folder),
                device=device(),
                local_files_only=True,
                num_labels=spec.labels,
                max_length=length,
                model_kwargs={"dtype": dtype(dtype_name)},
            )
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"{folder}: not a cross-encoder with {spec.labels} outputs ({reason}); expected config.json, tokenizer and "
            "safetensors"
        ) from error
    if spec.labels == 2:
        model.append(OneScore(spec.score))
    return model
