"""Predict queries from a shard of the sampled passages with a sequence-to-sequence model."""

from synthrank.cli import run
from synthrank.queries.predict_queries import predict_queries

run(predict_queries)
