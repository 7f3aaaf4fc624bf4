"""The store of paid replies: segments, prices, budget, compaction."""
