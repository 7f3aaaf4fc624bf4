"""Stage releases: data sets, models and runs for publication.

Takes  rankings by language models, generated passages, checkpoints and runs, with the files that describe their origin
Gives  results/releases/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/,
       results/releases/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/,
       results/releases/models/{recipe}/{llm}/{ranker}/seed-{seed}/ and
       results/releases/runs/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}/, each with files, a card and checksums
"""


rule release_rankings:
    """Write a language model's rankings in the usual format of published rankings."""
    input:
        orders="results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/orders.jsonl",
        counts="results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/counts.json",
        corpus="config/corpora/{corpus}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        qrels=each(inputs.corpora.kind_of_queryset, "results/corpora/{corpus}/{split}/qrels.txt"),
        augmentation=each(inputs.corpora.kind_of_queryset, "config/augmentations/{augmentation}.yaml"),
        pool="config/pools/{pool}.yaml",
        sources=entity("config/retrievers/{pool.sources}.yaml"),
        ranking="config/rankings/{ranking}.yaml",
        prompt=entity("config/prompts/{ranking.prompt}.md"),
        llm="config/llms/{llm}.yaml",
        weights=each(inputs.releases.llm, "config/models/{llm.weights}.yaml"),
        template=beside_rules("src/synthrank/steps/releases/rankings.md.j2"),
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
    params:
        **step_params("release_rankings"),
    shell:
        step("release_rankings", "wildcards.queryset")


rule release_passages:
    """Write training passages as a data set that needs no loading script."""
    input:
        passages="results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/passages.jsonl",
        counts="results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/counts.json",
        replies=inputs.releases.replies,
        exemplars=inputs.releases.exemplars,
        corpus="config/corpora/{corpus}.yaml",
        collection="results/corpora/{corpus}/passages.jsonl",
        qrels="results/corpora/{corpus}/train/qrels.txt",
        paradigm="config/paradigms/{paradigm}.yaml",
        prompt=inputs.releases.prompt,
        llm=each(inputs.releases.llm, "config/llms/{llm}.yaml"),
        weights=each(inputs.releases.llm, "config/models/{llm.weights}.yaml"),
        statistics=entity(
            "results/validity/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/statistics.json",
            given="study.experiment.validity",
        ),
        leaks=entity(
            "results/validity/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/leaks.json",
            given="study.experiment.validity",
        ),
        template=beside_rules("src/synthrank/steps/releases/passages.md.j2"),
    output:
        release=directory("results/releases/passages/{corpus}/{paradigm}/draw-{draw}/{llm}"),
    log:
        "results/logs/release_passages/{corpus}/{paradigm}/draw-{draw}/{llm}.log",
    benchmark:
        "results/benchmarks/release_passages/{corpus}/{paradigm}/draw-{draw}/{llm}.tsv"
    conda:
        "../envs/releases.yaml"
    params:
        **step_params("release_passages"),
    shell:
        step("release_passages")


rule release_model:
    """Write a trained ranker as a folder that other libraries can load."""
    input:
        checkpoint="results/checkpoints/{recipe}/{llm}/{ranker}/seed-{seed}",
        ranker="config/rankers/{ranker}.yaml",
        bases=each(inputs.releases.bases, "config/rankers/{base}.yaml"),
        pretrained=each(inputs.releases.pretrained, "config/models/{ranker.base.model}.yaml"),
        spec=each(inputs.trainsets.recipe, "config/recipes/{recipe}.yaml"),
        stats=each(inputs.checkpoints.trainset, "results/trainsets/{recipe}/{llm}/draw-{draw}/stats.json"),
        llm=each(inputs.releases.llm, "config/llms/{llm}.yaml"),
        weights=each(inputs.releases.llm, "config/models/{llm.weights}.yaml"),
        metrics=each(
            inputs.tables.testsets, "results/metrics/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.csv"
        ),
        template=beside_rules("src/synthrank/steps/releases/models.md.j2"),
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
    params:
        **step_params("release_model"),
    shell:
        step("release_model", "wildcards.recipe wildcards.seed")


rule release_runs:
    """Write a ranker's runs on a suite with headers that describe their origin."""
    input:
        runs=entity("results/runs/testsets/{suite.testsets}/{recipe}/{llm}/{ranker}/seed-{seed}.trec"),
        fused=entity(
            "results/runs/testsets/{suite.testsets}/{recipe}/{llm}/{ranker}/seed-{seed}+first-stage.trec",
            given="ranker.rerank",
        ),
        ranker="config/rankers/{ranker}.yaml",
        spec=each(inputs.releases.recipe, "config/recipes/{recipe}.yaml"),
        stats=each(inputs.checkpoints.trainset, "results/trainsets/{recipe}/{llm}/draw-{draw}/stats.json"),
        testsets=entity("config/testsets/{suite.testsets}.yaml"),
        corpora=entity("config/corpora/{suite.testsets.corpus}.yaml"),
        qrels=entity("results/corpora/{suite.testsets.corpus}/{suite.testsets.split}/qrels.txt"),
        queries=entity("results/corpora/{suite.testsets.corpus}/{suite.testsets.split}/queries.jsonl"),
        first_stages=each(inputs.releases.first_stages, "config/retrievers/{retriever}.yaml"),
        environment=beside_rules("envs/runs.yaml"),
        template=beside_rules("src/synthrank/steps/releases/runs.md.j2"),
    output:
        release=directory("results/releases/runs/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}"),
    log:
        "results/logs/release_runs/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/release_runs/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    conda:
        "../envs/releases.yaml"
    params:
        **step_params("release_runs"),
        measures=study.measures,
    shell:
        step("release_runs", "wildcards.suite wildcards.recipe wildcards.llm wildcards.seed measures")
