"""Stage passages: training passages for the training queries.

Takes  the training split of a corpus, config/paradigms/{paradigm}.yaml and its prompt, config/llms/{llm}.yaml; for
       queries made from human passages, results/queries/{corpus}/{augmentation}/
Gives  results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/passages.jsonl, with replies.jsonl, dropped.jsonl, shards/
       and, for filters of recipes, judged/ with scores by an LLM. {draw} is the training seed if the passages differ
       between seeds, and 0 otherwise. {llm} is `none` for human and imported passages. collection.jsonl contains all
       imported texts
"""


rule collect_passages:
    """Collect the human passages of the training queries as positives."""
    input:
        passages="results/corpora/{corpus}/passages.jsonl",
        queries="results/corpora/{corpus}/train/queries.jsonl",
        qrels="results/corpora/{corpus}/train/qrels.txt",
        excluded="results/corpora/{corpus}/train/excluded.txt",
    output:
        positives="results/passages/{corpus}/{paradigm}/draw-0/none/passages.jsonl",
        counts="results/passages/{corpus}/{paradigm}/draw-0/none/counts.json",
    log:
        "results/logs/collect_passages/{corpus}/{paradigm}.log",
    benchmark:
        "results/benchmarks/collect_passages/{corpus}/{paradigm}.tsv"
    wildcard_constraints:
        paradigm=study.pattern("paradigms", kind="human"),
    conda:
        "../envs/passages.yaml"
    params:
        **step_params("collect_passages"),
    shell:
        step("collect_passages")


rule pair_queries:
    """Collect the passages from which queries were made as positives of these queries."""
    input:
        queries=entity("results/queries/{corpus}/{paradigm.augmentation}/queries.jsonl"),
        passages="results/corpora/{corpus}/passages.jsonl",
        excluded="results/corpora/{corpus}/train/excluded.txt",
    output:
        positives="results/passages/{corpus}/{paradigm}/draw-0/none/passages.jsonl",
        counts="results/passages/{corpus}/{paradigm}/draw-0/none/counts.json",
    log:
        "results/logs/pair_queries/{corpus}/{paradigm}.log",
    benchmark:
        "results/benchmarks/pair_queries/{corpus}/{paradigm}.tsv"
    wildcard_constraints:
        paradigm=study.pattern("paradigms", kind="queries"),
    conda:
        "../envs/passages.yaml"
    params:
        **step_params("pair_queries"),
    shell:
        step("pair_queries")


rule judge_passages:
    """Score generated passages for their queries with a language model."""
    input:
        passages="results/passages/{corpus}/{paradigm}/draw-{draw}/{writer}/passages.jsonl",
        ranking="config/rankings/{ranking}.yaml",
        prompt=entity("config/prompts/{ranking.prompt}.md"),
        llm="config/llms/{llm}.yaml",
        model=entity("results/models/{llm.weights}"),
    output:
        scores="results/passages/{corpus}/{paradigm}/draw-{draw}/{writer}/judged/{ranking}/{llm}.jsonl",
    log:
        "results/logs/judge_passages/{corpus}/{paradigm}/draw-{draw}/{writer}/{ranking}/{llm}.log",
    benchmark:
        "results/benchmarks/judge_passages/{corpus}/{paradigm}/draw-{draw}/{writer}/{ranking}/{llm}.tsv"
    wildcard_constraints:
        llm=study.pattern("llms"),
        writer=study.pattern("llms", "none"),
    conda:
        "../envs/passages.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=inputs.llms.minutes,
        gpu=inputs.llms.gpus,
        api=inputs.llms.api,
    params:
        **step_params("judge_passages"),
    shell:
        step("judge_passages")


rule import_passages:
    """Import external passages as positives."""
    input:
        paradigm="config/paradigms/{paradigm}.yaml",
        file=entity(DATA / "{paradigm.file}"),
        queries=each(inputs.corpora.training_split, "results/corpora/{corpus}/{split}/queries.jsonl"),
        qrels=each(inputs.corpora.training_split, "results/corpora/{corpus}/{split}/qrels.txt"),
        excluded="results/corpora/{corpus}/train/excluded.txt",
    output:
        passages="results/passages/{corpus}/{paradigm}/draw-0/none/passages.jsonl",
        collection="results/passages/{corpus}/{paradigm}/draw-0/none/collection.jsonl",
        counts="results/passages/{corpus}/{paradigm}/draw-0/none/counts.json",
    log:
        "results/logs/import_passages/{corpus}/{paradigm}.log",
    benchmark:
        "results/benchmarks/import_passages/{corpus}/{paradigm}.tsv"
    wildcard_constraints:
        paradigm=study.pattern("paradigms", kind="imported"),
    conda:
        "../envs/passages.yaml"
    params:
        **step_params("import_passages"),
    shell:
        step("import_passages")


