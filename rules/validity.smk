"""Stage validity: what training sets are like, and what of them test sets hold too.

Takes  results/trainsets/{recipe}/{llm}/draw-{draw}/groups.jsonl or
       results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/passages.jsonl, which {data} names without the file; the
       exemplars of prompts; queries, qrels and passages of test sets
Gives  results/validity/{data}/statistics.json, controls.json, passages.csv, leaks.jsonl and leaks.json; answers.json
       of training sets over a collection that is tested on too
"""


rule measure_passages:
    """Measure lengths, overlaps, diversity, repetition, refusals and language of the positives, and matched controls."""
    input:
        data=needs.measured,
        reference=needs.measured_reference,
        retriever=needs.measuring_retriever,
        model=needs.measuring_model,
    output:
        statistics="results/validity/{data}/statistics.json",
        controls="results/validity/{data}/controls.json",
        passages="results/validity/{data}/passages.csv",
    log:
        "results/logs/measure_passages/{data}.log",
    benchmark:
        "results/benchmarks/measure_passages/{data}.tsv"
    conda:
        "../envs/validity.yaml"
    threads: 2
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(60),
    params:
        code=code_of("measure_passages.py"),
        validity=settings_of(needs.validity),
    shell:
        r"""
        python "$SCRIPTS"/measure_passages.py \
            --data {input.data:q} \
            --reference {input.reference:q} \
            --retriever {input.retriever:q} \
            --model {input.model:q} \
            --sample {params.validity.sample} \
            --refusals {params.validity.refusals:q} \
            --seed {params.validity.seed} \
            --statistics {output.statistics:q} \
            --controls {output.controls:q} \
            --passages {output.passages:q} \
            &>{log:q}
        """


rule find_leaks:
    """Find training queries, passages and exemplars that a test set holds too."""
    input:
        data=needs.measured,
        exemplars=needs.leak_exemplars,
        queries=needs.leak_files("queries.jsonl"),
        qrels=needs.leak_files("qrels.txt"),
        passages=needs.leak_files("passages.jsonl"),
        retriever=needs.leak_retriever,
        model=needs.leak_model,
    output:
        leaks="results/validity/{data}/leaks.jsonl",
        counts="results/validity/{data}/leaks.json",
    log:
        "results/logs/find_leaks/{data}.log",
    benchmark:
        "results/benchmarks/find_leaks/{data}.tsv"
    conda:
        "../envs/validity.yaml"
    threads: 2
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(120),
        gpu=1,
    params:
        code=code_of("find_leaks.py"),
        testsets=needs.leak_testsets,
        tests=needs.leak_tests,
    shell:
        r"""
        python "$SCRIPTS"/find_leaks.py \
            --data {input.data:q} \
            --exemplars {input.exemplars:q} \
            --testsets {params.testsets:q} \
            --queries {input.queries:q} \
            --qrels {input.qrels:q} \
            --passages {input.passages:q} \
            --retriever {input.retriever:q} \
            --model {input.model:q} \
            --tests {params.tests:q} \
            --leaks {output.leaks:q} \
            --counts {output.counts:q} \
            &>{log:q}
        """


rule count_answers:
    """Count the passages of a training set that answer queries of test sets over the same collection."""
    input:
        data=needs.measured,
        queries=needs.answered_files("queries.jsonl"),
        qrels=needs.answered_files("qrels.txt"),
    output:
        counts="results/validity/{data}/answers.json",
    log:
        "results/logs/count_answers/{data}.log",
    benchmark:
        "results/benchmarks/count_answers/{data}.tsv"
    conda:
        "../envs/validity.yaml"
    threads: 1
    params:
        code=code_of("count_answers.py"),
        testsets=needs.answered_testsets,
    shell:
        r"""
        python "$SCRIPTS"/count_answers.py \
            --data {input.data:q} \
            --testsets {params.testsets:q} \
            --queries {input.queries:q} \
            --qrels {input.qrels:q} \
            --counts {output.counts:q} \
            &>{log:q}
        """
