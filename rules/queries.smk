"""Stage queries: queries made from the passages of a corpus, and their filters.

Takes  config/augmentations/{augmentation}.yaml, results/corpora/{corpus}/, and the model, prompt, LLM, augmentations or
       run that the augmentation names
Gives  results/queries/{corpus}/{augmentation}/raw.jsonl, written by one rule per kind, and queries.jsonl after the
       filters. For models, sampled.jsonl contains the sampled passages and shards/ the queries of each shard
"""


rule take_titles:
    """Take titles of passages as queries."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        excluded="results/corpora/{corpus}/train/excluded.txt",
    output:
        raw="results/queries/{corpus}/{augmentation}/raw.jsonl",
    log:
        "results/logs/take_titles/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/take_titles/{corpus}/{augmentation}.tsv"
    wildcard_constraints:
        augmentation=study.pattern("augmentations", kind="title"),
    conda:
        "../envs/queries.yaml"
    params:
        **step_params("take_titles"),
    shell:
        step("take_titles")


rule crop_sentences:
    """Take sentences of passages as queries."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        excluded="results/corpora/{corpus}/train/excluded.txt",
    output:
        raw="results/queries/{corpus}/{augmentation}/raw.jsonl",
    log:
        "results/logs/crop_sentences/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/crop_sentences/{corpus}/{augmentation}.tsv"
    wildcard_constraints:
        augmentation=study.pattern("augmentations", kind="crop"),
    conda:
        "../envs/queries.yaml"
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(240),
    params:
        **step_params("crop_sentences"),
    shell:
        step("crop_sentences")


rule sample_passages:
    """Sample the passages for which a model will write queries."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        excluded="results/corpora/{corpus}/train/excluded.txt",
    output:
        sampled="results/queries/{corpus}/{augmentation}/sampled.jsonl",
    log:
        "results/logs/sample_passages/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/sample_passages/{corpus}/{augmentation}.tsv"
    wildcard_constraints:
        augmentation=study.pattern("augmentations", kind=("doc2query", "llm-query")),
    conda:
        "../envs/queries.yaml"
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        **step_params("sample_passages"),
    shell:
        step("sample_passages")


rule predict_queries:
    """Predict queries from a shard of the sampled passages with a sequence-to-sequence model."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        model=entity("results/models/{augmentation.model}"),
        sampled="results/queries/{corpus}/{augmentation}/sampled.jsonl",
    output:
        queries="results/queries/{corpus}/{augmentation}/shards/{scatteritem}.jsonl",
    log:
        "results/logs/predict_queries/{corpus}/{augmentation}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/predict_queries/{corpus}/{augmentation}/{scatteritem}.tsv"
    wildcard_constraints:
        augmentation=study.pattern("augmentations", kind="doc2query"),
    conda:
        "../envs/queries.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(240),
        gpu=1,
    params:
        **step_params("predict_queries"),
    shell:
        step("predict_queries", shard="{wildcards.scatteritem:q}")


rule gather_predicted_queries:
    """Concatenate the predicted queries of all shards."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        model=entity("results/models/{augmentation.model}"),
        sampled="results/queries/{corpus}/{augmentation}/sampled.jsonl",
        shards=gather.write("results/queries/{{corpus}}/{{augmentation}}/shards/{scatteritem}.jsonl"),
    output:
        raw="results/queries/{corpus}/{augmentation}/raw.jsonl",
        sampling="results/queries/{corpus}/{augmentation}/sampling.json",
    log:
        "results/logs/gather_predicted_queries/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/gather_predicted_queries/{corpus}/{augmentation}.tsv"
    wildcard_constraints:
        augmentation=study.pattern("augmentations", kind="doc2query"),
    conda:
        "../envs/queries.yaml"
    params:
        **step_params("gather_predicted_queries"),
    shell:
        step("gather_predicted_queries")


rule draw_exemplars:
    """Draw the training pairs that are exemplars in prompts for queries."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        queries="results/corpora/{corpus}/train/queries.jsonl",
        qrels="results/corpora/{corpus}/train/qrels.txt",
        excluded="results/corpora/{corpus}/train/excluded.txt",
    output:
        exemplars="results/queries/{corpus}/{augmentation}/exemplars.jsonl",
    log:
        "results/logs/draw_exemplars/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/draw_exemplars/{corpus}/{augmentation}.tsv"
    wildcard_constraints:
        augmentation=study.pattern("augmentations", kind="llm-query"),
    conda:
        "../envs/queries.yaml"
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        **step_params("draw_exemplars"),
    shell:
        step("draw_exemplars")


