"""Put the passages of a corpus and another wording of them together."""

from synthrank.cli import run
from synthrank.corpora.mix_passages import mix_passages

run(mix_passages)
