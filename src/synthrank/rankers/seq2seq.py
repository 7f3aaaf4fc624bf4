"""T5 as a reranker: the first module of a sentence-transformers cross-encoder, so that its trainer and losses serve.

The score comes from the logits of the first token that the model would write after its prompt (Nogueira et al. 2020).
"""

from pathlib import Path
from typing import Any

import torch
from sentence_transformers.base.modules import InputModule
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from synthrank.errors import ModelError
from synthrank.rankers.microbatch import LENGTHS
from synthrank.rankers.one_step import attend_in_one_step
from synthrank.rankers.pair_prompt import Pair, PairPrompt
from synthrank.rankers.strategies import STRATEGIES
from synthrank.specs.rankers import Seq2SeqRanker
from synthrank.weights import own_weights


class Seq2SeqScore(InputModule):  # type: ignore[misc]  # the library is untyped
    """Prompts in, one score a pair out."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        spec: Seq2SeqRanker,
        max_length: int | None = None,
    ) -> None:
        """Take a model.

        Args:
            model: a T5 with its language model's head.
            tokenizer: its tokenizer.
            spec: prompt, answers and how they make a score.
            max_length: tokens of a prompt; as in training by default.

        Raises:
            ModelError: an answer is not one token, both are the same, or the prompt alone exceeds the length.
        """
        super().__init__()
        attend_in_one_step(model)
        self.model, self.tokenizer = model, tokenizer
        self.max_seq_length = max_length or spec.max_length
        self.prompt = PairPrompt(spec.prompt, tokenizer, self.max_seq_length)
        self.passages_cut = self.queries_cut = 0
        self._strategy = STRATEGIES[spec.score]
        self._answers = answers_of(tokenizer, spec)

    def preprocess(self, inputs: list[Pair], prompt: str | None = None, **_: Any) -> dict[str, Any]:
        """Return the tokens of the pairs' prompts, each (pairs, longest prompt), and count the pairs that were cut."""
        fitted = self.prompt.fit(inputs)
        self.passages_cut += fitted.passages_cut
        self.queries_cut += fitted.queries_cut
        lengths = [len(row) for row in fitted.ids]
        ids = pad_sequence(
            [torch.tensor(row) for row in fitted.ids], batch_first=True, padding_value=self.tokenizer.pad_token_id
        )
        mask = torch.arange(ids.shape[1]) < torch.tensor(lengths)[:, None]
        return {"input_ids": ids, "attention_mask": mask.long(), LENGTHS: lengths}

    def forward(self, features: dict[str, Tensor], **_: Any) -> dict[str, Tensor]:
        """Return the scores, shape (pairs, 1), by the encoder and one step of the decoder.

        Only the head's rows of the answers are multiplied. The model's own code does it, with the rows in the place of
        the whole head, since families differ in what they do before: T5 scales where its embeddings are tied, Flan-T5
        and mT5 do not.
        """
        ids = features["input_ids"]
        rows = {"lm_head.weight": self.model.lm_head.weight[list(self._answers)]}
        output = torch.func.functional_call(
            self.model,
            rows,
            kwargs={
                "input_ids": ids,
                "attention_mask": features["attention_mask"],
                "decoder_input_ids": ids.new_full((len(ids), 1), self.model.config.decoder_start_token_id),
                "use_cache": False,
            },
            tie_weights=False,  # the embeddings keep all rows where they are tied to the head
        )
        return {"scores": self._strategy(output.logits[:, 0])[:, None]}

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """Write model and tokenizer as transformers does: nothing of this module is needed to load them."""
        self.model.save_pretrained(output_path)
        self.tokenizer.save_pretrained(output_path)


def answers_of(tokenizer: PreTrainedTokenizerBase, spec: Seq2SeqRanker) -> tuple[int, ...]:
    """Return the ids of the tokens whose logits make the score: relevant and not, or the extra one alone.

    Raises:
        ModelError: an answer is not one token of the tokenizer, or both are the same.
    """
    texts = (spec.extra_token,) if spec.score == "extra-id" else (spec.positive, spec.negative)
    found = []
    for text in texts:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
            pieces = " ".join(tokenizer.convert_ids_to_tokens(ids))
            raise ModelError(
                f"{tokenizer.name_or_path}: the answer {text!r} is not one token but {pieces!r}; name one that the "
                "tokenizer knows"
            )
        found.append(ids[0])
    if len(set(found)) < len(found):
        raise ModelError(f"{tokenizer.name_or_path}: {' and '.join(map(repr, texts))} are the same token; name two")
    return tuple(found)


def open_seq2seq(spec: Seq2SeqRanker, folder: Path, dtype: torch.dtype, max_length: int | None = None) -> Seq2SeqScore:
    """Load a T5 and its tokenizer.

    Args:
        spec: the ranker.
        folder: the model.
        dtype: the type of the weights.
        max_length: tokens of a prompt; as in training by default.

    Raises:
        ModelError: the folder holds no sequence-to-sequence model, lacks weights of it, or holds none that this ranker
            can use.
    """
    try:
        with own_weights(folder):
            model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=dtype, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder}: not a seq2seq ({error}); expected config.json, tokenizer and safetensors of a T5"
        ) from error
    if not hasattr(model, "lm_head") or model.config.decoder_start_token_id is None or not tokenizer.is_fast:
        raise ModelError(
            f"{folder}: a {model.config.model_type} that cannot score; expected a T5 with its head, a "
            "decoder_start_token_id and a fast tokenizer"
        )
    tied = model.lm_head.weight is model.get_input_embeddings().weight
    if model.config.model_type == "t5" and not tied and not model.config.scale_decoder_outputs:
        # transformers 5 says of every T5 that its embeddings are tied, and goes by the weights; earlier versions, and
        # other readers of a checkpoint, go by config.json, and would put the embeddings in the head's place.
        model.config.tie_word_embeddings = False
    return Seq2SeqScore(model, tokenizer, spec, max_length)
