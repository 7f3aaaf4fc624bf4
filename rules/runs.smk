"""Stage runs: TREC runs of first stages and of trained rankers.

Takes  a collection of passages, queries, config/retrievers/{retriever}.yaml; or a checkpoint and a suite of test sets
Gives  results/runs/{collection}/{retriever}/{queryset}.trec, the same over written passages, which negatives of
       the positives' own source come from, and results/runs/suites/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}/
"""


rule index_bm25:
    """Index one collection for BM25."""
    input:
        passages="results/{collection}/passages.jsonl",
    output:
        index=directory("results/runs/{collection}/{retriever}/index"),
    log:
        "results/logs/index_bm25/{collection}/{retriever}.log",
    benchmark:
        "results/benchmarks/index_bm25/{collection}/{retriever}.tsv"
    wildcard_constraints:
        retriever=study.pattern_of("retrievers", Bm25),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=120,
    params:
        code=code_of("index_bm25.py"),
    shell:
        r"""
        python "$SCRIPTS"/index_bm25.py \
            --passages {input.passages:q} \
            --index {output.index:q} \
            --threads {threads} \
            &>{log:q}
        """


rule search_bm25:
    """Run one set of queries over one collection by BM25."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        index="results/runs/{collection}/{retriever}/index",
        queries=needs.queryset,
    output:
        run="results/runs/{collection}/{retriever}/{queryset}.trec",
    log:
        "results/logs/search_bm25/{collection}/{retriever}/{queryset}.log",
    benchmark:
        "results/benchmarks/search_bm25/{collection}/{retriever}/{queryset}.tsv"
    wildcard_constraints:
        retriever=study.pattern_of("retrievers", Bm25),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=120,
    params:
        code=code_of("search_bm25.py"),
    shell:
        r"""
        python "$SCRIPTS"/search_bm25.py \
            --spec {input.spec:q} \
            --index {input.index:q} \
            --queries {input.queries:q} \
            --run {output.run:q} \
            --threads {threads} \
            &>{log:q}
        """


rule index_dense:
    """Encode and index one collection with a dense retriever."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        model=needs.retriever_model,
        passages="results/{collection}/passages.jsonl",
    output:
        index=directory("results/runs/{collection}/{retriever}/index"),
    log:
        "results/logs/index_dense/{collection}/{retriever}.log",
    benchmark:
        "results/benchmarks/index_dense/{collection}/{retriever}.tsv"
    wildcard_constraints:
        retriever=study.pattern_of("retrievers", Dense),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=120,
        gpu=1,
    params:
        code=code_of("index_dense.py"),
    shell:
        r"""
        python "$SCRIPTS"/index_dense.py \
            --spec {input.spec:q} \
            --model {input.model:q} \
            --passages {input.passages:q} \
            --index {output.index:q} \
            &>{log:q}
        """


rule search_dense:
    """Run one set of queries over one collection with a dense retriever."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        model=needs.retriever_model,
        index="results/runs/{collection}/{retriever}/index",
        queries=needs.queryset,
    output:
        run="results/runs/{collection}/{retriever}/{queryset}.trec",
    log:
        "results/logs/search_dense/{collection}/{retriever}/{queryset}.log",
    benchmark:
        "results/benchmarks/search_dense/{collection}/{retriever}/{queryset}.tsv"
    wildcard_constraints:
        retriever=study.pattern_of("retrievers", Dense),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=120,
        gpu=1,
    params:
        code=code_of("search_dense.py"),
    shell:
        r"""
        python "$SCRIPTS"/search_dense.py \
            --spec {input.spec:q} \
            --model {input.model:q} \
            --index {input.index:q} \
            --queries {input.queries:q} \
            --run {output.run:q} \
            &>{log:q}
        """


rule rank_suite:
    """Rank every test set of a suite with one ranker, alone and fused with its first stage."""
    input:
        checkpoint=needs.checkpoint,
        ranker="config/rankers/{ranker}.yaml",
        testsets=needs.suite_specs,
        passages=needs.suite_passages,
        queries=needs.suite_queries,
        first_stages=needs.suite_first_stages,
    output:
        runs=directory("results/runs/suites/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}"),
    log:
        "results/logs/rank_suite/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/rank_suite/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=120,
        gpu=1,
    params:
        code=code_of("rank_suite.py"),
    shell:
        r"""
        python "$SCRIPTS"/rank_suite.py \
            --checkpoint {input.checkpoint:q} \
            --ranker {input.ranker:q} \
            --seed {wildcards.seed:q} \
            --testsets {input.testsets:q} \
            --passages {input.passages:q} \
            --queries {input.queries:q} \
            --first-stages {input.first_stages:q} \
            --runs {output.runs:q} \
            &>{log:q}
        """
