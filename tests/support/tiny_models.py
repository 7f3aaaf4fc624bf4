"""Models of a few thousand parameters, made on the spot: random weights, a vocabulary from a few sentences.

Their output is random, but they load, run and train with the same code as real models. The same call writes the same
bytes.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertModel,
    BertTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
    T5Tokenizer,
)

SENTENCES = (
    "A search engine returns passages that answer the question of a reader.",
    "The spider follows links and stores every page that it has not seen before.",
    "To install the package, open a terminal and run the command in the folder of the project.",
    "A migration changes the tables of the database when the models of the application change.",
    "The bundle holds the program, the interpreter and all libraries that the program imports.",
    "Settings are read once when the server starts, so restart it after a change.",
    "Bees dance to tell the hive where flowers with nectar are in bloom.",
    "Rain falls when warm and wet air rises, cools and lets its water go.",
    "The river rises in the mountains and reaches the sea near the old town.",
    "Bread needs flour, water, salt and yeast, and time for the dough to rise.",
    "Write a passage that answers the question. Question: how does it work? Passage:",
)

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

_ASCII = [chr(code) for code in range(33, 127)]


def tiny_llm(folder: Path, *, context: int = 512) -> Path:
    """Write a Llama of 2 layers with a chat template; its replies are random words and letters.

    Its weights are large, so that some tokens are much likelier than others.
    """
    tokenizer = Tokenizer(models.BPE(unk_token="<|unk|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="never")
    specials = ["<|pad|>", "<|im_start|>", "<|im_end|>", "<|unk|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=specials, initial_alphabet=[*_ASCII, "\n"], show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        eos_token="<|im_end|>",
        unk_token="<|unk|>",
        padding_side="left",
        chat_template=CHAT_TEMPLATE,
    )
    wrapped.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(wrapped),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        initializer_range=0.15,
        bos_token_id=wrapped.convert_tokens_to_ids("<|im_start|>"),
        eos_token_id=wrapped.eos_token_id,
        pad_token_id=wrapped.pad_token_id,
        tie_word_embeddings=False,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(13)
        LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def tiny_encoder(folder: Path) -> Path:
    """Write a BERT of 2 layers and 32 dimensions that sentence-transformers loads with mean pooling."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    with TemporaryDirectory() as plain:
        _tiny_bert(Path(plain), BertModel)
        modules = [Transformer(plain, max_seq_length=128), Pooling(32, "mean")]
        SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder), create_model_card=False)
    return folder


def tiny_splade(folder: Path) -> Path:
    """Write a masked language model of 2 layers and 32 dimensions: a plain folder, as SPLADE's models are published.

    About every third term of a text has a weight.
    """
    _tiny_bert(folder, BertForMaskedLM)
    return folder


def _tiny_bert(folder: Path, architecture: type[BertModel] | type[BertForMaskedLM]) -> None:
    vocabulary = _word_pieces()
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        initializer_range=0.15,
    )
    BertTokenizer(vocab=vocabulary, model_max_length=128).save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(13)
        model = architecture(config)
        if isinstance(model, BertForMaskedLM):
            model.get_output_embeddings().bias.data -= 1.5
        model.save_pretrained(folder)


def tiny_t5(folder: Path) -> Path:
    """Write a T5 of 2 + 2 layers and 32 dimensions, with the architecture of Flan-T5 and a tokenizer of T5's form.

    ``true`` and ``false`` are single, different tokens, with the mark of a word's beginning before them as in T5's own
    vocabulary; ``<extra_id_0>`` to ``<extra_id_99>`` are the last of the vocabulary, in falling order. Its output is
    random words and letters.
    """
    pieces = _sentence_pieces()
    tokenizer = T5Tokenizer(vocab=[(piece, score) for piece, score in pieces.items()], model_max_length=512)
    tokenizer.save_pretrained(folder)
    config = T5Config(
        vocab_size=len(pieces),
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        relative_attention_num_buckets=8,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(13)
        model = T5ForConditionalGeneration(config)
        # With its initial weights one token has nearly all of the probability: the factor of T5's tied embeddings.
        model.lm_head.weight.data *= config.d_model**-0.5
        model.save_pretrained(folder)
    return folder


def _sentence_pieces() -> dict[str, float]:
    """Return pieces and their scores as SentencePiece has them: longer pieces are likelier than their letters."""
    words = {word for sentence in SENTENCES for word in re.findall(r"\w+", sentence)}
    words |= {"true", "false", "Query", "Document", "Relevant"}
    specials = {"<pad>": 0.0, "</s>": 0.0, "<unk>": 0.0, "▁": -4.0}
    sentinels = {f"<extra_id_{number}>": 0.0 for number in range(99, -1, -1)}
    return specials | {f"▁{word}": -5.0 for word in sorted(words)} | dict.fromkeys(_ASCII, -8.0) | sentinels


def _word_pieces() -> dict[str, int]:
    """Return the words and characters of the sentences; a trained vocabulary would differ from run to run."""
    characters = [character for character in _ASCII if not character.isupper()]
    words = {word for sentence in SENTENCES for word in re.findall(r"\w+", sentence.lower())} - set(characters)
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*specials, *characters, *(f"##{character}" for character in characters), *sorted(words)]
    return {piece: place for place, piece in enumerate(pieces)}
