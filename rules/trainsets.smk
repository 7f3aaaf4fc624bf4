"""Stage trainsets: training groups built from recipes.

Takes  config/recipes/{recipe}.yaml, and the generated passages, runs, queries and rankings that it names
Gives  results/trainsets/{recipe}/{llm}/draw-{draw}/groups.jsonl. {llm} is `none` if the recipe uses no LLM. {draw} is
       the training seed if the data differ between seeds, and 0 otherwise
"""


rule pair_trainset:
    """Pair generated or human passages of one or more paradigms, or levels, with retrieved negatives."""
    input:
        spec=each(inputs.trainsets.recipe, "config/recipes/{recipe}.yaml"),
        queries=each(
            inputs.trainsets.positives,
            "results/corpora/{recipe.corpus}/{split}/queries.jsonl",
            "results/queries/{recipe.corpus}/{augmentation}/queries.jsonl",
        ),
        qrels=entity("results/corpora/{recipe.corpus}/train/qrels.txt"),
        passages=entity("results/corpora/{recipe.corpus}/passages.jsonl", given="recipe.human_label"),
        excluded=each(inputs.corpora.trained_split, "results/corpora/{recipe.corpus}/{split}/excluded.txt"),
        positives=each(
            inputs.trainsets.positives, "results/passages/{recipe.corpus}/{paradigm}/draw-{draw}/{llm}/passages.jsonl"
        ),
        filters=inputs.trainsets.filters,
        negative_runs=inputs.trainsets.negative_runs,
        negative_passages=inputs.trainsets.negative_passages,
        dropped_queries=entity(
            "results/corpora/{recipe.drop_leaks.testsets.corpus}/{recipe.drop_leaks.testsets.split}/queries.jsonl"
        ),
        dropped_qrels=entity(
            "results/corpora/{recipe.drop_leaks.testsets.corpus}/{recipe.drop_leaks.testsets.split}/qrels.txt"
        ),
        dropped_passages=entity("results/corpora/{recipe.drop_leaks.testsets.corpus}/passages.jsonl"),
        dropped_retriever=entity("config/retrievers/{recipe.drop_leaks.retriever}.yaml"),
        dropped_model=entity("results/models/{recipe.drop_leaks.retriever.model}"),
        guard_retriever=entity("config/retrievers/{recipe.negatives.guard.scored_by}.yaml"),
        guard_model=entity("results/models/{recipe.negatives.guard.scored_by.model}"),
        teacher=entity("config/rankers/{recipe.teacher}.yaml"),
        teacher_model=entity(
            "results/models/{recipe.teacher.base.model}",
            "results/checkpoints/{recipe.teacher.base.recipe}/none/{recipe.teacher.base.ranker}/seed-0",
        ),
    output:
        trainset="results/trainsets/{recipe}/{llm}/draw-{draw}/groups.jsonl",
        stats="results/trainsets/{recipe}/{llm}/draw-{draw}/stats.json",
    log:
        "results/logs/pair_trainset/{recipe}/{llm}/draw-{draw}.log",
    benchmark:
        "results/benchmarks/pair_trainset/{recipe}/{llm}/draw-{draw}.tsv"
    wildcard_constraints:
        recipe=study.pattern("recipes", kind=("pairs", "graded")),
    conda:
        "../envs/trainsets.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(120),
        gpu=inputs.trainsets.gpus,
    params:
        **step_params("pair_trainset"),
        size=inputs.trainsets.size,
        draws=inputs.trainsets.of_parts,
        reworded=inputs.trainsets.reworded,
    shell:
        step(
            "pair_trainset",
            "size reworded",
            query_draw="{params.draws.queries:q}",
            negative_draw="{params.draws.negatives:q}",
        )


rule distil_trainset:
    """Label the candidates of a first stage with a dense model's similarity."""
    input:
        spec="config/recipes/{recipe}.yaml",
        queries=entity("results/queries/{recipe.corpus}/{recipe.queries}/queries.jsonl"),
        run=entity("results/runs/corpora/{recipe.corpus}/{recipe.retriever}/{recipe.queries}.trec"),
        passages=entity("results/corpora/{recipe.corpus}/passages.jsonl"),
        excluded=each(inputs.corpora.trained_split, "results/corpora/{recipe.corpus}/{split}/excluded.txt"),
        teacher=entity("config/retrievers/{recipe.teacher}.yaml"),
        model=entity("results/models/{recipe.teacher.model}"),
    output:
        trainset="results/trainsets/{recipe}/{llm}/draw-0/groups.jsonl",
        stats="results/trainsets/{recipe}/{llm}/draw-0/stats.json",
    log:
        "results/logs/distil_trainset/{recipe}/{llm}.log",
    benchmark:
        "results/benchmarks/distil_trainset/{recipe}/{llm}.tsv"
    wildcard_constraints:
        llm="none",
        recipe=study.pattern("recipes", kind="distil"),
    conda:
        "../envs/trainsets.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(120),
        gpu=1,
    params:
        **step_params("distil_trainset"),
    shell:
        step("distil_trainset")


rule order_trainset:
    """Label pooled candidates with their rank in a language model's ranking."""
    input:
        spec="config/recipes/{recipe}.yaml",
        orders=entity(
            "results/rankings/{recipe.corpus}/{recipe.queries}/{recipe.pool}/{recipe.ranking}/{llm}/orders.jsonl"
        ),
        candidates=entity("results/rankings/{recipe.corpus}/{recipe.queries}/{recipe.pool}/candidates.jsonl"),
        passages=entity("results/corpora/{recipe.corpus}/passages.jsonl"),
        excluded=each(inputs.corpora.trained_split, "results/corpora/{recipe.corpus}/{split}/excluded.txt"),
    output:
        trainset="results/trainsets/{recipe}/{llm}/draw-0/groups.jsonl",
        stats="results/trainsets/{recipe}/{llm}/draw-0/stats.json",
    log:
        "results/logs/order_trainset/{recipe}/{llm}.log",
    benchmark:
        "results/benchmarks/order_trainset/{recipe}/{llm}.tsv"
    wildcard_constraints:
        recipe=study.pattern("recipes", kind="order"),
    conda:
        "../envs/trainsets.yaml"
    params:
        **step_params("order_trainset"),
    shell:
        step("order_trainset")


rule teacher_trainset:
    """Label passages with their rank in recorded external rankings."""
    input:
        spec="config/recipes/{recipe}.yaml",
        source=inputs.trainsets.teacher_source,
        queries=entity("results/corpora/{recipe.corpus}/{recipe.split}/queries.jsonl"),
        passages=entity("results/corpora/{recipe.corpus}/passages.jsonl"),
        excluded=each(inputs.corpora.trained_split, "results/corpora/{recipe.corpus}/{split}/excluded.txt"),
        held_out_queries=each(
            inputs.corpora.held_out_of_recipe, "results/corpora/{recipe.corpus}/{held_out}/queries.jsonl"
        ),
    output:
        trainset="results/trainsets/{recipe}/{llm}/draw-0/groups.jsonl",
        stats="results/trainsets/{recipe}/{llm}/draw-0/stats.json",
    log:
        "results/logs/teacher_trainset/{recipe}/{llm}.log",
    benchmark:
        "results/benchmarks/teacher_trainset/{recipe}/{llm}.tsv"
    wildcard_constraints:
        llm="none",
        recipe=study.pattern("recipes", kind="teacher"),
    conda:
        "../envs/trainsets.yaml"
    params:
        **step_params("teacher_trainset"),
        files=inputs.trainsets.teacher_files,
    shell:
        step("teacher_trainset", "files")
