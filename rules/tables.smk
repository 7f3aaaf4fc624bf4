"""Stage tables: tidy CSV tables, most with a Markdown copy.

Takes  results/metrics/, results/rankings/, config/{recipes,rankers,retrievers,testsets,published}/
Gives  results/tables/id.csv and ood.csv; claims.csv, enrichment.csv and sizes.csv of the passage study; twolar.csv and
       ablation-{ablation}.csv of the distillation study; cost.csv, replies.csv and rankings.csv about language models
"""


rule make_tables:
    """Build the in-distribution and the out-of-distribution table."""
    input:
        metrics=each(
            inputs.tables.metrics,
            "results/metrics/testsets/{testset}/{retriever}.csv",
            "results/metrics/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.csv",
        ),
        answers=each(
            inputs.tables.answered_by("main"), "results/validity/trainsets/{recipe}/{llm}/draw-{draw}/answers.json"
        ),
        recipes=each(inputs.tables.recipes_of("main"), "config/recipes/{recipe}.yaml"),
        testsets=each(inputs.tables.testsets, "config/testsets/{testset}.yaml"),
        trainsets=each(inputs.tables.trainsets_of("main"), "results/trainsets/{recipe}/{llm}/draw-{draw}/stats.json"),
        rankers=entity("config/rankers/{study.experiment.rankers}.yaml"),
    output:
        id_table=f"results/{OF}tables/id.csv",
        id_markdown=f"results/{OF}tables/id.md",
        ood_table=f"results/{OF}tables/ood.csv",
        ood_markdown=f"results/{OF}tables/ood.md",
    log:
        f"results/logs/make_tables/{OF}tables.log",
    benchmark:
        f"results/benchmarks/make_tables/{OF}tables.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        **step_params("make_tables"),
        origins=inputs.tables.origins,
        scope=inputs.tables.scope_of("main"),
        selected=inputs.tables.selected_of("main"),
        seen=inputs.tables.seen_testsets,
        measures=study.experiment.measures,
        reference=inputs.tables.reference_recipe,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        step("make_tables", "selected origins seen measures reference intervals scope")


rule make_claims_table:
    """Build the table of the study's claims, tested as one family."""
    input:
        metrics=each(
            inputs.tables.claims_metrics, "results/metrics/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.csv"
        ),
        answers=each(
            inputs.tables.answered_by("claims"), "results/validity/trainsets/{recipe}/{llm}/draw-{draw}/answers.json"
        ),
        recipes=each(inputs.tables.recipes_of("claims"), "config/recipes/{recipe}.yaml"),
        testsets=each(inputs.tables.testsets, "config/testsets/{testset}.yaml"),
    output:
        table=f"results/{OF}tables/claims.csv",
        markdown=f"results/{OF}tables/claims.md",
    log:
        f"results/logs/make_claims_table/{OF}tables.log",
    benchmark:
        f"results/benchmarks/make_claims_table/{OF}tables.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        **step_params("make_claims_table"),
        origins=inputs.tables.origins,
        scope=inputs.tables.scope_of("claims"),
        selected=inputs.tables.selected_of("claims"),
        seen=inputs.tables.seen_testsets,
        claims=inputs.tables.claims,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        step("make_claims_table", "selected origins seen claims intervals scope")


