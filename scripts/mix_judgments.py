"""Let the judgments of a split hold for both wordings of a passage."""

from synthrank.cli import run
from synthrank.corpora.mix_judgments import mix_judgments

run(mix_judgments)
