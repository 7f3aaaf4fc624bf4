"""T5 as a reranker (Nogueira et al. 2020)."""

from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForSeq2SeqLM

from synthrank.errors import ModelError
from synthrank.rankers.one_step import attend_in_one_step
from synthrank.rankers.prompt_score import PromptScore, load
from synthrank.specs.rankers import Seq2SeqRanker


class Seq2SeqScore(PromptScore):
    """The score by the encoder and one step of the decoder."""

    def logits(self, features: dict[str, Tensor]) -> Tensor:
        """Return the logits of the answers as the decoder's first token, shape (pairs, answers)."""
        ids = features["input_ids"]
        start = ids.new_full((len(ids), 1), self.model.config.decoder_start_token_id)
        mask = features["attention_mask"]
        return self.answer_logits(input_ids=ids, attention_mask=mask, decoder_input_ids=start)[:, 0]


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
    model, tokenizer = load(AutoModelForSeq2SeqLM, folder, dtype, "a seq2seq")
    if model.config.decoder_start_token_id is None:
        raise ModelError(f"{folder}: config.json has no decoder_start_token_id; a T5 has one")
    tied = model.lm_head.weight is model.get_input_embeddings().weight
    if model.config.model_type == "t5" and not tied and not model.config.scale_decoder_outputs:
        # transformers 5 says of every T5 that its embeddings are tied, and goes by the weights; earlier versions, and
        # other readers of a checkpoint, go by config.json, and would put the embeddings in the head's place.
        model.config.tie_word_embeddings = False
    if spec.lora is None:  # it reads the weights of keys and values, without their adapters
        attend_in_one_step(model)
    return Seq2SeqScore(model, tokenizer, spec, max_length)
