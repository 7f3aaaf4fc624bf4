"""Stage corpora: collections in one form, checked and counted.

Takes  config/corpora/{corpus}.yaml, and what it names
Gives  results/corpora/{corpus}/passages.jsonl, {split}/queries.jsonl, {split}/qrels.txt
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
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        code=code_of("fetch_archives.py"),
    shell:
        r"""
        python "$SCRIPTS"/fetch_archives.py \
            --spec {input.spec:q} \
            --archives {output.archives:q} \
            &>{log:q}
        """


rule build_passages:
    """Normalise the passages of one corpus."""
    input:
        spec="config/corpora/{corpus}.yaml",
        source=needs.corpus_source_there,
    output:
        passages="results/corpora/{corpus}/passages.jsonl",
        stats="results/corpora/{corpus}/passages.json",
    log:
        "results/logs/build_passages/{corpus}.log",
    benchmark:
        "results/benchmarks/build_passages/{corpus}.tsv"
    wildcard_constraints:
        corpus=study.pattern_of("corpora", BuiltCorpus),
    conda:
        "../envs/corpora.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(120),
    params:
        code=code_of("build_passages.py"),
    shell:
        r"""
        python "$SCRIPTS"/build_passages.py \
            --spec {input.spec:q} \
            --archives results/corpora/{wildcards.corpus}/archives \
            --passages {output.passages:q} \
            --stats {output.stats:q} \
            &>{log:q}
        """


rule build_queries:
    """Normalise the queries and qrels of one split of one corpus."""
    input:
        spec="config/corpora/{corpus}.yaml",
        source=needs.corpus_source_there,
        passages="results/corpora/{corpus}/passages.jsonl",
    output:
        queries="results/corpora/{corpus}/{split}/queries.jsonl",
        qrels="results/corpora/{corpus}/{split}/qrels.txt",
    log:
        "results/logs/build_queries/{corpus}/{split}.log",
    benchmark:
        "results/benchmarks/build_queries/{corpus}/{split}.tsv"
    wildcard_constraints:
        corpus=study.pattern_of("corpora", BuiltCorpus),
    conda:
        "../envs/corpora.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        code=code_of("build_queries.py"),
    shell:
        r"""
        python "$SCRIPTS"/build_queries.py \
            --spec {input.spec:q} \
            --archives results/corpora/{wildcards.corpus}/archives \
            --split {wildcards.split:q} \
            --passages {input.passages:q} \
            --queries {output.queries:q} \
            --qrels {output.qrels:q} \
            &>{log:q}
        """


rule mix_passages:
    """Put the passages of a corpus and another wording of them together."""
    input:
        spec="config/corpora/{corpus}.yaml",
        originals=needs.mixed_originals,
        rewritten=needs.mixed_rewritten,
    output:
        passages="results/corpora/{corpus}/passages.jsonl",
        stats="results/corpora/{corpus}/passages.json",
    log:
        "results/logs/mix_passages/{corpus}.log",
    benchmark:
        "results/benchmarks/mix_passages/{corpus}.tsv"
    wildcard_constraints:
        corpus=study.pattern_of("corpora", MixedCorpus),
    conda:
        "../envs/corpora.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(120),
    params:
        code=code_of("mix_passages.py"),
    shell:
        r"""
        python "$SCRIPTS"/mix_passages.py \
            --spec {input.spec:q} \
            --originals {input.originals:q} \
            --rewritten {input.rewritten:q} \
            --passages {output.passages:q} \
            --stats {output.stats:q} \
            &>{log:q}
        """


rule mix_qrels:
    """Let the qrels of a split hold for both wordings of a passage."""
    input:
        spec="config/corpora/{corpus}.yaml",
        original_queries=needs.mixed_queries,
        original_qrels=needs.mixed_qrels,
        passages="results/corpora/{corpus}/passages.jsonl",
    output:
        queries="results/corpora/{corpus}/{split}/queries.jsonl",
        qrels="results/corpora/{corpus}/{split}/qrels.txt",
    log:
        "results/logs/mix_qrels/{corpus}/{split}.log",
    benchmark:
        "results/benchmarks/mix_qrels/{corpus}/{split}.tsv"
    wildcard_constraints:
        corpus=study.pattern_of("corpora", MixedCorpus),
    conda:
        "../envs/corpora.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        code=code_of("mix_qrels.py"),
    shell:
        r"""
        python "$SCRIPTS"/mix_qrels.py \
            --spec {input.spec:q} \
            --split {wildcards.split:q} \
            --original-queries {input.original_queries:q} \
            --original-qrels {input.original_qrels:q} \
            --passages {input.passages:q} \
            --queries {output.queries:q} \
            --qrels {output.qrels:q} \
            &>{log:q}
        """
