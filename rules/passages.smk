"""Stage passages: training passages for the training queries.

Takes  the training split of a corpus, config/paradigms/{paradigm}.yaml, its prompt, config/llms/{llm}.yaml; where the
       passages are the corpus's own and queries were made from them, results/queries/{corpus}/{augmentation}/
Gives  results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/passages.jsonl, every reply and every dropped one beside
       it, the replies shard by shard in shards/; {draw} is a training seed that has passages of its own, else 0;
       judged/ holds scores by an LLM, which filters of recipes go by; {llm} is none if people wrote the passages,
       and if they are imported: then all imported texts stand
       in collection.jsonl beside them
"""


rule collect_passages:
    """Collect the human passages of the training queries as positives."""
    input:
        passages="results/corpora/{corpus}/passages.jsonl",
        queries="results/corpora/{corpus}/train/queries.jsonl",
        qrels="results/corpora/{corpus}/train/qrels.txt",
        held_out=needs.held_out_qrels,
    output:
        positives="results/passages/{corpus}/{paradigm}/draw-0/none/passages.jsonl",
        counts="results/passages/{corpus}/{paradigm}/draw-0/none/counts.json",
    log:
        "results/logs/collect_passages/{corpus}/{paradigm}.log",
    benchmark:
        "results/benchmarks/collect_passages/{corpus}/{paradigm}.tsv"
    wildcard_constraints:
        paradigm=study.pattern_of("paradigms", HumanParadigm),
    conda:
        "../envs/passages.yaml"
    threads: 1
    params:
        code=code_of("collect_passages.py"),
    shell:
        r"""
        python "$SCRIPTS"/collect_passages.py \
            --passages {input.passages:q} \
            --queries {input.queries:q} \
            --qrels {input.qrels:q} \
            --held-out {input.held_out:q} \
            --positives {output.positives:q} \
            --counts {output.counts:q} \
            &>{log:q}
        """


rule pair_queries:
    """Pair queries that were made from passages with these passages, as positives."""
    input:
        queries=needs.paradigm_queries,
        passages="results/corpora/{corpus}/passages.jsonl",
        held_out=needs.held_out_qrels,
    output:
        positives="results/passages/{corpus}/{paradigm}/draw-0/none/passages.jsonl",
        counts="results/passages/{corpus}/{paradigm}/draw-0/none/counts.json",
    log:
        "results/logs/pair_queries/{corpus}/{paradigm}.log",
    benchmark:
        "results/benchmarks/pair_queries/{corpus}/{paradigm}.tsv"
    wildcard_constraints:
        paradigm=study.pattern_of("paradigms", QueriedParadigm),
    conda:
        "../envs/passages.yaml"
    threads: 1
    params:
        code=code_of("pair_queries.py"),
    shell:
        r"""
        python "$SCRIPTS"/pair_queries.py \
            --queries {input.queries:q} \
            --passages {input.passages:q} \
            --held-out {input.held_out:q} \
            --positives {output.positives:q} \
            --counts {output.counts:q} \
            &>{log:q}
        """


rule judge_passages:
    """Score written passages for their queries by a language model."""
    input:
        passages="results/passages/{corpus}/{paradigm}/draw-{draw}/{writer}/passages.jsonl",
        ranking="config/rankings/{ranking}.yaml",
        prompt=needs.ranking_prompt,
        llm="config/llms/{llm}.yaml",
        model=needs.llm_model,
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
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=needs.llm_minutes,
        gpu=needs.llm_gpus,
        api=needs.llm_api,
    params:
        code=code_of("judge_passages.py"),
    shell:
        r"""
        python "$SCRIPTS"/judge_passages.py \
            --passages {input.passages:q} \
            --ranking {input.ranking:q} \
            --prompt {input.prompt:q} \
            --llm {input.llm:q} \
            --model {input.model:q} \
            --scores {output.scores:q} \
            &>{log:q}
        """


rule import_passages:
    """Take passages that were written elsewhere as positives."""
    input:
        paradigm="config/paradigms/{paradigm}.yaml",
        file=needs.imported_file,
        queries=needs.training_queries,
        qrels=needs.training_qrels,
        held_out=needs.held_out_qrels,
    output:
        passages="results/passages/{corpus}/{paradigm}/draw-0/none/passages.jsonl",
        collection="results/passages/{corpus}/{paradigm}/draw-0/none/collection.jsonl",
        counts="results/passages/{corpus}/{paradigm}/draw-0/none/counts.json",
    log:
        "results/logs/import_passages/{corpus}/{paradigm}.log",
    benchmark:
        "results/benchmarks/import_passages/{corpus}/{paradigm}.tsv"
    wildcard_constraints:
        paradigm=study.pattern_of("paradigms", ImportedParadigm),
    conda:
        "../envs/passages.yaml"
    threads: 1
    params:
        code=code_of("import_passages.py"),
    shell:
        r"""
        python "$SCRIPTS"/import_passages.py \
            --paradigm {input.paradigm:q} \
            --file {input.file:q} \
            --queries {input.queries:q} \
            --qrels {input.qrels:q} \
            --held-out {input.held_out:q} \
            --passages {output.passages:q} \
            --collection {output.collection:q} \
            --counts {output.counts:q} \
            &>{log:q}
        """


