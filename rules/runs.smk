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
        mem_mb=by_attempt(6000),
        runtime=by_attempt(120),
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
        mem_mb=by_attempt(6000),
        runtime=by_attempt(120),
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


rule encode_dense:
    """Encode a shard of one collection with a dense retriever."""
    input:
        spec=ancient("config/retrievers/{retriever}.yaml"),
        model=needs.retriever_model,
        passages="results/{collection}/passages.jsonl",
    output:
        vectors=directory("results/runs/{collection}/{retriever}/shards/{scatteritem}"),
    log:
        "results/logs/encode_dense/{collection}/{retriever}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/encode_dense/{collection}/{retriever}/{scatteritem}.tsv"
    wildcard_constraints:
        retriever=study.pattern_of("retrievers", Dense),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
        gpu=1,
    params:
        code=code_of("encode_dense.py"),
        settings=needs.encoding_settings,
        passages_as=needs.passages_as,
    shell:
        r"""
        python "$SCRIPTS"/encode_dense.py \
            --spec {input.spec:q} \
            --model {input.model:q} \
            --passages {input.passages:q} \
            --shard {wildcards.scatteritem:q} \
            --vectors {output.vectors:q} \
            --passages-as {params.passages_as} \
            &>{log:q}
        """


rule index_dense:
    """Index the vectors of one collection for a dense retriever."""
    input:
        spec=ancient("config/retrievers/{retriever}.yaml"),
        passages="results/{collection}/passages.jsonl",
        shards=gather.encode("results/runs/{{collection}}/{{retriever}}/shards/{scatteritem}"),
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
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
    params:
        code=code_of("index_dense.py"),
        settings=needs.index_settings,
    shell:
        r"""
        python "$SCRIPTS"/index_dense.py \
            --spec {input.spec:q} \
            --passages {input.passages:q} \
            --shards {input.shards:q} \
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
        mem_mb=by_attempt(8000),
        runtime=by_attempt(120),
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


rule encode_sparse:
    """Encode a shard of one collection with a learned sparse retriever."""
    input:
        spec=ancient("config/retrievers/{retriever}.yaml"),
        model=needs.retriever_model,
        passages="results/{collection}/passages.jsonl",
    output:
        impacts=directory("results/runs/{collection}/{retriever}/shards/{scatteritem}"),
    log:
        "results/logs/encode_sparse/{collection}/{retriever}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/encode_sparse/{collection}/{retriever}/{scatteritem}.tsv"
    wildcard_constraints:
        retriever=study.pattern_of("retrievers", Sparse),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
        gpu=1,
    params:
        code=code_of("encode_sparse.py"),
        settings=needs.encoding_settings,
    shell:
        r"""
        python "$SCRIPTS"/encode_sparse.py \
            --spec {input.spec:q} \
            --model {input.model:q} \
            --passages {input.passages:q} \
            --shard {wildcards.scatteritem:q} \
            --impacts {output.impacts:q} \
            &>{log:q}
        """


rule index_sparse:
    """Index the impacts of one collection for a learned sparse retriever."""
    input:
        passages="results/{collection}/passages.jsonl",
        shards=gather.encode("results/runs/{{collection}}/{{retriever}}/shards/{scatteritem}"),
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
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
    params:
        code=code_of("index_sparse.py"),
    shell:
        r"""
        python "$SCRIPTS"/index_sparse.py \
            --passages {input.passages:q} \
            --shards {input.shards:q} \
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
        mem_mb=by_attempt(8000),
        runtime=by_attempt(120),
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
    """Reorder the top of a shard of a first stage's lists with a pointwise reranker."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        ranker=needs.reranker_spec,
        checkpoint=needs.reranker_model,
        passages="results/{collection}/passages.jsonl",
        queries=needs.queryset,
        first_stage=needs.reranked_run,
    output:
        run="results/runs/{collection}/{retriever}/shards/{queryset}/{scatteritem}.trec",
    log:
        "results/logs/rerank_run/{collection}/{retriever}/{queryset}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/rerank_run/{collection}/{retriever}/{queryset}/{scatteritem}.tsv"
    wildcard_constraints:
        retriever=study.pattern_of("retrievers", Reranked),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
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
            --shard {wildcards.scatteritem:q} \
            --run {output.run:q} \
            &>{log:q}
        """


rule score_passages:
    """Score written passages for their queries by a reranker or a dense retriever."""
    input:
        passages="results/{collection}/passages.jsonl",
        ranker=needs.scoring_ranker,
        retriever=needs.scoring_retriever,
        model=needs.scoring_model,
    output:
        scores="results/runs/{collection}/judged/{judge}.jsonl",
    log:
        "results/logs/score_passages/{collection}/{judge}.log",
    benchmark:
        "results/benchmarks/score_passages/{collection}/{judge}.tsv"
    wildcard_constraints:
        collection=r"passages/[^/]+/[^/]+/draw-\d+/[^/]+",
        judge=r"(rankers|retrievers)/[^/]+",
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
        gpu=1,
    params:
        code=code_of("score_passages.py"),
    shell:
        r"""
        python "$SCRIPTS"/score_passages.py \
            --passages {input.passages:q} \
            --ranker {input.ranker:q} \
            --retriever {input.retriever:q} \
            --model {input.model:q} \
            --scores {output.scores:q} \
            &>{log:q}
        """


