"""The backend of local models: a causal language model in the job's process, by transformers."""

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LogitsProcessorList

from synthrank.config.llms import LocalLlm
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.records import Message, Reply, Request
from synthrank.errors import ModelError
from synthrank.llms.base import request_seed
from synthrank.llms.parsing.thoughts import find_started, remove_thoughts
from synthrank.llms.sampling import sampler
from synthrank.runtime.model_checks import own_weights
from synthrank.runtime.torch_setup import device, dtype

WINDOW = 16
"""Batches that are sorted by length and yielded together: more need less padding, fewer yield replies sooner."""

TEMPLATE_DATE = "26 Jul 2024"
"""Llama's chat templates write today's date into the prompt by default; this is their fallback date."""

PROMPT_END = 16
"""Tokens at the end of a prompt in which a mark of a thought is searched."""

Target = tuple[int, list[int]]
"""A continuation to score: its place among the pairs, and its tokens."""


class Local:
    """A local model. Up to rounding, a reply is independent of the other requests in its batch.

    In float32 the text is the same in any batch. In bfloat16, the padding of a batch and the number of threads change
    the logits enough to change some replies; they are reproducible with the same requests, batch size and threads.
    """

    def __init__(self, spec: LocalLlm, folder: Path) -> None:
        """Load the model onto the GPU if there is one.

        Raises:
            ModelError: the folder has no model or lacks weights, or the model has no chat template.
        """
        if not (folder / "config.json").is_file():
            raise ModelError(f"{folder}: no model (config.json is missing); expected a folder that unpack_model writes")
        self._spec = spec
        self._device = device()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left", local_files_only=True)
        if not self._tokenizer.chat_template:
            raise ModelError(f"{spec.model}: the tokenizer has no chat template; use an instruction-tuned model")
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
        # The model's generation_config.json may set top_k or a repetition penalty, which generate() would apply.
        model.generation_config = GenerationConfig(
            do_sample=False, eos_token_id=sorted(self._ends), pad_token_id=self._tokenizer.pad_token_id
        )
        self._limit: int | None = getattr(model.config.get_text_config(), "max_position_embeddings", None)

    def generate(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Yield one reply per request; see :class:`~synthrank.llms.base.Llm`.

        All lengths are checked before any token is generated. ``tokens_out`` includes the end token.
        """
        prompts = [self._prompt(request.messages) for request in requests]
        room = self._spec.sampling.max_new_tokens
        for request, prompt in zip(requests, prompts, strict=True):
            if self._limit is not None and len(prompt) + room > self._limit:
                raise ModelError(
                    f"query {request.query_id}: the prompt of {len(prompt)} tokens plus {room} new tokens exceeds the "
                    f"context of {self._spec.model}, {self._limit} tokens; shorten the prompt or lower max_new_tokens"
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

        Messages that several continuations share are encoded once. For 48 queries with 30 candidates each, from a
        corpus of 328 passages, this takes a third of the time.
        """
        prompts: dict[tuple[Message, ...], list[int]] = {}
        targets: dict[tuple[Message, ...], list[Target]] = {}
        for place, (messages, continuation) in enumerate(pairs):
            if messages not in prompts:
                prompts[messages] = self._prompt(messages)
            prompt = prompts[messages]
            target: list[int] = self._tokenizer(continuation, add_special_tokens=False, split_special_tokens=True)[
                "input_ids"
            ]
            if self._limit is not None and len(prompt) + len(target) > self._limit:
                raise ModelError(
                    f"pair {place}: its {len(prompt)} and {len(target)} tokens exceed the context of "
                    f"{self._spec.model}, {self._limit} tokens; shorten the texts"
                )
            targets.setdefault(messages, []).append((place, target))
        scores = [0.0] * len(pairs)
        for batch in split_into_batches(
            sorted(prompts, key=lambda messages: -len(prompts[messages])), self._spec.batch_size
        ):
            found = self._score([prompts[messages] for messages in batch], [targets[messages] for messages in batch])
            for place, score in found:
                scores[place] = score
        return scores

    def _prompt(self, messages: tuple[Message, ...]) -> list[int]:
        """Return the token ids of a conversation, up to the start of the model's reply."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            ids: list[int] = self._tokenizer.apply_chat_template(
                turns,
                return_dict=False,
                add_generation_prompt=True,
                sanitize_control_tokens=True,  # the tokens of the template in a text are text
                date_string=TEMPLATE_DATE,
            )
        except TemplateError as error:
            roles = ", ".join(message.role for message in messages)
            raise ModelError(
                f"{self._spec.model}: the chat template refuses the turns {roles} ({error}); change the prompt file"
            ) from error
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
            # A chat template may start a thought at the end of the prompt.
            started = find_started(self._tokenizer.decode(prompt[-PROMPT_END:]))
            replies.append(
                Reply(
                    query_id=request.query_id,
                    query=request.query,
                    sample=request.sample,
                    text=started + self._decode(row[:end]),
                    finish_reason="length" if end is None else "stop",
                    tokens_in=len(prompt),
                    tokens_out=len(row) if end is None else end + 1,
                    model=self._spec.model,
                    sampling=sampling.model_dump(),
                    messages=request.messages,
                )
            )
        return replies

    def _decode(self, tokens: list[int]) -> str:
        """Return the text of tokens without special tokens, unless some of them mark thoughts."""
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True)
        whole: str = self._tokenizer.decode(tokens)
        return whole if remove_thoughts(whole)[1] and not remove_thoughts(text)[1] else text

    def _score(self, prompts: list[list[int]], targets: list[list[Target]]) -> Iterator[tuple[int, float]]:
        """Yield (place, score) of all targets of a batch of prompts; targets of one token need no second pass."""
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
            # The logits at a position predict the next token.
            first = output.logits[:, -1].float().log_softmax(-1)
            scores = {place: first[row, target[0]].double().item() if target else 0.0 for row, place, target in rows}
            for batch in split_into_batches(longer, self._spec.batch_size):
                of_rows = torch.tensor([row for row, _, _ in batch], device=self._device)
                cache = copy.deepcopy(output.past_key_values)
                cache.batch_select_indices(of_rows)
                rest = self._score_rest(cache, mask[of_rows], [target for _, _, target in batch])
                for (_, place, _), score in zip(batch, rest, strict=True):
                    scores[place] += score
        yield from scores.items()

    def _score_rest(self, cache: Any, read: torch.Tensor, targets: list[list[int]]) -> list[float]:
        """Return the summed log-probability of each target's tokens after the first.

        Args:
            cache: key-value cache of the prompts, one row per target.
            read: attention mask of the prompts, of shape (rows, longest prompt).
            targets: token ids, at least two per target; the last token of a target is not fed to the model.
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
