"""Stage releases: data sets, models and runs ready to publish.

Takes  orders of language models, written passages, checkpoints, runs, with everything that says how they came about
Gives  results/releases/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/, and beside it
       passages/{corpus}/{paradigm}/draw-{draw}/{llm}/, models/{recipe}/{llm}/{ranker}/seed-{seed}/ and
       runs/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}/: each with its files, a card, checksums
"""


rule release_rankings:
    """Write a language model's orders in the form in which such sets are published."""
    input:
        orders="results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/orders.jsonl",
        counts="results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/counts.json",
        corpus="config/corpora/{corpus}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        qrels=needs.queryset_qrels,
        augmentation=needs.queryset_augmentation,
        pool="config/pools/{pool}.yaml",
        sources=needs.pool_sources,
        ranking="config/rankings/{ranking}.yaml",
        prompt=needs.ranking_prompt,
        llm="config/llms/{llm}.yaml",
        weights=needs.llm_weights,
        template=beside_rules("src/synthrank/releases/rankings.md.j2"),
    output:
        release=directory("results/releases/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}"),
    log:
        "results/logs/release_rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}.log",
    benchmark:
        "results/benchmarks/release_rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}.tsv"
    wildcard_constraints:
        llm=study.pattern("llms"),
    conda:
        "../envs/releases.yaml"
    threads: 1
    params:
        code=code_of("release_rankings.py"),
    shell:
        r"""
        python "$SCRIPTS"/release_rankings.py \
            --queryset {wildcards.queryset:q} \
            --orders {input.orders:q} \
            --counts {input.counts:q} \
            --corpus {input.corpus:q} \
            --passages {input.passages:q} \
            --qrels {input.qrels:q} \
            --augmentation {input.augmentation:q} \
            --pool {input.pool:q} \
            --sources {input.sources:q} \
            --ranking {input.ranking:q} \
            --prompt {input.prompt:q} \
            --llm {input.llm:q} \
            --weights {input.weights:q} \
            --template {input.template:q} \
            --release {output.release:q} \
            &>{log:q}
        """


rule release_passages:
    """Write training passages as a data set that loads without a script."""
    input:
        passages="results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/passages.jsonl",
        counts="results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/counts.json",
        replies=needs.released_replies,
        exemplars=needs.released_exemplars,
        corpus="config/corpora/{corpus}.yaml",
        collection="results/corpora/{corpus}/passages.jsonl",
        qrels="results/corpora/{corpus}/train/qrels.txt",
        paradigm="config/paradigms/{paradigm}.yaml",
        prompt=needs.released_prompt,
        llm=needs.released_llm,
        weights=needs.llm_weights,
        statistics=needs.released_statistics,
        leaks=needs.released_leaks,
        template=beside_rules("src/synthrank/releases/passages.md.j2"),
    output:
        release=directory("results/releases/passages/{corpus}/{paradigm}/draw-{draw}/{llm}"),
    log:
        "results/logs/release_passages/{corpus}/{paradigm}/draw-{draw}/{llm}.log",
    benchmark:
        "results/benchmarks/release_passages/{corpus}/{paradigm}/draw-{draw}/{llm}.tsv"
    conda:
        "../envs/releases.yaml"
    threads: 1
    params:
        code=code_of("release_passages.py"),
    shell:
        r"""
        python "$SCRIPTS"/release_passages.py \
            --passages {input.passages:q} \
            --counts {input.counts:q} \
            --replies {input.replies:q} \
            --exemplars {input.exemplars:q} \
            --corpus {input.corpus:q} \
            --collection {input.collection:q} \
            --qrels {input.qrels:q} \
            --paradigm {input.paradigm:q} \
            --prompt {input.prompt:q} \
            --llm {input.llm:q} \
            --weights {input.weights:q} \
            --statistics {input.statistics:q} \
            --leaks {input.leaks:q} \
            --template {input.template:q} \
            --release {output.release:q} \
            &>{log:q}
        """


rule release_model:
    """Write a trained ranker as a folder that other libraries load."""
    input:
        checkpoint="results/checkpoints/{recipe}/{llm}/{ranker}/seed-{seed}",
        ranker="config/rankers/{ranker}.yaml",
        bases=needs.released_bases,
        pretrained=needs.released_pretrained,
        spec=needs.recipe_spec,
        stats=needs.released_stats,
        llm=needs.released_llm,
        weights=needs.llm_weights,
        metrics=needs.released_metrics,
        template=beside_rules("src/synthrank/releases/models.md.j2"),
    output:
        release=directory("results/releases/models/{recipe}/{llm}/{ranker}/seed-{seed}"),
    log:
        "results/logs/release_model/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/release_model/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    wildcard_constraints:
        recipe=study.pattern("recipes"),
    conda:
        "../envs/releases.yaml"
    threads: 1
    params:
        code=code_of("release_model.py"),
    shell:
        r"""
        python "$SCRIPTS"/release_model.py \
            --checkpoint {input.checkpoint:q} \
            --ranker {input.ranker:q} \
            --bases {input.bases:q} \
            --pretrained {input.pretrained:q} \
            --recipe {wildcards.recipe:q} \
            --spec {input.spec:q} \
            --stats {input.stats:q} \
            --llm {input.llm:q} \
            --weights {input.weights:q} \
            --seed {wildcards.seed:q} \
            --metrics {input.metrics:q} \
            --template {input.template:q} \
            --release {output.release:q} \
            &>{log:q}
        """


rule release_runs:
    """Write a ranker's runs on a suite with headers that say how they came about."""
    input:
        runs="results/runs/suites/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}",
        ranker="config/rankers/{ranker}.yaml",
        spec=needs.released_recipe,
        stats=needs.released_stats,
        testsets=needs.suite_specs,
        corpora=needs.suite_corpora,
        qrels=needs.suite_qrels,
        queries=needs.suite_queries,
        first_stages=needs.suite_retrievers,
        environment=beside_rules("envs/runs.yaml"),
        template=beside_rules("src/synthrank/releases/runs.md.j2"),
    output:
        release=directory("results/releases/runs/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}"),
    log:
        "results/logs/release_runs/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/release_runs/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    conda:
        "../envs/releases.yaml"
    threads: 1
    params:
        code=code_of("release_runs.py"),
        measures=study.measures,
    shell:
        r"""
        python "$SCRIPTS"/release_runs.py \
            --runs {input.runs:q} \
            --suite {wildcards.suite:q} \
            --ranker {input.ranker:q} \
            --recipe {wildcards.recipe:q} \
            --llm {wildcards.llm:q} \
            --seed {wildcards.seed:q} \
            --spec {input.spec:q} \
            --stats {input.stats:q} \
            --testsets {input.testsets:q} \
            --corpora {input.corpora:q} \
            --qrels {input.qrels:q} \
            --queries {input.queries:q} \
            --first-stages {input.first_stages:q} \
            --measures {params.measures:q} \
            --environment {input.environment:q} \
            --template {input.template:q} \
            --release {output.release:q} \
            &>{log:q}
        """
