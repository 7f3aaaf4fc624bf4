"""Stage trainsets: training groups, as a recipe says.

Takes  config/recipes/{recipe}.yaml, and the written passages, runs, queries and orders it names
Gives  results/trainsets/{recipe}/{llm}/draw-{draw}/groups.jsonl; {llm} is none where no LLM wrote or ordered a passage,
       {draw} a training seed that has data of its own, else 0
"""


rule pair_trainset:
    """Pair written passages of one or several paradigms, or levels, with retrieved negatives."""
    input:
        spec=needs.recipe_spec,
        queries=needs.pair_queries,
        qrels=needs.recipe_qrels,
        passages=needs.human_passages,
        held_out=needs.held_out_qrels,
        positives=needs.positives,
        filters=needs.pair_filters,
        negative_runs=needs.negative_runs,
        negative_passages=needs.negative_passages,
        dropped_queries=needs.dropped_files("queries.jsonl"),
        dropped_qrels=needs.dropped_files("qrels.txt"),
        dropped_passages=needs.dropped_files("passages.jsonl"),
        dropped_retriever=needs.dropped_retriever,
        dropped_model=needs.dropped_model,
        guard_retriever=needs.guard_retriever,
        guard_model=needs.guard_model,
        teacher=needs.pair_teacher,
        teacher_model=needs.pair_teacher_model,
    output:
        trainset="results/trainsets/{recipe}/{llm}/draw-{draw}/groups.jsonl",
        stats="results/trainsets/{recipe}/{llm}/draw-{draw}/stats.json",
    log:
        "results/logs/pair_trainset/{recipe}/{llm}/draw-{draw}.log",
    benchmark:
        "results/benchmarks/pair_trainset/{recipe}/{llm}/draw-{draw}.tsv"
    wildcard_constraints:
        recipe=study.pattern_of("recipes", Sized),
    conda:
        "../envs/trainsets.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(120),
        gpu=needs.pair_gpus,
    params:
        code=code_of("pair_trainset.py"),
        size=needs.recipe_size,
        draws=needs.trainset_draws,
        reworded=needs.reworded,
    shell:
        r"""
        python "$SCRIPTS"/pair_trainset.py \
            --spec {input.spec:q} \
            --size {params.size} \
            --query-draw {params.draws.queries} \
            --negative-draw {params.draws.negatives} \
            --queries {input.queries:q} \
            --qrels {input.qrels:q} \
            --passages {input.passages:q} \
            --held-out {input.held_out:q} \
            --positives {input.positives:q} \
            --filters {input.filters:q} \
            --negative-runs {input.negative_runs:q} \
            --negative-passages {input.negative_passages:q} \
            --reworded {params.reworded:q} \
            --dropped-queries {input.dropped_queries:q} \
            --dropped-qrels {input.dropped_qrels:q} \
            --dropped-passages {input.dropped_passages:q} \
            --dropped-retriever {input.dropped_retriever:q} \
            --dropped-model {input.dropped_model:q} \
            --guard-retriever {input.guard_retriever:q} \
            --guard-model {input.guard_model:q} \
            --teacher {input.teacher:q} \
            --teacher-model {input.teacher_model:q} \
            --trainset {output.trainset:q} \
            --stats {output.stats:q} \
            &>{log:q}
        """


rule distil_trainset:
    """Label the candidates of a first stage with a dense model's similarity."""
    input:
        spec="config/recipes/{recipe}.yaml",
        queries=needs.recipe_queries,
        run=needs.recipe_run,
        passages=needs.recipe_passages,
        held_out=needs.held_out_qrels,
        teacher=needs.teacher_spec,
        model=needs.teacher_model,
    output:
        trainset="results/trainsets/{recipe}/{llm}/draw-0/groups.jsonl",
        stats="results/trainsets/{recipe}/{llm}/draw-0/stats.json",
    log:
        "results/logs/distil_trainset/{recipe}/{llm}.log",
    benchmark:
        "results/benchmarks/distil_trainset/{recipe}/{llm}.tsv"
    wildcard_constraints:
        llm="none",
        recipe=study.pattern_of("recipes", DistilRecipe),
    conda:
        "../envs/trainsets.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(120),
        gpu=1,
    params:
        code=code_of("distil_trainset.py"),
    shell:
        r"""
        python "$SCRIPTS"/distil_trainset.py \
            --spec {input.spec:q} \
            --queries {input.queries:q} \
            --run {input.run:q} \
            --passages {input.passages:q} \
            --held-out {input.held_out:q} \
            --teacher {input.teacher:q} \
            --model {input.model:q} \
            --trainset {output.trainset:q} \
            --stats {output.stats:q} \
            &>{log:q}
        """


rule order_trainset:
    """Label pooled candidates with their rank in a language model's order."""
    input:
        spec="config/recipes/{recipe}.yaml",
        orders=needs.orders,
        candidates=needs.order_candidates,
        passages=needs.recipe_passages,
        held_out=needs.held_out_qrels,
    output:
        trainset="results/trainsets/{recipe}/{llm}/draw-0/groups.jsonl",
        stats="results/trainsets/{recipe}/{llm}/draw-0/stats.json",
    log:
        "results/logs/order_trainset/{recipe}/{llm}.log",
    benchmark:
        "results/benchmarks/order_trainset/{recipe}/{llm}.tsv"
    wildcard_constraints:
        recipe=study.pattern_of("recipes", OrderRecipe),
    conda:
        "../envs/trainsets.yaml"
    threads: 1
    params:
        code=code_of("order_trainset.py"),
    shell:
        r"""
        python "$SCRIPTS"/order_trainset.py \
            --spec {input.spec:q} \
            --orders {input.orders:q} \
            --candidates {input.candidates:q} \
            --passages {input.passages:q} \
            --held-out {input.held_out:q} \
            --trainset {output.trainset:q} \
            --stats {output.stats:q} \
            &>{log:q}
        """


rule teacher_trainset:
    """Label passages with their rank in orders that others recorded."""
    input:
        spec="config/recipes/{recipe}.yaml",
        source=needs.teacher_source,
        queries=needs.teacher_queries,
        passages=needs.recipe_passages,
        held_out=needs.held_out_qrels,
        held_out_queries=needs.held_out_queries,
    output:
        trainset="results/trainsets/{recipe}/{llm}/draw-0/groups.jsonl",
        stats="results/trainsets/{recipe}/{llm}/draw-0/stats.json",
    log:
        "results/logs/teacher_trainset/{recipe}/{llm}.log",
    benchmark:
        "results/benchmarks/teacher_trainset/{recipe}/{llm}.tsv"
    wildcard_constraints:
        llm="none",
        recipe=study.pattern_of("recipes", TeacherRecipe),
    conda:
        "../envs/trainsets.yaml"
    threads: 1
    params:
        code=code_of("teacher_trainset.py"),
        files=needs.teacher_files,
    shell:
        r"""
        python "$SCRIPTS"/teacher_trainset.py \
            --spec {input.spec:q} \
            --files {params.files:q} \
            --queries {input.queries:q} \
            --passages {input.passages:q} \
            --held-out {input.held_out:q} \
            --held-out-queries {input.held_out_queries:q} \
            --trainset {output.trainset:q} \
            --stats {output.stats:q} \
            &>{log:q}
        """
