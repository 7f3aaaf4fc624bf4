"""Stage metrics: measures of every run per query.

Takes  runs and the qrels of their test sets
Gives  results/metrics/testsets/{testset}/{retriever}.csv and {testset}/{recipe}/{llm}/{ranker}/seed-{seed}.csv;
       results/metrics/bias/testsets/… for mixed corpora, separately for human and rewritten passages
"""


rule score_first_stage:
    """Measure a first stage's run on one test set per query."""
    input:
        run=entity("results/runs/corpora/{testset.corpus}/{retriever}/{testset.split}.trec"),
        testset="config/testsets/{testset}.yaml",
        qrels=entity("results/corpora/{testset.corpus}/{testset.split}/qrels.txt"),
    output:
        metrics="results/metrics/testsets/{testset}/{retriever}.csv",
    log:
        "results/logs/score_first_stage/{testset}/{retriever}.log",
    benchmark:
        "results/benchmarks/score_first_stage/{testset}/{retriever}.tsv"
    conda:
        "../envs/metrics.yaml"
    params:
        **step_params("score_first_stage"),
        depth=inputs.metrics.first_stage_depth,
        measures=study.measures,
    shell:
        step("score_first_stage", "depth measures wildcards.retriever")


rule score_testset:
    """Measure a ranker's runs on one test set per query."""
    input:
        runs=entity("results/runs/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}{ranker.run_endings}.trec"),
        testset="config/testsets/{testset}.yaml",
        qrels=entity("results/corpora/{testset.corpus}/{testset.split}/qrels.txt"),
    output:
        metrics="results/metrics/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.csv",
    log:
        "results/logs/score_testset/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/score_testset/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    conda:
        "../envs/metrics.yaml"
    params:
        **step_params("score_testset"),
        systems=inputs.metrics.systems,
        depths=inputs.metrics.depths,
        measures=study.measures,
    shell:
        step("score_testset", "systems depths measures wildcards.recipe wildcards.llm wildcards.seed")


rule score_first_stage_bias:
    """Measure a first stage's run on a mixed corpus, separately for human and rewritten passages."""
    input:
        run=entity("results/runs/corpora/{testset.corpus}/{retriever}/{testset.split}.trec"),
        testset="config/testsets/{testset}.yaml",
        corpus=entity("config/corpora/{testset.corpus}.yaml"),
        qrels=entity("results/corpora/{testset.corpus}/{testset.split}/qrels.txt"),
    output:
        metrics="results/metrics/bias/testsets/{testset}/{retriever}.csv",
    log:
        "results/logs/score_first_stage_bias/{testset}/{retriever}.log",
    benchmark:
        "results/benchmarks/score_first_stage_bias/{testset}/{retriever}.tsv"
    conda:
        "../envs/metrics.yaml"
    params:
        **step_params("score_first_stage_bias"),
        measure=inputs.metrics.bias_measure,
    shell:
        step("score_first_stage_bias", "measure wildcards.retriever")


rule score_bias:
    """Measure a ranker's runs on a mixed corpus, separately for human and rewritten passages."""
    input:
        runs=entity("results/runs/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}{ranker.run_endings}.trec"),
        testset="config/testsets/{testset}.yaml",
        corpus=entity("config/corpora/{testset.corpus}.yaml"),
        qrels=entity("results/corpora/{testset.corpus}/{testset.split}/qrels.txt"),
    output:
        metrics="results/metrics/bias/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.csv",
    log:
        "results/logs/score_bias/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/score_bias/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    conda:
        "../envs/metrics.yaml"
    params:
        **step_params("score_bias"),
        systems=inputs.metrics.systems,
        measure=inputs.metrics.bias_measure,
    shell:
        step("score_bias", "systems measure wildcards.recipe wildcards.llm wildcards.seed")
