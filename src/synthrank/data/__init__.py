"""Files that steps exchange: records, passages, runs, qrels, scores, shards."""