rule ask_queries:
    """Request queries for a shard of the sampled passages from a language model."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        prompt=entity("config/prompts/{augmentation.prompt}.md"),
        llm=entity("config/llms/{augmentation.llm}.yaml"),
        model=entity("results/models/{augmentation.llm.weights}"),
        sampled="results/queries/{corpus}/{augmentation}/sampled.jsonl",
        exemplars=entity("results/queries/{corpus}/{augmentation}/exemplars.jsonl", given="augmentation.exemplars"),
    output:
        replies="results/queries/{corpus}/{augmentation}/shards/{scatteritem}.jsonl",
    log:
        "results/logs/ask_queries/{corpus}/{augmentation}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/ask_queries/{corpus}/{augmentation}/{scatteritem}.tsv"
    wildcard_constraints:
        augmentation=study.pattern("augmentations", kind="llm-query"),
    conda:
        "../envs/queries.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=inputs.llms.minutes,
        gpu=inputs.llms.gpus,
        api=inputs.llms.api,
    params:
        **step_params("ask_queries"),
    shell:
        step("ask_queries", shard="{wildcards.scatteritem:q}")


rule gather_asked_queries:
    """Concatenate the replies of all shards and parse them as queries."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        sampled="results/queries/{corpus}/{augmentation}/sampled.jsonl",
        shards=gather.write("results/queries/{{corpus}}/{{augmentation}}/shards/{scatteritem}.jsonl"),
    output:
        raw="results/queries/{corpus}/{augmentation}/raw.jsonl",
        replies="results/queries/{corpus}/{augmentation}/replies.jsonl",
        counts="results/queries/{corpus}/{augmentation}/counts.json",
    log:
        "results/logs/gather_asked_queries/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/gather_asked_queries/{corpus}/{augmentation}.tsv"
    wildcard_constraints:
        augmentation=study.pattern("augmentations", kind="llm-query"),
    conda:
        "../envs/queries.yaml"
    params:
        **step_params("gather_asked_queries"),
    shell:
        step("gather_asked_queries")


rule mix_queries:
    """Mix the queries of several augmentations in a stated ratio."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        parts=entity("results/queries/{corpus}/{augmentation.parts.augmentation}/queries.jsonl"),
    output:
        raw="results/queries/{corpus}/{augmentation}/raw.jsonl",
    log:
        "results/logs/mix_queries/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/mix_queries/{corpus}/{augmentation}.tsv"
    wildcard_constraints:
        augmentation=study.pattern("augmentations", kind="mixture"),
    conda:
        "../envs/queries.yaml"
    params:
        **step_params("mix_queries"),
    shell:
        step("mix_queries")


rule filter_queries:
    """Keep the queries that pass an augmentation's filters."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        raw="results/queries/{corpus}/{augmentation}/raw.jsonl",
        testsets=entity(
            "results/corpora/{augmentation.filters.testsets.corpus}/{augmentation.filters.testsets.split}/queries.jsonl"
        ),
        run=entity("results/runs/corpora/{corpus}/{augmentation.filters.round_trip.retriever}/{augmentation}@raw.trec"),
    output:
        queries="results/queries/{corpus}/{augmentation}/queries.jsonl",
        filters="results/queries/{corpus}/{augmentation}/filters.json",
    log:
        "results/logs/filter_queries/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/filter_queries/{corpus}/{augmentation}.tsv"
    conda:
        "../envs/queries.yaml"
    params:
        **step_params("filter_queries"),
    shell:
        step("filter_queries")
