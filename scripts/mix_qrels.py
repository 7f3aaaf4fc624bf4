"""Let the qrels of a split hold for both wordings of a passage."""

from synthrank.cli import run
from synthrank.corpora.mix_qrels import mix_qrels

run(mix_qrels)
