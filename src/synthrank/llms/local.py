"""A causal language model in the job's own process, by transformers, from a folder of safetensors."""

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LogitsProcessorList

from synthrank.devices import device, dtype
from synthrank.errors import ModelError
from synthrank.llms.base import request_seed
from synthrank.llms.sampling import sampler
from synthrank.records import Message, Reply, Request
from synthrank.specs.llms import LocalLlm
from synthrank.texts import chunks
from synthrank.weights import own_weights

WINDOW = 16
"""Batches that are sorted by length and yielded together: more would be padded less, fewer come sooner."""

TEMPLATE_DATE = "26 Jul 2024"
"""Llama's chat templates write today's date into the prompt unless one is given; this is their own fallback."""

Target = tuple[int, list[int]]
"""A continuation to be scored: its place among the pairs, and its tokens."""


class Local:
    """A local model. Replies are the same in any batch, to the accuracy of the arithmetic.

    In float32 that means the same text; in bfloat16 the padding of a batch and the number of threads move the logits
    enough to change some replies, so that they are reproducible only with the same requests, batch size and threads.
    """

    def __init__(self, spec: LocalLlm, folder: Path) -> None:
        """Load the model onto the GPU if there is one.

        Raises:
            ModelError: the folder holds no model or lacks weights of it, or the model has no chat template.
        """
        if not (folder / "config.json").is_file():
            raise ModelError(f"{folder}: holds no model (config.json is absent); expected what unpack_model writes")
        self._spec = spec
        self._device = device()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left", local_files_only=True)
        if not self._tokenizer.chat_template:
            raise ModelError(f"{spec.model}: the tokenizer has no chat template; take an instruction-tuned model")
        with own_weights(folder):
            model: Any = AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=dtype(spec.dtype),
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
        """Return the log-probability of each continuation; see :class:`~synthrank.llms.base.Llm`.

        Messages that several continuations share are read once: 30 candidates of each of 48 questions in a collection
        of 328 passages cost a third of the time so.
        """
        prompts: dict[tuple[Message, ...], list[int]] = {}
        targets: dict[tuple[Message, ...], list[Target]] = {}
        for place, (messages, continuation) in enumerate(pairs):
            if messages not in prompts:
                prompts[messages] = self._prompt(messages)
            prompt = prompts[messages]
            target: list[int] = self._tokenizer(continuation, add_special_tokens=False)["input_ids"]
            if self._limit is not None and len(prompt) + len(target) > self._limit:
                raise ModelError(
                    f"pair {place} to be scored: its {len(prompt)} and {len(target)} tokens exceed the {self._limit} "
                    f"that {self._spec.model} can read; shorten the texts"
                )
            targets.setdefault(messages, []).append((place, target))
        scores = [0.0] * len(pairs)
        for batch in chunks(sorted(prompts, key=lambda messages: -len(prompts[messages])), self._spec.batch_size):
            found = self._score([prompts[messages] for messages in batch], [targets[messages] for messages in batch])
            for place, score in found:
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

    def _score(self, prompts: list[list[int]], targets: list[list[Target]]) -> Iterator[tuple[int, float]]:
        """Yield (place, score) of all targets of a batch of prompts; a target of one token needs no pass of its own."""
        ids, mask = self._padded(prompts)
        rows = [(row, place, target) for row, mine in enumerate(targets) for place, target in mine]
        longer = sorted((item for item in rows if len(item[2]) > 1), key=lambda item: -len(item[2]))
        with torch.inference_mode():
            output = self._model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
                use_cache=bool(longer),
                logits_to_keep=1,
            )
            # The logits at a position speak of the token after it.
            first = output.logits[:, -1].float().log_softmax(-1)
            scores = {place: first[row, target[0]].double().item() if target else 0.0 for row, place, target in rows}
            for batch in chunks(longer, self._spec.batch_size):
                of_rows = torch.tensor([row for row, _, _ in batch], device=self._device)
                cache = copy.deepcopy(output.past_key_values)
                cache.batch_select_indices(of_rows)
                rest = self._score_rest(cache, mask[of_rows], [target for _, _, target in batch])
                for (_, place, _), score in zip(batch, rest, strict=True):
                    scores[place] += score
        yield from scores.items()

    def _score_rest(self, cache: Any, read: torch.Tensor, targets: list[list[int]]) -> list[float]:
        """Return the scores of all but the first token of each target.

        Args:
            cache: of the prompts that were read, one row a target.
            read: their mask, of shape (rows, longest prompt).
            targets: of two tokens at least; the last one is only looked up.
        """
        width = max(map(len, targets)) - 1
        fed = torch.tensor([target[:-1] + [0] * (width + 1 - len(target)) for target in targets], device=self._device)
        wanted = torch.tensor([target[1:] + [0] * (width + 1 - len(target)) for target in targets], device=self._device)
        real = torch.arange(width, device=self._device) < torch.tensor(
            [[len(target) - 1] for target in targets], device=self._device
        )
        logits = self._model(
            input_ids=fed,
            attention_mask=torch.cat([read, real.to(read.dtype)], -1),
            position_ids=read.sum(-1, keepdim=True) + torch.arange(width, device=self._device),
            past_key_values=cache,
            use_cache=True,
        ).logits
        found = logits.float().log_softmax(-1).gather(-1, wanted[:, :, None])[:, :, 0].double()
        sums: list[float] = found.where(real, 0.0).sum(-1).tolist()
        return sums
