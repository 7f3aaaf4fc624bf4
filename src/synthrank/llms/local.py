"""A causal language model in the job's own process, by transformers, from a folder of safetensors."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LogitsProcessorList

from synthrank.errors import ModelError
from synthrank.llms.base import request_seed
from synthrank.llms.sampling import sampler
from synthrank.records import Message, Reply, Request
from synthrank.specs.llms import LocalLlm

WINDOW = 16
"""Batches that are sorted by length and yielded together: more would be padded less, fewer come sooner."""

TEMPLATE_DATE = "26 Jul 2024"
"""Llama's chat templates write today's date into the prompt unless one is given; this is their own fallback."""


class Local:
    """A local model. Replies are the same in any batch, to the accuracy of the arithmetic.

    In float32 that means the same text; in bfloat16 the padding of a batch and the number of threads move the logits
    enough to change some replies, so that they are reproducible only with the same requests, batch size and threads.
    """

    def __init__(self, spec: LocalLlm, folder: Path) -> None:
        """Load the model onto the GPU if there is one.

        Raises:
            ModelError: the folder holds no model, or the model has no chat template.
        """
        if not (folder / "config.json").is_file():
            raise ModelError(f"{folder}: holds no model (config.json is absent); expected what unpack_model writes")
        self._spec = spec
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left", local_files_only=True)
        if not self._tokenizer.chat_template:
            raise ModelError(f"{spec.model}: the tokenizer has no chat template; take an instruction-tuned model")
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=getattr(torch, spec.dtype),
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
        self._model = model.to(self._device).eval()
        ends = model.generation_config.eos_token_id
        self._ends = {*(ends if isinstance(ends, list) else [ends]), self._tokenizer.eos_token_id} - {None}
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token_id = min(self._ends)
        # A model's own file may state top_k or a repetition penalty, which generate() would apply unasked.
        model.generation_config = GenerationConfig(
            do_sample=False, eos_token_id=sorted(self._ends), pad_token_id=self._tokenizer.pad_token_id
        )
        self._limit: int | None = getattr(model.config.get_text_config(), "max_position_embeddings", None)

    def generate(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Yield one reply a request; see :class:`~synthrank.llms.base.Llm`.

        All lengths are checked before the first token is written. ``tokens_out`` counts the end token.
        """
        prompts = [self._prompt(request.messages) for request in requests]
        room = self._spec.sampling.max_new_tokens
        for request, prompt in zip(requests, prompts, strict=True):
            if self._limit is not None and len(prompt) + room > self._limit:
                raise ModelError(
                    f"query {request.query_id}: its prompt of {len(prompt)} tokens and {room} new ones exceed the "
                    f"{self._limit} that {self._spec.model} can read; shorten the prompt or lower max_new_tokens"
                )
        size = self._spec.batch_size
        for start in range(0, len(requests), WINDOW * size):
            window = range(start, min(start + WINDOW * size, len(requests)))
            order = sorted(window, key=lambda place: (-len(prompts[place]), place))
            replies: dict[int, Reply] = {}
            for first in range(0, len(order), size):
                batch = order[first : first + size]
                written = self._write([requests[place] for place in batch], [prompts[place] for place in batch])
                replies.update(zip(batch, written, strict=True))
            yield from (replies[place] for place in window)

    def score(self, pairs: Sequence[tuple[tuple[Message, ...], str]]) -> list[float]:
        """Return the log-probability of each continuation; see :class:`~synthrank.llms.base.Llm`."""
        rows = []
        for place, (messages, continuation) in enumerate(pairs):
            prompt = self._prompt(messages)
            target: list[int] = self._tokenizer(continuation, add_special_tokens=False)["input_ids"]
            if self._limit is not None and len(prompt) + len(target) > self._limit:
                raise ModelError(
                    f"pair {place} to be scored: its {len(prompt)} and {len(target)} tokens exceed the {self._limit} "
                    f"that {self._spec.model} can read; shorten the texts"
                )
            rows.append((prompt, target))
        order = sorted(range(len(rows)), key=lambda place: (-len(rows[place][0]) - len(rows[place][1]), place))
        scores = [0.0] * len(rows)
        for first in range(0, len(order), self._spec.batch_size):
            batch = order[first : first + self._spec.batch_size]
            for place, score in zip(batch, self._score([rows[place] for place in batch]), strict=True):
                scores[place] = score
        return scores

    def _prompt(self, messages: tuple[Message, ...]) -> list[int]:
        """Return the token ids of a conversation, up to where the model's reply begins."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            text = self._tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=True, date_string=TEMPLATE_DATE
            )
        except TemplateError as error:
            roles = ", ".join(message.role for message in messages)
            raise ModelError(
                f"{self._spec.model}: its chat template refuses the turns {roles} ({error}); change the prompt file"
            ) from error
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _padded(self, rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ids and mask of shape (rows, longest row), padded on the left."""
        batch = self._tokenizer.pad({"input_ids": rows}, padding_side="left", return_tensors="pt").to(self._device)
        return batch["input_ids"], batch["attention_mask"]

    def _write(self, requests: list[Request], prompts: list[list[int]]) -> list[Reply]:
        """Return the replies of one batch."""
        sampling = self._spec.sampling
        ids, mask = self._padded(prompts)
        seeds = [request_seed(sampling.seed, request) for request in requests]
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=sampling.max_new_tokens,
                logits_processor=LogitsProcessorList(sampler(sampling, seeds, self._device)),
            )
        replies = []
        for request, prompt, row in zip(requests, prompts, output[:, ids.shape[1] :].tolist(), strict=True):
            end = next((place for place, token in enumerate(row) if token in self._ends), None)
            replies.append(
                Reply(
                    query_id=request.query_id,
                    query=request.query,
                    sample=request.sample,
                    text=self._tokenizer.decode(row[:end], skip_special_tokens=True),
                    finish_reason="length" if end is None else "stop",
                    tokens_in=len(prompt),
                    tokens_out=len(row) if end is None else end + 1,
                    model=self._spec.model,
                    sampling=sampling.model_dump(),
                    messages=request.messages,
                )
            )
        return replies

    def _score(self, rows: list[tuple[list[int], list[int]]]) -> list[float]:
        """Return the scores of one batch by one forward pass over prompts and continuations."""
        ids, mask = self._padded([prompt + target for prompt, target in rows])
        kept = max(len(target) for _, target in rows)
        with torch.inference_mode():
            logits = self._model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
                use_cache=False,
                logits_to_keep=kept + 1,
            ).logits
        scores = []
        for row, (_, target) in enumerate(rows):
            # The logits at a position speak of the token after it.
            about = logits[row, -len(target) - 1 : -1].float().log_softmax(-1)
            wanted = torch.tensor(target, dtype=torch.long, device=about.device)
            scores.append(about.gather(-1, wanted[:, None]).sum(dtype=torch.float64).item())
        return scores
