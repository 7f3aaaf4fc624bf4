"""Stage validity: statistics of training sets, and their overlap with test sets.

Takes  results/trainsets/{recipe}/{llm}/draw-{draw}/groups.jsonl or
       results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/passages.jsonl, whose folder is {data}; the exemplars of
       prompts; queries, qrels and passages of test sets
Gives  results/validity/{data}/statistics.json, controls.json, passages.csv, leaks.jsonl and leaks.json; answers.json
       for training sets from a corpus that has test sets; results/validity/testsets/{corpus}/{split}/{retriever}/ with
       vectors for the search for near duplicates
"""


rule measure_passages:
    """Measure length, overlap, diversity, repetition, refusals and language of positives and of matched controls."""
    input:
        data=inputs.validity.data,
        reference=each(inputs.validity.reference, "results/trainsets/{recipe}/none/draw-{draw}/groups.jsonl"),
        retriever=entity("config/retrievers/{study.validity.retriever}.yaml"),
        model=entity("results/models/{study.validity.retriever.model}"),
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
        **step_params("measure_passages"),
        validity=settings_of(inputs.validity.settings),
    shell:
        step("measure_passages", "validity.sample validity.refusals validity.seed")


rule encode_testset:
    """Encode the queries and relevant passages of a test set for comparison with all training sets."""
    input:
        queries="results/corpora/{corpus}/{split}/queries.jsonl",
        qrels="results/corpora/{corpus}/{split}/qrels.txt",
        passages="results/corpora/{corpus}/passages.jsonl",
        spec="config/retrievers/{retriever}.yaml",
        model=entity("results/models/{retriever.model}"),
    output:
        vectors=directory("results/validity/testsets/{corpus}/{split}/{retriever}"),
    log:
        "results/logs/encode_testset/{corpus}/{split}/{retriever}.log",
    benchmark:
        "results/benchmarks/encode_testset/{corpus}/{split}/{retriever}.tsv"
    wildcard_constraints:
        retriever=study.pattern("retrievers", kind="dense"),
    conda:
        "../envs/validity.yaml"
    threads: 2
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(120),
        gpu=1,
    params:
        **step_params("encode_testset"),
        words=inputs.validity.words,
    shell:
        step("encode_testset", "words")


rule find_leaks:
    """Find training queries, passages and exemplars that also occur in a test set."""
    input:
        data=inputs.validity.data,
        exemplars=inputs.validity.exemplars,
        queries=each(
            named("testset", inputs.validity.testsets),
            "results/corpora/{testset.corpus}/{testset.split}/queries.jsonl",
        ),
        qrels=each(
            named("testset", inputs.validity.testsets), "results/corpora/{testset.corpus}/{testset.split}/qrels.txt"
        ),
        passages=each(named("testset", inputs.validity.testsets), "results/corpora/{testset.corpus}/passages.jsonl"),
        vectors=each(
            named("testset", inputs.validity.testsets),
            "results/validity/testsets/{testset.corpus}/{testset.split}/{study.validity.leaks.retriever}",
        ),
        retriever=entity("config/retrievers/{study.validity.leaks.retriever}.yaml"),
        model=entity("results/models/{study.validity.leaks.retriever.model}"),
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
        **step_params("find_leaks"),
        testsets=inputs.validity.testsets,
        tests=inputs.validity.leak_tests,
    shell:
        step("find_leaks", "testsets tests")


rule count_answers:
    """Count the passages of a training set that are relevant to queries of test sets of the same corpus."""
    input:
        data=inputs.validity.data,
        queries=each(
            named("testset", inputs.validity.answerable),
            "results/corpora/{testset.corpus}/{testset.split}/queries.jsonl",
        ),
        qrels=each(
            named("testset", inputs.validity.answerable), "results/corpora/{testset.corpus}/{testset.split}/qrels.txt"
        ),
    output:
        counts="results/validity/{data}/answers.json",
    log:
        "results/logs/count_answers/{data}.log",
    benchmark:
        "results/benchmarks/count_answers/{data}.tsv"
    conda:
        "../envs/validity.yaml"
    params:
        **step_params("count_answers"),
        testsets=inputs.validity.answerable,
    shell:
        step("count_answers", "testsets")