rule write_requests:
    """Render a paradigm's prompt for every training query."""
    input:
        paradigm="config/paradigms/{paradigm}.yaml",
        prompt=entity("config/prompts/{paradigm.prompt}.md"),
        corpus="config/corpora/{corpus}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        queries="results/corpora/{corpus}/train/queries.jsonl",
        qrels="results/corpora/{corpus}/train/qrels.txt",
        excluded="results/corpora/{corpus}/train/excluded.txt",
    output:
        requests="results/passages/{corpus}/{paradigm}/draw-{draw}/requests.jsonl",
        exemplars="results/passages/{corpus}/{paradigm}/draw-{draw}/exemplars.jsonl",
        examples="results/passages/{corpus}/{paradigm}/draw-{draw}/examples.md",
    log:
        "results/logs/write_requests/{corpus}/{paradigm}/draw-{draw}.log",
    benchmark:
        "results/benchmarks/write_requests/{corpus}/{paradigm}/draw-{draw}.tsv"
    wildcard_constraints:
        paradigm=study.pattern("paradigms", kind=("generated", "graded")),
    conda:
        "../envs/passages.yaml"
    params:
        **step_params("write_requests"),
        exemplar_draw=inputs.llms.exemplar_draw,
    shell:
        step("write_requests", "exemplar_draw")


rule generate_passages:
    """Send every request of a shard to a language model and store every reply."""
    input:
        requests="results/passages/{corpus}/{paradigm}/draw-{draw}/requests.jsonl",
        paradigm="config/paradigms/{paradigm}.yaml",
        llm="config/llms/{llm}.yaml",
        model=entity("results/models/{llm.weights}"),
    output:
        replies="results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/{part}replies.jsonl",
    log:
        "results/logs/generate_passages/{corpus}/{paradigm}/draw-{draw}/{llm}/{part}replies.log",
    benchmark:
        "results/benchmarks/generate_passages/{corpus}/{paradigm}/draw-{draw}/{llm}/{part}replies.tsv"
    wildcard_constraints:
        llm=study.pattern("llms"),
        paradigm=study.pattern("paradigms", kind=("generated", "graded")),
        part=part_of(study.experiment.shards.write),
    conda:
        "../envs/passages.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=inputs.llms.minutes,
        gpu=inputs.llms.gpus,
        api=inputs.llms.api,
    params:
        **step_params("generate_passages"),
        generation_draw=inputs.llms.generation_draw,
        shard=shard_of,
    shell:
        step("generate_passages", "generation_draw shard")


if study.experiment.shards.write > 1:

    rule concatenate_replies:
        """Concatenate the replies of all shards."""
        input:
            requests="results/passages/{corpus}/{paradigm}/draw-{draw}/requests.jsonl",
            paradigm="config/paradigms/{paradigm}.yaml",
            shards=gather.write(
                "results/passages/{{corpus}}/{{paradigm}}/draw-{{draw}}/{{llm}}/shards/{scatteritem}/replies.jsonl"
            ),
        output:
            replies="results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/replies.jsonl",
        log:
            "results/logs/concatenate_replies/{corpus}/{paradigm}/draw-{draw}/{llm}.log",
        benchmark:
            "results/benchmarks/concatenate_replies/{corpus}/{paradigm}/draw-{draw}/{llm}.tsv"
        wildcard_constraints:
            llm=study.pattern("llms"),
            paradigm=study.pattern("paradigms", kind=("generated", "graded")),
        conda:
            "../envs/passages.yaml"
        params:
            **step_params("concatenate_replies"),
        shell:
            step("concatenate_replies")


rule filter_passages:
    """Parse replies as passages, and count dropped replies by reason."""
    input:
        requests="results/passages/{corpus}/{paradigm}/draw-{draw}/requests.jsonl",
        replies="results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/replies.jsonl",
        paradigm="config/paradigms/{paradigm}.yaml",
    output:
        passages="results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/passages.jsonl",
        dropped="results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/dropped.jsonl",
        counts="results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/counts.json",
    log:
        "results/logs/filter_passages/{corpus}/{paradigm}/draw-{draw}/{llm}.log",
    benchmark:
        "results/benchmarks/filter_passages/{corpus}/{paradigm}/draw-{draw}/{llm}.tsv"
    wildcard_constraints:
        llm=study.pattern("llms"),
        paradigm=study.pattern("paradigms", kind=("generated", "graded")),
    conda:
        "../envs/passages.yaml"
    params:
        **step_params("filter_passages"),
    shell:
        step("filter_passages")
