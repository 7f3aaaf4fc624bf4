"""T5 as a reranker (Nogueira et al. 2020)."""

from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForSeq2SeqLM

from synthrank.config.rankers import Seq2SeqRanker
from synthrank.errors import ModelError
from synthrank.rankers.prompt_score import PromptScore, load_language_model
from synthrank.rankers.t5_cross_attention import attend_in_one_step


class Seq2SeqScore(PromptScore):
    """The score after one step of the decoder."""

    def logits(self, features: dict[str, Tensor]) -> Tensor:
        """Return the logits of the answer tokens as the decoder's first token, shape (pairs, answers)."""
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
        max_length: tokens of a prompt; by default as in training.

    Raises:
        ModelError: the folder does not contain a sequence-to-sequence model, weights are missing, the model has no
            ``decoder_start_token_id``, or prompt and answers do not fit the tokenizer.
    """
    model, tokenizer = load_language_model(AutoModelForSeq2SeqLM, folder, dtype, "a seq2seq")
    if model.config.decoder_start_token_id is None:
        raise ModelError(f"{folder}: decoder_start_token_id is missing in config.json; expected a T5, which has it")
    tied = model.lm_head.weight is model.get_input_embeddings().weight
    if model.config.model_type == "t5" and not tied and not model.config.scale_decoder_outputs:
        # transformers 5 writes tie_word_embeddings for every T5 and looks at the weights when it loads a model. Earlier
        # versions and other libraries rely on config.json and would replace the head by the embeddings.
        model.config.tie_word_embeddings = False
    if spec.lora is None:  # the faster attention ignores adapters of keys and values
        attend_in_one_step(model)
    return Seq2SeqScore(model, tokenizer, spec, max_length)
