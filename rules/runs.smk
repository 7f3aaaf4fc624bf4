"""Stage runs: TREC runs of first stages and of trained rankers.

Takes  a collection of passages, queries, config/retrievers/{retriever}.yaml, and what its kind needs: models, a run to
       reorder, a language model's orders, a file of another's making; or a checkpoint and a suite of test sets
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
        model=needs.retriever_query_model,
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


rule index_sparse:
    """Encode and index one collection with a learned sparse retriever."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        model=needs.retriever_model,
        passages="results/{collection}/passages.jsonl",
    output:
        index=directory("results/runs/{collection}/{retriever}/index"),
    log:
        "results/logs/index_sparse/{collection}/{retriever}.log",
    benchmark:
        "results/benchmarks/index_sparse/{collection}/{retriever}.tsv"
    wildcard_constraints:
        retriever=study.pattern_of("retrievers", Sparse),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=600,
        gpu=1,
    params:
        code=code_of("index_sparse.py"),
    shell:
        r"""
        python "$SCRIPTS"/index_sparse.py \
            --spec {input.spec:q} \
            --model {input.model:q} \
            --passages {input.passages:q} \
            --index {output.index:q} \
            --threads {threads} \
            &>{log:q}
        """


rule search_sparse:
    """Run one set of queries over one collection with a learned sparse retriever."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        model=needs.retriever_query_model,
        index="results/runs/{collection}/{retriever}/index",
        queries=needs.queryset,
    output:
        run="results/runs/{collection}/{retriever}/{queryset}.trec",
    log:
        "results/logs/search_sparse/{collection}/{retriever}/{queryset}.log",
    benchmark:
        "results/benchmarks/search_sparse/{collection}/{retriever}/{queryset}.tsv"
    wildcard_constraints:
        retriever=study.pattern_of("retrievers", Sparse),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=120,
        gpu=1,
    params:
        code=code_of("search_sparse.py"),
    shell:
        r"""
        python "$SCRIPTS"/search_sparse.py \
            --spec {input.spec:q} \
            --model {input.model:q} \
            --index {input.index:q} \
            --queries {input.queries:q} \
            --run {output.run:q} \
            --threads {threads} \
            &>{log:q}
        """


rule rerank_run:
    """Reorder the top of a first stage's run with a pointwise reranker."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        ranker=needs.reranker_spec,
        checkpoint=needs.reranker_model,
        passages="results/{collection}/passages.jsonl",
        queries=needs.queryset,
        first_stage=needs.reranked_run,
    output:
        run="results/runs/{collection}/{retriever}/{queryset}.trec",
    log:
        "results/logs/rerank_run/{collection}/{retriever}/{queryset}.log",
    benchmark:
        "results/benchmarks/rerank_run/{collection}/{retriever}/{queryset}.tsv"
    wildcard_constraints:
        retriever=study.pattern_of("retrievers", Reranked),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=600,
        gpu=1,
    params:
        code=code_of("rerank_run.py"),
    shell:
        r"""
        python "$SCRIPTS"/rerank_run.py \
            --spec {input.spec:q} \
            --ranker {input.ranker:q} \
            --checkpoint {input.checkpoint:q} \
            --passages {input.passages:q} \
            --queries {input.queries:q} \
            --first-stage {input.first_stage:q} \
            --run {output.run:q} \
            &>{log:q}
        """


rule run_orders:
    """Turn the orders that a language model gave to pooled candidates into a run."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        orders=needs.ordered_lists,
        queries=needs.queryset,
    output:
        run="results/runs/{collection}/{retriever}/{queryset}.trec",
    log:
        "results/logs/run_orders/{collection}/{retriever}/{queryset}.log",
    benchmark:
        "results/benchmarks/run_orders/{collection}/{retriever}/{queryset}.tsv"
    wildcard_constraints:
        collection=r"corpora/[^/]+",
        retriever=study.pattern_of("retrievers", Ordered),
    conda:
        "../envs/runs.yaml"
    threads: 1
    params:
        code=code_of("run_orders.py"),
    shell:
        r"""
        python "$SCRIPTS"/run_orders.py \
            --spec {input.spec:q} \
            --orders {input.orders:q} \
            --queries {input.queries:q} \
            --run {output.run:q} \
            &>{log:q}
        """


rule import_run:
    """Take a run, or lists of a ranker, that others made as a run of one set of queries."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        file=needs.recorded_file,
        queries=needs.queryset,
        passages="results/{collection}/passages.jsonl",
    output:
        run="results/runs/{collection}/{retriever}/{queryset}.trec",
    log:
        "results/logs/import_run/{collection}/{retriever}/{queryset}.log",
    benchmark:
        "results/benchmarks/import_run/{collection}/{retriever}/{queryset}.tsv"
    wildcard_constraints:
        retriever=study.pattern_of("retrievers", Recorded),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=60,
    params:
        code=code_of("import_run.py"),
    shell:
        r"""
        python "$SCRIPTS"/import_run.py \
            --spec {input.spec:q} \
            --file {input.file:q} \
            --queries {input.queries:q} \
            --passages {input.passages:q} \
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
