"""Stage rankings: candidates of several first stages, ranked by a language model.

Takes  a set of queries, the runs that config/pools/{pool}.yaml names, config/rankings/{ranking}.yaml and its prompt,
       config/llms/{llm}.yaml
Gives  results/rankings/{corpus}/{queryset}/{pool}/candidates.jsonl, and below it {ranking}/{llm}/orders.jsonl with
       the rankings and asks.jsonl with all requests, both concatenated from shards/
"""


rule pool_candidates:
    """Pool the candidates of several first stages as the pool's file states."""
    input:
        spec="config/pools/{pool}.yaml",
        queries=inputs.corpora.queryset,
        runs=entity("results/runs/corpora/{corpus}/{pool.sources}/{queryset}.trec"),
        excluded=each(inputs.corpora.pool_excluded, "results/corpora/{corpus}/{split}/excluded.txt"),
    output:
        candidates="results/rankings/{corpus}/{queryset}/{pool}/candidates.jsonl",
        stats="results/rankings/{corpus}/{queryset}/{pool}/stats.json",
    log:
        "results/logs/pool_candidates/{corpus}/{queryset}/{pool}.log",
    benchmark:
        "results/benchmarks/pool_candidates/{corpus}/{queryset}/{pool}.tsv"
    conda:
        "../envs/rankings.yaml"
    resources:
        mem_mb=by_attempt(6000),
        runtime=by_attempt(60),
    params:
        **step_params("pool_candidates"),
    shell:
        step("pool_candidates")


rule rank_candidates:
    """Rank the candidates of a shard of the queries with a language model."""
    input:
        candidates="results/rankings/{corpus}/{queryset}/{pool}/candidates.jsonl",
        ranking="config/rankings/{ranking}.yaml",
        prompt=entity("config/prompts/{ranking.prompt}.md"),
        llm="config/llms/{llm}.yaml",
        model=entity("results/models/{llm.weights}"),
        passages="results/corpora/{corpus}/passages.jsonl",
    output:
        outcomes="results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/shards/{scatteritem}.jsonl",
        texts="results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/shards/{scatteritem}.json",
    log:
        "results/logs/rank_candidates/{corpus}/{queryset}/{pool}/{ranking}/{llm}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/rank_candidates/{corpus}/{queryset}/{pool}/{ranking}/{llm}/{scatteritem}.tsv"
    wildcard_constraints:
        llm=study.pattern("llms"),
    conda:
        "../envs/rankings.yaml"
    # The output of a model in bfloat16 depends on the number of threads, but rankings must not depend on the cores.
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=inputs.llms.minutes,
        gpu=inputs.llms.gpus,
        api=inputs.llms.api,
    params:
        **step_params("rank_candidates"),
    shell:
        step("rank_candidates", shard="{wildcards.scatteritem:q}")


rule gather_orders:
    """Concatenate the rankings of all shards and count their requests."""
    input:
        candidates="results/rankings/{corpus}/{queryset}/{pool}/candidates.jsonl",
        ranking="config/rankings/{ranking}.yaml",
        shards=gather.order(
            "results/rankings/{{corpus}}/{{queryset}}/{{pool}}/{{ranking}}/{{llm}}/shards/{scatteritem}.jsonl"
        ),
        texts=gather.order(
            "results/rankings/{{corpus}}/{{queryset}}/{{pool}}/{{ranking}}/{{llm}}/shards/{scatteritem}.json"
        ),
    output:
        orders="results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/orders.jsonl",
        asks="results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/asks.jsonl",
        counts="results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/counts.json",
    log:
        "results/logs/gather_orders/{corpus}/{queryset}/{pool}/{ranking}/{llm}.log",
    benchmark:
        "results/benchmarks/gather_orders/{corpus}/{queryset}/{pool}/{ranking}/{llm}.tsv"
    wildcard_constraints:
        llm=study.pattern("llms"),
    conda:
        "../envs/rankings.yaml"
    params:
        **step_params("gather_orders"),
    shell:
        step("gather_orders", "wildcards.llm")
