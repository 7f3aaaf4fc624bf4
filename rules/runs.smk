"""Stage runs: TREC runs of first stages and of trained rankers.

Takes  passages of a corpus or of a paradigm, queries, config/retrievers/{retriever}.yaml, and the inputs of its kind:
       models, a run to rerank, rankings by a language model, an external run; or a checkpoint and a test set
Gives  results/runs/{collection}/{retriever}/{queryset}.trec, also over generated passages for negatives of the same
       source, and results/runs/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.trec
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
        retriever=study.pattern("retrievers", kind="bm25"),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(6000),
        runtime=by_attempt(120),
    params:
        **step_params("index_bm25"),
    shell:
        step("index_bm25", "threads")


rule search_bm25:
    """Run one set of queries over one collection by BM25."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        index="results/runs/{collection}/{retriever}/index",
        queries=inputs.corpora.queryset,
    output:
        run="results/runs/{collection}/{retriever}/{queryset}.trec",
    log:
        "results/logs/search_bm25/{collection}/{retriever}/{queryset}.log",
    benchmark:
        "results/benchmarks/search_bm25/{collection}/{retriever}/{queryset}.tsv"
    wildcard_constraints:
        retriever=study.pattern("retrievers", kind="bm25"),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(6000),
        runtime=by_attempt(120),
    params:
        **step_params("search_bm25"),
    shell:
        step("search_bm25", "threads")


rule encode_dense:
    """Encode a shard of one collection with a dense retriever."""
    input:
        spec=ancient("config/retrievers/{retriever}.yaml"),
        model=entity("results/models/{retriever.model}"),
        passages="results/{collection}/passages.jsonl",
    output:
        vectors=directory("results/runs/{collection}/{retriever}/shards/{scatteritem}"),
    log:
        "results/logs/encode_dense/{collection}/{retriever}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/encode_dense/{collection}/{retriever}/{scatteritem}.tsv"
    wildcard_constraints:
        retriever=study.pattern("retrievers", kind="dense"),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
        gpu=1,
    params:
        **step_params("encode_dense"),
        settings=inputs.runs.encoding_settings,
        passages_as=inputs.runs.passages_as,
    shell:
        step("encode_dense", "passages_as", shard="{wildcards.scatteritem:q}")


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
        retriever=study.pattern("retrievers", kind="dense"),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
    params:
        **step_params("index_dense"),
        settings=inputs.runs.index_settings,
    shell:
        step("index_dense")


rule search_dense:
    """Run one set of queries over one collection with a dense retriever."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        model=entity("results/models/{retriever.query_encoder}"),
        index="results/runs/{collection}/{retriever}/index",
        queries=inputs.corpora.queryset,
    output:
        run="results/runs/{collection}/{retriever}/{queryset}.trec",
    log:
        "results/logs/search_dense/{collection}/{retriever}/{queryset}.log",
    benchmark:
        "results/benchmarks/search_dense/{collection}/{retriever}/{queryset}.tsv"
    wildcard_constraints:
        retriever=study.pattern("retrievers", kind="dense"),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(120),
        gpu=1,
    params:
        **step_params("search_dense"),
    shell:
        step("search_dense")


rule encode_sparse:
    """Encode a shard of one collection with a learned sparse retriever."""
    input:
        spec=ancient("config/retrievers/{retriever}.yaml"),
        model=entity("results/models/{retriever.model}"),
        passages="results/{collection}/passages.jsonl",
    output:
        impacts=directory("results/runs/{collection}/{retriever}/shards/{scatteritem}"),
    log:
        "results/logs/encode_sparse/{collection}/{retriever}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/encode_sparse/{collection}/{retriever}/{scatteritem}.tsv"
    wildcard_constraints:
        retriever=study.pattern("retrievers", kind="sparse"),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
        gpu=1,
    params:
        **step_params("encode_sparse"),
        settings=inputs.runs.encoding_settings,
    shell:
        step("encode_sparse", shard="{wildcards.scatteritem:q}")


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
        retriever=study.pattern("retrievers", kind="sparse"),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
    params:
        **step_params("index_sparse"),
    shell:
        step("index_sparse", "threads")


rule search_sparse:
    """Run one set of queries over one collection with a learned sparse retriever."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        model=entity("results/models/{retriever.query_encoder}"),
        index="results/runs/{collection}/{retriever}/index",
        queries=inputs.corpora.queryset,
    output:
        run="results/runs/{collection}/{retriever}/{queryset}.trec",
    log:
        "results/logs/search_sparse/{collection}/{retriever}/{queryset}.log",
    benchmark:
        "results/benchmarks/search_sparse/{collection}/{retriever}/{queryset}.tsv"
    wildcard_constraints:
        retriever=study.pattern("retrievers", kind="sparse"),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(120),
        gpu=1,
    params:
        **step_params("search_sparse"),
    shell:
        step("search_sparse", "threads")


