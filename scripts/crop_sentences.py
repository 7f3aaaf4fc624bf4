"""Take sentences of passages as queries."""

from synthrank.cli import run
from synthrank.queries.crop_sentences import crop_sentences

run(crop_sentences)
