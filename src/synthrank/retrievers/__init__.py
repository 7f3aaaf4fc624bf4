"""First stages, which search a whole corpus: BM25, dense and learned sparse retrieval."""
