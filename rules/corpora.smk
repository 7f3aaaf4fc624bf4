"""Stage corpora: corpora in a common format, checked and counted.

Takes  config/corpora/{corpus}.yaml and the files that it names
Gives  results/corpora/{corpus}/passages.jsonl, {split}/queries.jsonl, {split}/qrels.txt, and {split}/excluded.txt with
       the passages that must not be used for training on the split. Every rule that draws training passages reads it
"""


rule fetch_archives:
    """Fetch and unpack the source distributions that a corpus is read from."""
    input:
        spec="config/corpora/{corpus}.yaml",
    output:
        archives=directory("results/corpora/{corpus}/archives"),
    log:
        "results/logs/fetch_archives/{corpus}.log",
    benchmark:
        "results/benchmarks/fetch_archives/{corpus}.tsv"
    conda:
        "../envs/corpora.yaml"
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        **step_params("fetch_archives"),
    shell:
        step("fetch_archives")


rule build_passages:
    """Convert the passages of one corpus to the common format."""
    input:
        spec="config/corpora/{corpus}.yaml",
        source=inputs.corpora.source_there,
    output:
        passages="results/corpora/{corpus}/passages.jsonl",
        stats="results/corpora/{corpus}/passages.json",
    log:
        "results/logs/build_passages/{corpus}.log",
    benchmark:
        "results/benchmarks/build_passages/{corpus}.tsv"
    wildcard_constraints:
        corpus=study.pattern("corpora", source=("faq", "headings", "beir", "ir_datasets")),
    conda:
        "../envs/corpora.yaml"
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(120),
    params:
        **step_params("build_passages"),
    shell:
        step("build_passages", archives="results/corpora/{wildcards.corpus}/archives")


rule build_queries:
    """Convert the queries and qrels of a split to the common format."""
    input:
        spec="config/corpora/{corpus}.yaml",
        source=inputs.corpora.source_there,
        passages="results/corpora/{corpus}/passages.jsonl",
    output:
        queries="results/corpora/{corpus}/{split}/queries.jsonl",
        qrels="results/corpora/{corpus}/{split}/qrels.txt",
    log:
        "results/logs/build_queries/{corpus}/{split}.log",
    benchmark:
        "results/benchmarks/build_queries/{corpus}/{split}.tsv"
    wildcard_constraints:
        corpus=study.pattern("corpora", source=("faq", "headings", "beir", "ir_datasets")),
    conda:
        "../envs/corpora.yaml"
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        **step_params("build_queries"),
    shell:
        step("build_queries", "wildcards.split", archives="results/corpora/{wildcards.corpus}/archives")


rule mix_passages:
    """Combine the passages of a corpus with reworded versions of them."""
    input:
        spec="config/corpora/{corpus}.yaml",
        originals=entity("results/corpora/{corpus.corpus}/passages.jsonl"),
        rewritten=entity("results/passages/{corpus.corpus}/{corpus.paradigm}/draw-0/none/collection.jsonl"),
    output:
        passages="results/corpora/{corpus}/passages.jsonl",
        stats="results/corpora/{corpus}/passages.json",
    log:
        "results/logs/mix_passages/{corpus}.log",
    benchmark:
        "results/benchmarks/mix_passages/{corpus}.tsv"
    wildcard_constraints:
        corpus=study.pattern("corpora", source="mixed"),
    conda:
        "../envs/corpora.yaml"
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(120),
    params:
        **step_params("mix_passages"),
    shell:
        step("mix_passages")


rule mix_qrels:
    """Apply each judgment of a split to both versions of a passage."""
    input:
        spec="config/corpora/{corpus}.yaml",
        original_queries=each(inputs.corpora.original, "results/corpora/{corpus.corpus}/{original}/queries.jsonl"),
        original_qrels=each(inputs.corpora.original, "results/corpora/{corpus.corpus}/{original}/qrels.txt"),
        passages="results/corpora/{corpus}/passages.jsonl",
    output:
        queries="results/corpora/{corpus}/{split}/queries.jsonl",
        qrels="results/corpora/{corpus}/{split}/qrels.txt",
    log:
        "results/logs/mix_qrels/{corpus}/{split}.log",
    benchmark:
        "results/benchmarks/mix_qrels/{corpus}/{split}.tsv"
    wildcard_constraints:
        corpus=study.pattern("corpora", source="mixed"),
    conda:
        "../envs/corpora.yaml"
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        **step_params("mix_qrels"),
    shell:
        step("mix_qrels", "wildcards.split")


rule exclude_passages:
    """List the relevant passages of held-out splits, which must not be used for training on a split."""
    input:
        qrels=each(inputs.corpora.held_out, "results/corpora/{corpus}/{held_out}/qrels.txt"),
    output:
        excluded="results/corpora/{corpus}/{split}/excluded.txt",
    log:
        "results/logs/exclude_passages/{corpus}/{split}.log",
    benchmark:
        "results/benchmarks/exclude_passages/{corpus}/{split}.tsv"
    conda:
        "../envs/corpora.yaml"
    params:
        **step_params("exclude_passages"),
    shell:
        step("exclude_passages")
