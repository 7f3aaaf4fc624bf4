"""Predict queries from passages with a sequence-to-sequence model of transformers."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    GenerationConfig,
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
)

from synthrank.config.augmentations import Doc2QueryQueries
from synthrank.data.records import Message, Passage, Request
from synthrank.errors import ModelError
from synthrank.llms.base import request_seed
from synthrank.llms.sampling import GumbelNoise
from synthrank.runtime.model_checks import own_weights
from synthrank.runtime.special_tokens import read_as_text
from synthrank.runtime.torch_setup import device, dtype


class Predictor:
    """Samples queries from passages by top-k (Nogueira and Lin 2019, From doc2query to docTTTTTquery).

    Each passage has separate random numbers, so up to rounding its queries are the same in any batch. In float32 the
    texts are equal; in the 16-bit types some may differ.
    """

    def __init__(self, settings: Doc2QueryQueries, folder: Path) -> None:
        """Load the model onto the GPU if there is one.

        Raises:
            ModelError: the folder has no sequence-to-sequence model, or lacks weights.
        """
        if not (folder / "config.json").is_file():
            raise ModelError(f"{folder}: no model (config.json is missing); expected a folder that unpack_model writes")
        config: Any = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if not config.is_encoder_decoder:
            raise ModelError(
                f"{folder}: {config.model_type} is not a sequence-to-sequence model; use a docT5query model, such as "
                "castorini/doc2query-t5-base-msmarco"
            )
        self._settings, self._device = settings, device()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        read_as_text(self._tokenizer)
        number = dtype(settings.dtype)
        with own_weights(folder):
            model: Any = AutoModelForSeq2SeqLM.from_pretrained(
                folder, dtype=number, use_safetensors=True, local_files_only=True, trust_remote_code=False
            )
        self._model = model.to(self._device).eval()
        # The model's generation_config.json may set beams or penalties, which generate() would apply.
        model.generation_config = GenerationConfig(
            do_sample=False,
            decoder_start_token_id=config.decoder_start_token_id,
            eos_token_id=config.eos_token_id,
            pad_token_id=config.pad_token_id,
        )

    def lengths(self, passages: Sequence[Passage]) -> list[int]:
        """Return the number of tokens of each passage, after truncation to ``max_length``."""
        return [len(self._tokenizer(item.text, **self._cut)["input_ids"]) for item in passages]

    def predict(self, passages: Sequence[Passage]) -> Iterator[tuple[Passage, list[str]]]:
        """Yield each passage with its queries, in batches of similar length, longest first; a query may be empty."""
        lengths = self.lengths(passages)
        order = sorted(range(len(passages)), key=lambda place: (-lengths[place], place))
        # A batch has all rows of its passages: at most batch_size rows, or the rows of one passage.
        size = max(1, self._settings.batch_size // self._settings.per_passage)
        for start in range(0, len(order), size):
            batch = [passages[place] for place in order[start : start + size]]
            texts = self._sampled(batch)
            for place, passage in enumerate(batch):
                first = place * self._settings.per_passage
                yield passage, texts[first : first + self._settings.per_passage]

    @property
    def _cut(self) -> dict[str, Any]:
        return {"truncation": True, "max_length": self._settings.max_length}

    def _sampled(self, batch: Sequence[Passage]) -> list[str]:
        """Return ``per_passage`` texts per passage of a batch, grouped by passage."""
        settings = self._settings
        rows = [(passage, number) for passage in batch for number in range(settings.per_passage)]
        inputs = self._tokenizer([passage.text for passage, _ in rows], padding=True, return_tensors="pt", **self._cut)
        noise = GumbelNoise([self._seed(passage, number) for passage, number in rows], self._device)
        sampler = [TemperatureLogitsWarper(settings.temperature), TopKLogitsWarper(settings.top_k), noise]
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=inputs["input_ids"].to(self._device),
                attention_mask=inputs["attention_mask"].to(self._device),
                max_new_tokens=settings.max_new_tokens,
                logits_processor=LogitsProcessorList(sampler),
            )
        texts = self._tokenizer.batch_decode(output, skip_special_tokens=True)
        return [" ".join(text.split()) for text in texts]

    def _seed(self, passage: Passage, number: int) -> int:
        return request_seed(self._settings.seed, Request("", "", (Message("user", passage.text),), sample=number))