rule rerank_run:
    """Rerank the top of a shard of a first stage's run with a pointwise reranker."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        ranker=entity("config/rankers/{retriever.ranker}.yaml"),
        checkpoint=inputs.runs.reranker_model,
        passages="results/{collection}/passages.jsonl",
        queries=inputs.corpora.queryset,
        first_stage=entity("results/runs/{collection}/{retriever.retriever}/{queryset}.trec"),
    output:
        run="results/runs/{collection}/{retriever}/{part}{queryset}.trec",
    log:
        "results/logs/rerank_run/{collection}/{retriever}/{part}{queryset}.log",
    benchmark:
        "results/benchmarks/rerank_run/{collection}/{retriever}/{part}{queryset}.tsv"
    wildcard_constraints:
        part=part_of(study.experiment.shards.rerank),
        retriever=study.pattern("retrievers", kind="reranked"),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
        gpu=1,
    params:
        **step_params("rerank_run"),
        shard=shard_of,
    shell:
        step("rerank_run", "shard")


if study.experiment.shards.rerank > 1:

    rule concatenate_run:
        """Concatenate the shards of a reranked run."""
        input:
            spec="config/retrievers/{retriever}.yaml",
            queries=inputs.corpora.queryset,
            first_stage=entity("results/runs/{collection}/{retriever.retriever}/{queryset}.trec"),
            shards=gather.rerank("results/runs/{{collection}}/{{retriever}}/shards/{scatteritem}/{{queryset}}.trec"),
        output:
            run="results/runs/{collection}/{retriever}/{queryset}.trec",
        log:
            "results/logs/concatenate_run/{collection}/{retriever}/{queryset}.log",
        benchmark:
            "results/benchmarks/concatenate_run/{collection}/{retriever}/{queryset}.tsv"
        wildcard_constraints:
            retriever=study.pattern("retrievers", kind="reranked"),
        conda:
            "../envs/runs.yaml"
        resources:
            mem_mb=by_attempt(4000),
            runtime=by_attempt(60),
        params:
            **step_params("concatenate_run"),
        shell:
            step("concatenate_run")


rule score_passages:
    """Score generated passages for their queries with a reranker or a dense retriever."""
    input:
        passages="results/{collection}/passages.jsonl",
        ranker=each(inputs.runs.judge, "config/rankers/{ranker}.yaml"),
        retriever=each(inputs.runs.judge, "config/retrievers/{retriever}.yaml"),
        model=each(
            inputs.runs.judge,
            "results/models/{retriever.model}",
            "results/models/{ranker.base.model}",
            "results/checkpoints/{ranker.base.recipe}/none/{ranker.base.ranker}/seed-0",
        ),
    output:
        scores="results/runs/{collection}/judged/{judge}.jsonl",
    log:
        "results/logs/score_passages/{collection}/{judge}.log",
    benchmark:
        "results/benchmarks/score_passages/{collection}/{judge}.tsv"
    wildcard_constraints:
        collection=PASSAGES.pattern,
        judge=any_of(BY_RANKER, BY_RETRIEVER),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
        gpu=1,
    params:
        **step_params("score_passages"),
    shell:
        step("score_passages")


rule run_orders:
    """Write a language model's rankings of pooled candidates as a run."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        orders=each(
            inputs.runs.corpus,
            "results/rankings/{corpus}/{queryset}/{retriever.pool}/{retriever.ranking}/{retriever.llm}/orders.jsonl",
        ),
        queries=inputs.corpora.queryset,
    output:
        run="results/runs/{collection}/{retriever}/{queryset}.trec",
    log:
        "results/logs/run_orders/{collection}/{retriever}/{queryset}.log",
    benchmark:
        "results/benchmarks/run_orders/{collection}/{retriever}/{queryset}.tsv"
    wildcard_constraints:
        collection=CORPUS.pattern,
        retriever=study.pattern("retrievers", kind="ordered"),
    conda:
        "../envs/runs.yaml"
    params:
        **step_params("run_orders"),
    shell:
        step("run_orders")


