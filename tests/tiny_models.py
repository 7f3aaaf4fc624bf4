"""Models of a few thousand parameters, made on the spot: random weights, a vocabulary from a few sentences.

They say nothing sensible, but they load, run and train by the same code as real ones. The same call writes the same
bytes.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
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

    Its weights are large enough that some tokens are much likelier than others.
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
    with TemporaryDirectory() as plain:
        BertTokenizer(vocab=vocabulary, model_max_length=128).save_pretrained(plain)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(13)
            BertModel(config).save_pretrained(plain)
        modules = [Transformer(plain, max_seq_length=128), Pooling(32, "mean")]
        SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder), create_model_card=False)
    return folder


def _word_pieces() -> dict[str, int]:
    """Return the words and characters of the sentences; a trained vocabulary would differ from run to run."""
    characters = [character for character in _ASCII if not character.isupper()]
    words = {word for sentence in SENTENCES for word in re.findall(r"\w+", sentence.lower())} - set(characters)
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*specials, *characters, *(f"##{character}" for character in characters), *sorted(words)]
    return {piece: place for place, piece in enumerate(pieces)}
