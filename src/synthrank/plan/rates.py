"""How fast work is done, roughly: the one place for such figures. A plan made of them is right to a factor of three.

A forward pass over a token takes two operations a parameter (Kaplan et al. 2020, section 2.1), a backward pass twice as
many again.
"""

FLOPS = 2e13
"""Operations a second of one A100-class GPU in bfloat16 at these lengths. Sun et al. (2023, Instruction Distillation,
table 2) state 0.12 s and 1.30 s for monoT5 base and XL over 100 passages: with PAIR_TOKENS tokens through the 85 and
1,200 million parameters of their encoders that is 1.6e13 and 2.1e13."""

TOKENS_A_WORD = 1.3
"""Of word pieces in English. An assumption."""

PASSAGE_TOKENS = 105
"""Tokens of a passage of 80 words (MS MARCO's have 60), where nothing cuts it shorter."""

PAIR_TOKENS = 120
"""Tokens of a query with a passage, and of the words that T5's prompt puts around them."""

PROMPT_WORDS = 5
"""Words of that prompt, query and passage counted as one each; a longer prompt costs its further words."""

FORWARD, TRAINING = 2, 6
"""Operations a parameter and token: of scoring and of training."""

RECOMPUTED = 2
"""More operations of training that computes activations twice."""

FROZEN = 2
"""Fewer operations of training adapters: the gradients of the weights beside them are not computed."""

PASSAGES_BUILT = 40_000
"""Passages that a core normalises and writes a second: `benchmarks/corpora.py` has 48,000 with 72 words each."""

PASSAGES_INDEXED = 15_000
"""Passages that a thread of Anserini's indexes a second: the same benchmark, 2 million by two threads in 67 s."""

POSTINGS_SEARCHED = 2e7
"""Passages that BM25 goes past a second, on one thread: two queries a second over MS MARCO. An assumption."""

VECTORS_COMPARED = 3e7
"""Vectors of 768 numbers that a core compares with a query a second, 46 billion operations. An assumption."""

SMALL_JOB = 60.0
"""Seconds of a job that reads files and writes a few: its start on a cluster is most of it. An assumption."""