rule write_requests:
    """Render a paradigm's prompt for every training query."""
    input:
        paradigm="config/paradigms/{paradigm}.yaml",
        prompt=needs.prompt,
        corpus="config/corpora/{corpus}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        queries="results/corpora/{corpus}/train/queries.jsonl",
        qrels="results/corpora/{corpus}/train/qrels.txt",
        held_out=needs.held_out_qrels,
    output:
        requests="results/passages/{corpus}/{paradigm}/draw-{draw}/requests.jsonl",
        exemplars="results/passages/{corpus}/{paradigm}/draw-{draw}/exemplars.jsonl",
        examples="results/passages/{corpus}/{paradigm}/draw-{draw}/examples.md",
    log:
        "results/logs/write_requests/{corpus}/{paradigm}/draw-{draw}.log",
    benchmark:
        "results/benchmarks/write_requests/{corpus}/{paradigm}/draw-{draw}.tsv"
    wildcard_constraints:
        paradigm=study.pattern_of("paradigms", Asked),
    conda:
        "../envs/passages.yaml"
    threads: 1
    params:
        code=code_of("write_requests.py"),
        exemplar_draw=needs.exemplar_draw,
    shell:
        r"""
        python "$SCRIPTS"/write_requests.py \
            --paradigm {input.paradigm:q} \
            --prompt {input.prompt:q} \
            --corpus {input.corpus:q} \
            --passages {input.passages:q} \
            --queries {input.queries:q} \
            --qrels {input.qrels:q} \
            --held-out {input.held_out:q} \
            --exemplar-draw {params.exemplar_draw} \
            --requests {output.requests:q} \
            --exemplars {output.exemplars:q} \
            --examples {output.examples:q} \
            &>{log:q}
        """


rule generate_passages:
    """Ask a language model for every request of a shard and keep every reply."""
    input:
        requests="results/passages/{corpus}/{paradigm}/draw-{draw}/requests.jsonl",
        paradigm="config/paradigms/{paradigm}.yaml",
        llm="config/llms/{llm}.yaml",
        model=needs.llm_model,
    output:
        replies="results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/shards/{scatteritem}.jsonl",
    log:
        "results/logs/generate_passages/{corpus}/{paradigm}/draw-{draw}/{llm}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/generate_passages/{corpus}/{paradigm}/draw-{draw}/{llm}/{scatteritem}.tsv"
    wildcard_constraints:
        llm=study.pattern("llms"),
        paradigm=study.pattern_of("paradigms", Asked),
    conda:
        "../envs/passages.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=needs.llm_minutes,
        gpu=needs.llm_gpus,
        api=needs.llm_api,
    params:
        code=code_of("generate_passages.py"),
        generation_draw=needs.generation_draw,
    shell:
        r"""
        python "$SCRIPTS"/generate_passages.py \
            --requests {input.requests:q} \
            --paradigm {input.paradigm:q} \
            --llm {input.llm:q} \
            --model {input.model:q} \
            --generation-draw {params.generation_draw} \
            --shard {wildcards.scatteritem:q} \
            --replies {output.replies:q} \
            &>{log:q}
        """


rule gather_replies:
    """Concatenate the replies of all shards."""
    input:
        requests="results/passages/{corpus}/{paradigm}/draw-{draw}/requests.jsonl",
        paradigm="config/paradigms/{paradigm}.yaml",
        shards=gather.write("results/passages/{{corpus}}/{{paradigm}}/draw-{{draw}}/{{llm}}/shards/{scatteritem}.jsonl"),
    output:
        replies="results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/replies.jsonl",
    log:
        "results/logs/gather_replies/{corpus}/{paradigm}/draw-{draw}/{llm}.log",
    benchmark:
        "results/benchmarks/gather_replies/{corpus}/{paradigm}/draw-{draw}/{llm}.tsv"
    wildcard_constraints:
        llm=study.pattern("llms"),
        paradigm=study.pattern_of("paradigms", Asked),
    conda:
        "../envs/passages.yaml"
    threads: 1
    params:
        code=code_of("gather_replies.py"),
    shell:
        r"""
        python "$SCRIPTS"/gather_replies.py \
            --requests {input.requests:q} \
            --paradigm {input.paradigm:q} \
            --shards {input.shards:q} \
            --replies {output.replies:q} \
            &>{log:q}
        """


rule filter_passages:
    """Read replies as passages and count what is dropped and why."""
    input:
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
        paradigm=study.pattern_of("paradigms", Asked),
    conda:
        "../envs/passages.yaml"
    threads: 1
    params:
        code=code_of("filter_passages.py"),
    shell:
        r"""
        python "$SCRIPTS"/filter_passages.py \
            --replies {input.replies:q} \
            --paradigm {input.paradigm:q} \
            --passages {output.passages:q} \
            --dropped {output.dropped:q} \
            --counts {output.counts:q} \
            &>{log:q}
        """
