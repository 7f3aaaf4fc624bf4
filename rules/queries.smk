"""Stage queries: queries made from the passages of a corpus, and which of them are kept.

Takes  config/augmentations/{augmentation}.yaml, results/corpora/{corpus}/, and the model, the prompt and LLM, the other
       augmentations, or the run that it names
Gives  results/queries/{corpus}/{augmentation}/raw.jsonl, by one rule a kind, where a model writes them out of shards/
       over the passages of sampled.jsonl, and after the filters queries.jsonl
"""


rule take_titles:
    """Take titles of passages as queries."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        held_out=needs.held_out_qrels,
    output:
        raw="results/queries/{corpus}/{augmentation}/raw.jsonl",
    log:
        "results/logs/take_titles/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/take_titles/{corpus}/{augmentation}.tsv"
    wildcard_constraints:
        augmentation=study.pattern_of("augmentations", TitleQueries),
    conda:
        "../envs/queries.yaml"
    threads: 1
    params:
        code=code_of("take_titles.py"),
    shell:
        r"""
        python "$SCRIPTS"/take_titles.py \
            --spec {input.spec:q} \
            --passages {input.passages:q} \
            --held-out {input.held_out:q} \
            --raw {output.raw:q} \
            &>{log:q}
        """


rule crop_sentences:
    """Take sentences of passages as queries."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        held_out=needs.held_out_qrels,
    output:
        raw="results/queries/{corpus}/{augmentation}/raw.jsonl",
    log:
        "results/logs/crop_sentences/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/crop_sentences/{corpus}/{augmentation}.tsv"
    wildcard_constraints:
        augmentation=study.pattern_of("augmentations", CropQueries),
    conda:
        "../envs/queries.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(240),
    params:
        code=code_of("crop_sentences.py"),
    shell:
        r"""
        python "$SCRIPTS"/crop_sentences.py \
            --spec {input.spec:q} \
            --passages {input.passages:q} \
            --held-out {input.held_out:q} \
            --raw {output.raw:q} \
            &>{log:q}
        """


rule sample_passages:
    """Sample the passages that a model is to write queries for."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        held_out=needs.held_out_qrels,
    output:
        sampled="results/queries/{corpus}/{augmentation}/sampled.jsonl",
    log:
        "results/logs/sample_passages/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/sample_passages/{corpus}/{augmentation}.tsv"
    wildcard_constraints:
        augmentation=study.pattern_of("augmentations", Doc2QueryQueries | LlmQueries),
    conda:
        "../envs/queries.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        code=code_of("sample_passages.py"),
    shell:
        r"""
        python "$SCRIPTS"/sample_passages.py \
            --spec {input.spec:q} \
            --passages {input.passages:q} \
            --held-out {input.held_out:q} \
            --sampled {output.sampled:q} \
            &>{log:q}
        """


rule predict_queries:
    """Predict queries from a shard of the sampled passages with a sequence-to-sequence model."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        model=needs.query_model,
        sampled="results/queries/{corpus}/{augmentation}/sampled.jsonl",
    output:
        queries="results/queries/{corpus}/{augmentation}/shards/{scatteritem}.jsonl",
    log:
        "results/logs/predict_queries/{corpus}/{augmentation}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/predict_queries/{corpus}/{augmentation}/{scatteritem}.tsv"
    wildcard_constraints:
        augmentation=study.pattern_of("augmentations", Doc2QueryQueries),
    conda:
        "../envs/queries.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(240),
        gpu=1,
    params:
        code=code_of("predict_queries.py"),
    shell:
        r"""
        python "$SCRIPTS"/predict_queries.py \
            --spec {input.spec:q} \
            --model {input.model:q} \
            --sampled {input.sampled:q} \
            --shard {wildcards.scatteritem:q} \
            --queries {output.queries:q} \
            &>{log:q}
        """