rule import_run:
    """Convert an external run or external rankings to a run of one set of queries."""
    input:
        spec="config/retrievers/{retriever}.yaml",
        file=entity(DATA / "{retriever.file}"),
        queries=inputs.corpora.queryset,
        passages="results/{collection}/passages.jsonl",
    output:
        run="results/runs/{collection}/{retriever}/{queryset}.trec",
    log:
        "results/logs/import_run/{collection}/{retriever}/{queryset}.log",
    benchmark:
        "results/benchmarks/import_run/{collection}/{retriever}/{queryset}.tsv"
    wildcard_constraints:
        retriever=study.pattern("retrievers", kind="recorded"),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(6000),
        runtime=by_attempt(60),
    params:
        **step_params("import_run"),
    shell:
        step("import_run")


rule choose_weight:
    """Choose the weight of a ranker's score relative to its first stage on a development split."""
    input:
        checkpoint=inputs.checkpoints.checkpoint,
        ranker="config/rankers/{ranker}.yaml",
        development=entity(
            "results/corpora/{ranker.rerank.mix.corpus}/{ranker.rerank.mix.corpus.development}/queries.jsonl",
            "results/corpora/{ranker.rerank.mix.corpus}/{ranker.rerank.mix.corpus.development}/qrels.txt",
            "results/corpora/{ranker.rerank.mix.corpus}/passages.jsonl",
            "results/runs/corpora/{ranker.rerank.mix.corpus}/{ranker.rerank.retriever}/{ranker.rerank.mix.corpus.development}.trec",
        ),
    output:
        weight="results/runs/weights/{recipe}/{llm}/{ranker}/seed-{seed}.json",
    log:
        "results/logs/choose_weight/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/choose_weight/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    wildcard_constraints:
        ranker=study.ranker_pattern(reorder=True),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
        gpu=1,
    params:
        **step_params("choose_weight"),
        seed=inputs.checkpoints.training_seed,
    shell:
        step("choose_weight", "seed")


rule rerank_testset:
    """Rerank one test set with one ranker, without and with fusion with its first stage."""
    input:
        checkpoint=inputs.checkpoints.checkpoint,
        ranker="config/rankers/{ranker}.yaml",
        testset="config/testsets/{testset}.yaml",
        passages=entity("results/corpora/{testset.corpus}/passages.jsonl"),
        queries=entity("results/corpora/{testset.corpus}/{testset.split}/queries.jsonl"),
        first_stage=each(
            inputs.metrics.first_stage, "results/runs/corpora/{testset.corpus}/{retriever}/{testset.split}.trec"
        ),
        weight=entity("results/runs/weights/{recipe}/{llm}/{ranker}/seed-{seed}.json", given="ranker.rerank.mix"),
    output:
        run="results/runs/testsets/{testset}/{recipe}/{llm}/{ranker}/{part}seed-{seed}.trec",
        fused="results/runs/testsets/{testset}/{recipe}/{llm}/{ranker}/{part}seed-{seed}+first-stage.trec",
    log:
        "results/logs/rerank_testset/{testset}/{recipe}/{llm}/{ranker}/{part}seed-{seed}.log",
    benchmark:
        "results/benchmarks/rerank_testset/{testset}/{recipe}/{llm}/{ranker}/{part}seed-{seed}.tsv"
    wildcard_constraints:
        part=part_of(study.experiment.shards.rerank),
        ranker=study.ranker_pattern(reorder=True),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
        gpu=1,
    params:
        **step_params("rerank_testset"),
        seed=inputs.checkpoints.training_seed,
        shard=shard_of,
    shell:
        step("rerank_testset", "seed shard")


