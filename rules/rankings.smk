"""Stage rankings: candidates of several first stages, ordered by a language model.

Takes  a set of queries, the runs that config/pools/{pool}.yaml names, config/rankings/{ranking}.yaml, its prompt,
       config/llms/{llm}.yaml
Gives  results/rankings/{corpus}/{queryset}/{pool}/candidates.jsonl, and below it {ranking}/{llm}/orders.jsonl with
       everything that was asked on the way, both out of shards/
"""


rule pool_candidates:
    """Pool the candidates of several first stages, as a pool's file says."""
    input:
        spec="config/pools/{pool}.yaml",
        queries=needs.queryset,
        runs=needs.pool_runs,
        held_out=needs.held_out_from_queryset,
    output:
        candidates="results/rankings/{corpus}/{queryset}/{pool}/candidates.jsonl",
        stats="results/rankings/{corpus}/{queryset}/{pool}/stats.json",
    log:
        "results/logs/pool_candidates/{corpus}/{queryset}/{pool}.log",
    benchmark:
        "results/benchmarks/pool_candidates/{corpus}/{queryset}/{pool}.tsv"
    conda:
        "../envs/rankings.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(6000),
        runtime=by_attempt(60),
    params:
        code=code_of("pool_candidates.py"),
    shell:
        r"""
        python "$SCRIPTS"/pool_candidates.py \
            --spec {input.spec:q} \
            --queries {input.queries:q} \
            --runs {input.runs:q} \
            --held-out {input.held_out:q} \
            --candidates {output.candidates:q} \
            --stats {output.stats:q} \
            &>{log:q}
        """


rule rank_candidates:
    """Have a language model order the candidates of a shard of the queries."""
    input:
        candidates="results/rankings/{corpus}/{queryset}/{pool}/candidates.jsonl",
        ranking="config/rankings/{ranking}.yaml",
        prompt=needs.ranking_prompt,
        llm="config/llms/{llm}.yaml",
        model=needs.llm_model,
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
    # The text of a model in bfloat16 depends on the number of threads, and an order must not depend on the cores.
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=needs.llm_minutes,
        gpu=needs.llm_gpus,
        api=needs.llm_api,
    params:
        code=code_of("rank_candidates.py"),
    shell:
        r"""
        python "$SCRIPTS"/rank_candidates.py \
            --candidates {input.candidates:q} \
            --ranking {input.ranking:q} \
            --prompt {input.prompt:q} \
            --llm {input.llm:q} \
            --model {input.model:q} \
            --passages {input.passages:q} \
            --shard {wildcards.scatteritem:q} \
            --outcomes {output.outcomes:q} \
            --texts {output.texts:q} \
            &>{log:q}
        """


rule gather_orders:
    """Concatenate the orders of all shards and count what was asked for them."""
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
    threads: 1
    params:
        code=code_of("gather_orders.py"),
    shell:
        r"""
        python "$SCRIPTS"/gather_orders.py \
            --candidates {input.candidates:q} \
            --ranking {input.ranking:q} \
            --llm {wildcards.llm:q} \
            --shards {input.shards:q} \
            --texts {input.texts:q} \
            --orders {output.orders:q} \
            --asks {output.asks:q} \
            --counts {output.counts:q} \
            &>{log:q}
        """