rule gather_predicted_queries:
    """Concatenate the predicted queries of all shards."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        model=needs.query_model,
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
        augmentation=study.pattern_of("augmentations", Doc2QueryQueries),
    conda:
        "../envs/queries.yaml"
    threads: 1
    params:
        code=code_of("gather_predicted_queries.py"),
    shell:
        r"""
        python "$SCRIPTS"/gather_predicted_queries.py \
            --spec {input.spec:q} \
            --model {input.model:q} \
            --sampled {input.sampled:q} \
            --shards {input.shards:q} \
            --raw {output.raw:q} \
            --sampling {output.sampling:q} \
            &>{log:q}
        """


rule draw_exemplars:
    """Draw the training pairs that prompts for queries show."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        queries="results/corpora/{corpus}/train/queries.jsonl",
        qrels="results/corpora/{corpus}/train/qrels.txt",
        held_out=needs.held_out_qrels,
    output:
        exemplars="results/queries/{corpus}/{augmentation}/exemplars.jsonl",
    log:
        "results/logs/draw_exemplars/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/draw_exemplars/{corpus}/{augmentation}.tsv"
    wildcard_constraints:
        augmentation=study.pattern_of("augmentations", LlmQueries),
    conda:
        "../envs/queries.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(60),
    params:
        code=code_of("draw_exemplars.py"),
    shell:
        r"""
        python "$SCRIPTS"/draw_exemplars.py \
            --spec {input.spec:q} \
            --passages {input.passages:q} \
            --queries {input.queries:q} \
            --qrels {input.qrels:q} \
            --held-out {input.held_out:q} \
            --exemplars {output.exemplars:q} \
            &>{log:q}
        """


rule ask_queries:
    """Ask a language model for queries to a shard of the sampled passages."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        prompt=needs.query_prompt,
        llm=needs.query_llm,
        model=needs.llm_model,
        sampled="results/queries/{corpus}/{augmentation}/sampled.jsonl",
        exemplars=needs.query_exemplars,
    output:
        replies="results/queries/{corpus}/{augmentation}/shards/{scatteritem}.jsonl",
    log:
        "results/logs/ask_queries/{corpus}/{augmentation}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/ask_queries/{corpus}/{augmentation}/{scatteritem}.tsv"
    wildcard_constraints:
        augmentation=study.pattern_of("augmentations", LlmQueries),
    conda:
        "../envs/queries.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=needs.llm_minutes,
        gpu=needs.llm_gpus,
        api=needs.llm_api,
    params:
        code=code_of("ask_queries.py"),
    shell:
        r"""
        python "$SCRIPTS"/ask_queries.py \
            --spec {input.spec:q} \
            --prompt {input.prompt:q} \
            --llm {input.llm:q} \
            --model {input.model:q} \
            --sampled {input.sampled:q} \
            --exemplars {input.exemplars:q} \
            --shard {wildcards.scatteritem:q} \
            --replies {output.replies:q} \
            &>{log:q}
        """


rule gather_asked_queries:
    """Concatenate the replies of all shards and read them as queries."""
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
        augmentation=study.pattern_of("augmentations", LlmQueries),
    conda:
        "../envs/queries.yaml"
    threads: 1
    params:
        code=code_of("gather_asked_queries.py"),
    shell:
        r"""
        python "$SCRIPTS"/gather_asked_queries.py \
            --spec {input.spec:q} \
            --sampled {input.sampled:q} \
            --shards {input.shards:q} \
            --raw {output.raw:q} \
            --replies {output.replies:q} \
            --counts {output.counts:q} \
            &>{log:q}
        """


rule mix_queries:
    """Mix the queries of several augmentations in a stated ratio."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        parts=needs.mixture_parts,
    output:
        raw="results/queries/{corpus}/{augmentation}/raw.jsonl",
    log:
        "results/logs/mix_queries/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/mix_queries/{corpus}/{augmentation}.tsv"
    wildcard_constraints:
        augmentation=study.pattern_of("augmentations", MixedQueries),
    conda:
        "../envs/queries.yaml"
    threads: 1
    params:
        code=code_of("mix_queries.py"),
    shell:
        r"""
        python "$SCRIPTS"/mix_queries.py \
            --spec {input.spec:q} \
            --parts {input.parts:q} \
            --raw {output.raw:q} \
            &>{log:q}
        """


rule filter_queries:
    """Keep the queries that pass an augmentation's filters."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        raw="results/queries/{corpus}/{augmentation}/raw.jsonl",
        testsets=needs.filter_testsets,
        run=needs.round_trip_run,
    output:
        queries="results/queries/{corpus}/{augmentation}/queries.jsonl",
        filters="results/queries/{corpus}/{augmentation}/filters.json",
    log:
        "results/logs/filter_queries/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/filter_queries/{corpus}/{augmentation}.tsv"
    conda:
        "../envs/queries.yaml"
    threads: 1
    params:
        code=code_of("filter_queries.py"),
    shell:
        r"""
        python "$SCRIPTS"/filter_queries.py \
            --spec {input.spec:q} \
            --raw {input.raw:q} \
            --testsets {input.testsets:q} \
            --run {input.run:q} \
            --queries {output.queries:q} \
            --filters {output.filters:q} \
            &>{log:q}
        """
