"""Stage metrics: measures of every run, per query.

Takes  runs, and the qrels of their test sets
Gives  results/metrics/testsets/{testset}/{retriever}.csv and results/metrics/suites/…/seed-{seed}.csv;
       results/metrics/bias/… for mixed corpora, human and rewritten passages apart
"""


rule score_first_stage:
    """Measure a first stage's run on one test set, per query."""
    input:
        run=needs.testset_run,
        testset="config/testsets/{testset}.yaml",
        qrels=needs.testset_qrels,
    output:
        metrics="results/metrics/testsets/{testset}/{retriever}.csv",
    log:
        "results/logs/score_first_stage/{testset}/{retriever}.log",
    benchmark:
        "results/benchmarks/score_first_stage/{testset}/{retriever}.tsv"
    conda:
        "../envs/metrics.yaml"
    threads: 1
    params:
        code=code_of("score_first_stage.py"),
        depth=needs.testset_depth,
        measures=study.measures,
    shell:
        r"""
        python "$SCRIPTS"/score_first_stage.py \
            --run {input.run:q} \
            --testset {input.testset:q} \
            --qrels {input.qrels:q} \
            --depth {params.depth} \
            --measures {params.measures:q} \
            --retriever {wildcards.retriever:q} \
            --metrics {output.metrics:q} \
            &>{log:q}
        """


rule score_suite:
    """Measure a ranker's runs on every test set of a suite, per query."""
    input:
        runs="results/runs/suites/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}",
        testsets=needs.suite_specs,
        qrels=needs.suite_qrels,
    output:
        metrics="results/metrics/suites/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.csv",
    log:
        "results/logs/score_suite/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/score_suite/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    conda:
        "../envs/metrics.yaml"
    threads: 1
    params:
        code=code_of("score_suite.py"),
        depths=needs.suite_depths,
        fused_depths=needs.suite_fused_depths,
        measures=study.measures,
    shell:
        r"""
        python "$SCRIPTS"/score_suite.py \
            --runs {input.runs:q} \
            --testsets {input.testsets:q} \
            --qrels {input.qrels:q} \
            --depths {params.depths} \
            --fused-depths {params.fused_depths} \
            --measures {params.measures:q} \
            --ranker {wildcards.ranker:q} \
            --recipe {wildcards.recipe:q} \
            --llm {wildcards.llm:q} \
            --seed {wildcards.seed:q} \
            --metrics {output.metrics:q} \
            &>{log:q}
        """


rule score_first_stage_bias:
    """Measure a first stage's run on a mixed corpus, human and rewritten passages apart."""
    input:
        run=needs.testset_run,
        testset="config/testsets/{testset}.yaml",
        corpus=needs.testset_corpus,
        qrels=needs.testset_qrels,
    output:
        metrics="results/metrics/bias/testsets/{testset}/{retriever}.csv",
    log:
        "results/logs/score_first_stage_bias/{testset}/{retriever}.log",
    benchmark:
        "results/benchmarks/score_first_stage_bias/{testset}/{retriever}.tsv"
    conda:
        "../envs/metrics.yaml"
    threads: 1
    params:
        code=code_of("score_first_stage_bias.py"),
        measure=needs.bias_measure,
    shell:
        r"""
        python "$SCRIPTS"/score_first_stage_bias.py \
            --run {input.run:q} \
            --testset {input.testset:q} \
            --corpus {input.corpus:q} \
            --qrels {input.qrels:q} \
            --measure {params.measure:q} \
            --retriever {wildcards.retriever:q} \
            --metrics {output.metrics:q} \
            &>{log:q}
        """


rule score_bias:
    """Measure a ranker's runs on mixed corpora, human and rewritten passages apart."""
    input:
        runs="results/runs/suites/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}",
        testsets=needs.suite_specs,
        corpora=needs.mixed_corpora,
        qrels=needs.suite_qrels,
    output:
        metrics="results/metrics/bias/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.csv",
    log:
        "results/logs/score_bias/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/score_bias/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    conda:
        "../envs/metrics.yaml"
    threads: 1
    params:
        code=code_of("score_bias.py"),
        measure=needs.bias_measure,
    shell:
        r"""
        python "$SCRIPTS"/score_bias.py \
            --runs {input.runs:q} \
            --testsets {input.testsets:q} \
            --corpora {input.corpora:q} \
            --qrels {input.qrels:q} \
            --measure {params.measure:q} \
            --ranker {wildcards.ranker:q} \
            --recipe {wildcards.recipe:q} \
            --llm {wildcards.llm:q} \
            --seed {wildcards.seed:q} \
            --metrics {output.metrics:q} \
            &>{log:q}
        """