rule gather_run:
    """Concatenate the shards of a reranked run."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        queries=needs.queryset,
        first_stage=needs.reranked_run,
        shards=gather.rerank("results/runs/{{collection}}/{{retriever}}/shards/{{queryset}}/{scatteritem}.trec"),
    output:
        run="results/runs/{collection}/{retriever}/{queryset}.trec",
    log:
        "results/logs/gather_run/{collection}/{retriever}/{queryset}.log",
    benchmark:
        "results/benchmarks/gather_run/{collection}/{retriever}/{queryset}.tsv"
    wildcard_constraints:
        retriever=study.pattern_of("retrievers", Reranked),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        code=code_of("gather_run.py"),
    shell:
        r"""
        python "$SCRIPTS"/gather_run.py \
            --spec {input.spec:q} \
            --queries {input.queries:q} \
            --first-stage {input.first_stage:q} \
            --shards {input.shards:q} \
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
        mem_mb=by_attempt(6000),
        runtime=by_attempt(60),
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


rule rerank_suite:
    """Reorder a shard of every test set of a suite with one ranker, alone and fused with its first stage."""
    input:
        checkpoint=needs.checkpoint,
        ranker="config/rankers/{ranker}.yaml",
        testsets=needs.suite_specs,
        passages=needs.suite_passages,
        queries=needs.suite_queries,
        first_stages=needs.suite_first_stages,
        development=needs.suite_development,
    output:
        lists=directory("results/runs/suites/{suite}/{recipe}/{llm}/{ranker}/shards/seed-{seed}/{scatteritem}"),
    log:
        "results/logs/rerank_suite/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/rerank_suite/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}/{scatteritem}.tsv"
    wildcard_constraints:
        ranker=study.ranker_pattern(reorder=True),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
        gpu=1,
    params:
        code=code_of("rerank_suite.py"),
        seed=needs.training_seed,
    shell:
        r"""
        python "$SCRIPTS"/rerank_suite.py \
            --checkpoint {input.checkpoint:q} \
            --ranker {input.ranker:q} \
            --seed {params.seed} \
            --testsets {input.testsets:q} \
            --passages {input.passages:q} \
            --queries {input.queries:q} \
            --first-stages {input.first_stages:q} \
            --development {input.development:q} \
            --shard {wildcards.scatteritem:q} \
            --lists {output.lists:q} \
            &>{log:q}
        """


rule gather_suite:
    """Concatenate the shards of a ranker's runs on a suite, and mix scores if the ranker says so."""
    input:
        ranker="config/rankers/{ranker}.yaml",
        testsets=needs.suite_specs,
        queries=needs.suite_queries,
        first_stages=needs.suite_first_stages,
        development=needs.suite_development,
        shards=gather.rerank(
            "results/runs/suites/{{suite}}/{{recipe}}/{{llm}}/{{ranker}}/shards/seed-{{seed}}/{scatteritem}"
        ),
    output:
        runs=directory("results/runs/suites/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}"),
    log:
        "results/logs/gather_suite/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/gather_suite/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    wildcard_constraints:
        ranker=study.ranker_pattern(reorder=True),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        code=code_of("gather_suite.py"),
    shell:
        r"""
        python "$SCRIPTS"/gather_suite.py \
            --ranker {input.ranker:q} \
            --testsets {input.testsets:q} \
            --queries {input.queries:q} \
            --first-stages {input.first_stages:q} \
            --development {input.development:q} \
            --shards {input.shards:q} \
            --runs {output.runs:q} \
            &>{log:q}
        """


rule search_suite:
    """Search a shard of every collection of a suite with one bi-encoder."""
    input:
        checkpoint=needs.checkpoint,
        ranker="config/rankers/{ranker}.yaml",
        testsets=needs.suite_specs,
        passages=needs.suite_passages,
        queries=needs.suite_queries,
    output:
        lists=directory("results/runs/suites/{suite}/{recipe}/{llm}/{ranker}/shards/seed-{seed}/{scatteritem}"),
    log:
        "results/logs/search_suite/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/search_suite/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}/{scatteritem}.tsv"
    wildcard_constraints:
        ranker=study.ranker_pattern(reorder=False),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
        gpu=1,
    params:
        code=code_of("search_suite.py"),
    shell:
        r"""
        python "$SCRIPTS"/search_suite.py \
            --checkpoint {input.checkpoint:q} \
            --ranker {input.ranker:q} \
            --testsets {input.testsets:q} \
            --passages {input.passages:q} \
            --queries {input.queries:q} \
            --shard {wildcards.scatteritem:q} \
            --lists {output.lists:q} \
            &>{log:q}
        """


rule merge_suite:
    """Rank what the shards of a suite's collections hold for each query."""
    input:
        ranker="config/rankers/{ranker}.yaml",
        testsets=needs.suite_specs,
        passages=needs.suite_passages,
        queries=needs.suite_queries,
        shards=gather.encode(
            "results/runs/suites/{{suite}}/{{recipe}}/{{llm}}/{{ranker}}/shards/seed-{{seed}}/{scatteritem}"
        ),
    output:
        runs=directory("results/runs/suites/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}"),
    log:
        "results/logs/merge_suite/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/merge_suite/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    wildcard_constraints:
        ranker=study.ranker_pattern(reorder=False),
    conda:
        "../envs/runs.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        code=code_of("merge_suite.py"),
    shell:
        r"""
        python "$SCRIPTS"/merge_suite.py \
            --ranker {input.ranker:q} \
            --testsets {input.testsets:q} \
            --passages {input.passages:q} \
            --queries {input.queries:q} \
            --shards {input.shards:q} \
            --runs {output.runs:q} \
            &>{log:q}
        """