rule make_enrichment_table:
    """Build the table of the gain from adding generated passages to human passages."""
    input:
        metrics=each(
            inputs.tables.enrichment_metrics,
            "results/metrics/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.csv",
        ),
        answers=each(
            inputs.tables.answered_by("enrichment"),
            "results/validity/trainsets/{recipe}/{llm}/draw-{draw}/answers.json",
        ),
        recipes=each(inputs.tables.recipes_of("enrichment"), "config/recipes/{recipe}.yaml"),
        testsets=each(inputs.tables.testsets, "config/testsets/{testset}.yaml"),
        trainsets=each(
            inputs.tables.trainsets_of("enrichment"), "results/trainsets/{recipe}/{llm}/draw-{draw}/stats.json"
        ),
        rankers=entity("config/rankers/{study.experiment.rankers}.yaml"),
    output:
        table=f"results/{OF}tables/enrichment.csv",
        markdown=f"results/{OF}tables/enrichment.md",
    log:
        f"results/logs/make_enrichment_table/{OF}tables.log",
    benchmark:
        f"results/benchmarks/make_enrichment_table/{OF}tables.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        **step_params("make_enrichment_table"),
        origins=inputs.tables.origins,
        scope=inputs.tables.scope_of("enrichment"),
        selected=inputs.tables.selected_of("enrichment"),
        seen=inputs.tables.seen_testsets,
        enrichment=settings_of(inputs.tables.enrichment),
        control=inputs.tables.enrichment_control,
        added=inputs.tables.enrichment_word,
        measures=study.experiment.measures,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        step(
            "make_enrichment_table",
            "selected origins seen enrichment.base control enrichment.enriched added measures intervals scope",
        )


rule make_sizes_table:
    """Build the table of scores by the number of training queries."""
    input:
        metrics=each(
            inputs.tables.sizes_metrics, "results/metrics/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.csv"
        ),
        answers=each(
            inputs.tables.answered_by("sizes"), "results/validity/trainsets/{recipe}/{llm}/draw-{draw}/answers.json"
        ),
        specs=each(inputs.tables.recipes_of("sizes"), "config/recipes/{recipe}.yaml"),
        testsets=each(inputs.tables.testsets, "config/testsets/{testset}.yaml"),
        trainsets=each(inputs.tables.trainsets_of("sizes"), "results/trainsets/{recipe}/{llm}/draw-{draw}/stats.json"),
        rankers=entity("config/rankers/{study.experiment.rankers}.yaml"),
    output:
        table=f"results/{OF}tables/sizes.csv",
        markdown=f"results/{OF}tables/sizes.md",
    log:
        f"results/logs/make_sizes_table/{OF}tables.log",
    benchmark:
        f"results/benchmarks/make_sizes_table/{OF}tables.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        **step_params("make_sizes_table"),
        origins=inputs.tables.origins,
        scope=inputs.tables.scope_of("sizes"),
        selected=inputs.tables.selected_of("sizes"),
        seen=inputs.tables.seen_testsets,
        sizes=settings_of(inputs.tables.sizes),
        measures=study.experiment.measures,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        step("make_sizes_table", "selected origins seen sizes.recipes sizes.queries measures intervals scope")


rule make_validity_table:
    """Build the table of statistics of training sets and the table of their overlap with test sets."""
    input:
        statistics=each(
            inputs.validity.trainsets, "results/validity/trainsets/{recipe}/{llm}/draw-{draw}/statistics.json"
        ),
        controls=each(inputs.validity.trainsets, "results/validity/trainsets/{recipe}/{llm}/draw-{draw}/controls.json"),
        leaks=each(inputs.validity.trainsets, "results/validity/trainsets/{recipe}/{llm}/draw-{draw}/leaks.json"),
    output:
        validity=f"results/{OF}tables/validity.csv",
        validity_markdown=f"results/{OF}tables/validity.md",
        table=f"results/{OF}tables/leaks.csv",
        markdown=f"results/{OF}tables/leaks.md",
    log:
        f"results/logs/make_validity_table/{OF}tables.log",
    benchmark:
        f"results/benchmarks/make_validity_table/{OF}tables.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        **step_params("make_validity_table"),
        reference=inputs.tables.reference_recipe,
    shell:
        step("make_validity_table", "reference")


rule make_bias_table:
    """Build the table of rankers' preference for passages that a language model rewrote."""
    input:
        metrics=each(
            inputs.metrics.of_bias,
            "results/metrics/bias/testsets/{testset}/{retriever}.csv",
            "results/metrics/bias/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.csv",
        ),
    output:
        table=f"results/{OF}tables/bias.csv",
        markdown=f"results/{OF}tables/bias.md",
    log:
        f"results/logs/make_bias_table/{OF}tables.log",
    benchmark:
        f"results/benchmarks/make_bias_table/{OF}tables.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        **step_params("make_bias_table"),
        scope=inputs.tables.scope_of("main"),
        measure=inputs.metrics.bias_measure,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        step("make_bias_table", "measure intervals scope")