if study.experiment.shards.rerank > 1:

    rule concatenate_testset:
        """Concatenate the shards of a ranker's runs on one test set."""
        input:
            ranker="config/rankers/{ranker}.yaml",
            testset="config/testsets/{testset}.yaml",
            queries=entity("results/corpora/{testset.corpus}/{testset.split}/queries.jsonl"),
            first_stage=each(
                inputs.metrics.first_stage, "results/runs/corpora/{testset.corpus}/{retriever}/{testset.split}.trec"
            ),
            shards=gather.rerank(
                "results/runs/testsets/{{testset}}/{{recipe}}/{{llm}}/{{ranker}}/"
                "shards/{scatteritem}/seed-{{seed}}.trec"
            ),
            fused_shards=gather.rerank(
                "results/runs/testsets/{{testset}}/{{recipe}}/{{llm}}/{{ranker}}/"
                "shards/{scatteritem}/seed-{{seed}}+first-stage.trec"
            ),
        output:
            run="results/runs/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.trec",
            fused="results/runs/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}+first-stage.trec",
        log:
            "results/logs/concatenate_testset/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.log",
        benchmark:
            "results/benchmarks/concatenate_testset/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
        wildcard_constraints:
            ranker=study.ranker_pattern(reorder=True),
        conda:
            "../envs/runs.yaml"
        resources:
            mem_mb=by_attempt(4000),
            runtime=by_attempt(60),
        params:
            **step_params("concatenate_testset"),
        shell:
            step("concatenate_testset")


rule encode_collection:
    """Encode a shard of a corpus with one bi-encoder, if several jobs encode it or several test sets search it."""
    input:
        checkpoint=inputs.checkpoints.checkpoint,
        ranker="config/rankers/{ranker}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
    output:
        vectors=temp(directory("results/runs/vectors/{corpus}/{recipe}/{llm}/{ranker}/seed-{seed}/{scatteritem}")),
    log:
        "results/logs/encode_collection/{corpus}/{recipe}/{llm}/{ranker}/seed-{seed}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/encode_collection/{corpus}/{recipe}/{llm}/{ranker}/seed-{seed}/{scatteritem}.tsv"
    wildcard_constraints:
        ranker=study.ranker_pattern(reorder=False),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
        gpu=1,
    params:
        **step_params("encode_collection"),
        passages_as=inputs.runs.passages_as,
    shell:
        step("encode_collection", "passages_as", shard="{wildcards.scatteritem:q}")


rule search_testset:
    """Search the corpus of one test set with one bi-encoder, and encode it unless vectors exist."""
    input:
        checkpoint=inputs.checkpoints.checkpoint,
        ranker="config/rankers/{ranker}.yaml",
        testset="config/testsets/{testset}.yaml",
        passages=entity("results/corpora/{testset.corpus}/passages.jsonl"),
        queries=entity("results/corpora/{testset.corpus}/{testset.split}/queries.jsonl"),
        vectors=each(
            inputs.metrics.vectors,
            "results/runs/vectors/{testset.corpus}/{recipe}/{llm}/{ranker}/seed-{seed}/{scatteritem}",
        ),
    output:
        run="results/runs/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.trec",
    log:
        "results/logs/search_testset/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/search_testset/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    wildcard_constraints:
        ranker=study.ranker_pattern(reorder=False),
    conda:
        "../envs/runs.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(600),
        gpu=1,
    params:
        **step_params("search_testset"),
    shell:
        step("search_testset")