rule make_reply_tables:
    """Build the tables of requests to language models, their replies and their cost."""
    input:
        replies=each(
            inputs.tables.written_passages, "results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/replies.jsonl"
        ),
        requests=each(inputs.tables.written_passages, "results/passages/{corpus}/{paradigm}/draw-{draw}/requests.jsonl"),
        paradigms=each(inputs.tables.written_passages, "config/paradigms/{paradigm}.yaml"),
        llms=each(inputs.tables.written_passages, "config/llms/{llm}.yaml"),
        query_replies=each(inputs.tables.written_queries, "results/queries/{corpus}/{augmentation}/replies.jsonl"),
        augmentations=each(inputs.tables.written_queries, "config/augmentations/{augmentation}.yaml"),
        query_llms=each(inputs.tables.written_queries, "config/llms/{augmentation.llm}.yaml"),
    output:
        cost=f"results/{OF}tables/cost.csv",
        counts=f"results/{OF}tables/replies.csv",
    log:
        f"results/logs/make_reply_tables/{OF}tables.log",
    benchmark:
        f"results/benchmarks/make_reply_tables/{OF}tables.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        **step_params("make_reply_tables"),
    shell:
        step("make_reply_tables")


rule make_twolar_table:
    """Build the distillation study's table next to published numbers."""
    input:
        metrics=each(
            inputs.tables.twolar_metrics,
            "results/metrics/testsets/{testset}/{retriever}.csv",
            "results/metrics/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.csv",
        ),
        rankers=each(inputs.tables.twolar_rankers, "config/rankers/{ranker}.yaml"),
        retrievers=each(inputs.tables.twolar_retrievers, "config/retrievers/{retriever}.yaml"),
        testsets=each(inputs.tables.twolar_testsets, "config/testsets/{testset}.yaml"),
        published=entity("config/published/{study.twolar.published}.yaml"),
    output:
        table=f"results/{OF}tables/twolar.csv",
        markdown=f"results/{OF}tables/twolar.md",
    log:
        f"results/logs/make_twolar_table/{OF}tables.log",
    benchmark:
        f"results/benchmarks/make_twolar_table/{OF}tables.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        **step_params("make_twolar_table"),
        scope=inputs.tables.scope_of("twolar"),
        measures=inputs.tables.twolar_measures,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        step("make_twolar_table", "measures intervals scope")


rule make_ablation_table:
    """Build the table of one ablation of the distillation study."""
    input:
        metrics=each(
            inputs.tables.ablation_metrics,
            "results/metrics/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.csv",
        ),
    output:
        table=f"results/{OF}tables/ablation-{{ablation}}.csv",
        markdown=f"results/{OF}tables/ablation-{{ablation}}.md",
    log:
        f"results/logs/make_ablation_table/{OF}{{ablation}}.log",
    benchmark:
        f"results/benchmarks/make_ablation_table/{OF}{{ablation}}.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        **step_params("make_ablation_table"),
        scope=inputs.tables.scope_of("ablation"),
        systems=settings_of(inputs.tables.ablation),
        measures=inputs.tables.twolar_measures,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        step("make_ablation_table", "wildcards.ablation systems.recipes systems.rankers measures intervals scope")


rule make_ranking_table:
    """Build the table of ranking requests to language models, their replies and their cost."""
    input:
        counts=each(inputs.tables.rankings, "results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/counts.json"),
        pools=each(inputs.tables.rankings, "results/rankings/{corpus}/{queryset}/{pool}/stats.json"),
    output:
        table=f"results/{OF}tables/rankings.csv",
    log:
        f"results/logs/make_ranking_table/{OF}tables.log",
    benchmark:
        f"results/benchmarks/make_ranking_table/{OF}tables.tsv"
    conda:
        "../envs/tables.yaml"
    params:
        **step_params("make_ranking_table"),
    shell:
        step("make_ranking_table")
