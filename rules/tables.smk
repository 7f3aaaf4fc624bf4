"""Stage tables: what people read.

Takes  results/metrics/, results/rankings/, config/{recipes,rankers,retrievers,testsets,published}/
Gives  results/tables/id.csv and ood.csv, tidy, with a Markdown twin each; claims.csv, enrichment.csv and sizes.csv of
       the passage study, twolar.csv and ablation-{ablation}.csv of the distillation study, with a twin each; cost.csv,
       replies.csv and rankings.csv of what language models were asked
"""


rule make_tables:
    """Make the in-distribution and the out-of-distribution table."""
    input:
        metrics=needs.metrics,
        answers=needs.answers_of("main"),
        recipes=needs.recipes_of("main"),
        testsets=needs.testset_specs,
        trainsets=needs.trainsets_of("main"),
        rankers=needs.ranker_specs,
    output:
        id_table="results/tables/id.csv",
        id_markdown="results/tables/id.md",
        ood_table="results/tables/ood.csv",
        ood_markdown="results/tables/ood.md",
    log:
        "results/logs/make_tables/tables.log",
    benchmark:
        "results/benchmarks/make_tables/tables.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    params:
        code=code_of("make_tables.py"),
        origins=needs.origins,
        scope=needs.scope_of("main"),
        selected=needs.selected_of("main"),
        seen=needs.seen_testsets,
        measures=study.experiment.measures,
        reference=needs.reference_recipe,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        r"""
        python "$SCRIPTS"/make_tables.py \
            --metrics {input.metrics:q} \
            --answers {input.answers:q} \
            --selected {params.selected:q} \
            --recipes {input.recipes:q} \
            --testsets {input.testsets:q} \
            --origins {params.origins:q} \
            --seen {params.seen:q} \
            --measures {params.measures:q} \
            --reference {params.reference:q} \
            --intervals {params.intervals:q} \
            --trainsets {input.trainsets:q} \
            --rankers {input.rankers:q} \
            --scope {params.scope:q} \
            --id-table {output.id_table:q} \
            --id-markdown {output.id_markdown:q} \
            --ood-table {output.ood_table:q} \
            --ood-markdown {output.ood_markdown:q} \
            &>{log:q}
        """


rule make_claims_table:
    """Make the table of what the study claims, tested as one family."""
    input:
        metrics=needs.claims_metrics,
        answers=needs.answers_of("claims"),
        recipes=needs.recipes_of("claims"),
        testsets=needs.testset_specs,
    output:
        table="results/tables/claims.csv",
        markdown="results/tables/claims.md",
    log:
        "results/logs/make_claims_table/tables.log",
    benchmark:
        "results/benchmarks/make_claims_table/tables.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    params:
        code=code_of("make_claims_table.py"),
        origins=needs.origins,
        scope=needs.scope_of("claims"),
        selected=needs.selected_of("claims"),
        seen=needs.seen_testsets,
        claims=needs.claims,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        r"""
        python "$SCRIPTS"/make_claims_table.py \
            --metrics {input.metrics:q} \
            --answers {input.answers:q} \
            --selected {params.selected:q} \
            --recipes {input.recipes:q} \
            --testsets {input.testsets:q} \
            --origins {params.origins:q} \
            --seen {params.seen:q} \
            --claims {params.claims:q} \
            --intervals {params.intervals:q} \
            --scope {params.scope:q} \
            --table {output.table:q} \
            --markdown {output.markdown:q} \
            &>{log:q}
        """


rule make_enrichment_table:
    """Make the table of what synthetic passages add to human ones."""
    input:
        metrics=needs.enrichment_metrics,
        answers=needs.answers_of("enrichment"),
        recipes=needs.recipes_of("enrichment"),
        testsets=needs.testset_specs,
        trainsets=needs.trainsets_of("enrichment"),
        rankers=needs.ranker_specs,
    output:
        table="results/tables/enrichment.csv",
        markdown="results/tables/enrichment.md",
    log:
        "results/logs/make_enrichment_table/tables.log",
    benchmark:
        "results/benchmarks/make_enrichment_table/tables.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    params:
        code=code_of("make_enrichment_table.py"),
        origins=needs.origins,
        scope=needs.scope_of("enrichment"),
        selected=needs.selected_of("enrichment"),
        seen=needs.seen_testsets,
        enrichment=settings_of(needs.enrichment),
        control=needs.enrichment_control,
        added=needs.enrichment_word,
        measures=study.experiment.measures,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        r"""
        python "$SCRIPTS"/make_enrichment_table.py \
            --metrics {input.metrics:q} \
            --answers {input.answers:q} \
            --selected {params.selected:q} \
            --recipes {input.recipes:q} \
            --testsets {input.testsets:q} \
            --origins {params.origins:q} \
            --seen {params.seen:q} \
            --base {params.enrichment.base:q} \
            --control {params.control:q} \
            --enriched {params.enrichment.enriched:q} \
            --added {params.added:q} \
            --measures {params.measures:q} \
            --intervals {params.intervals:q} \
            --trainsets {input.trainsets:q} \
            --rankers {input.rankers:q} \
            --scope {params.scope:q} \
            --table {output.table:q} \
            --markdown {output.markdown:q} \
            &>{log:q}
        """


rule make_sizes_table:
    """Make the table of what more training queries change."""
    input:
        metrics=needs.sizes_metrics,
        answers=needs.answers_of("sizes"),
        specs=needs.recipes_of("sizes"),
        testsets=needs.testset_specs,
        trainsets=needs.trainsets_of("sizes"),
        rankers=needs.ranker_specs,
    output:
        table="results/tables/sizes.csv",
        markdown="results/tables/sizes.md",
    log:
        "results/logs/make_sizes_table/tables.log",
    benchmark:
        "results/benchmarks/make_sizes_table/tables.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    params:
        code=code_of("make_sizes_table.py"),
        origins=needs.origins,
        scope=needs.scope_of("sizes"),
        selected=needs.selected_of("sizes"),
        seen=needs.seen_testsets,
        sizes=settings_of(needs.sizes),
        measures=study.experiment.measures,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        r"""
        python "$SCRIPTS"/make_sizes_table.py \
            --metrics {input.metrics:q} \
            --answers {input.answers:q} \
            --selected {params.selected:q} \
            --specs {input.specs:q} \
            --testsets {input.testsets:q} \
            --origins {params.origins:q} \
            --seen {params.seen:q} \
            --recipes {params.sizes.recipes:q} \
            --queries {params.sizes.queries} \
            --measures {params.measures:q} \
            --intervals {params.intervals:q} \
            --trainsets {input.trainsets:q} \
            --rankers {input.rankers:q} \
            --scope {params.scope:q} \
            --table {output.table:q} \
            --markdown {output.markdown:q} \
            &>{log:q}
        """


rule make_validity_table:
    """Make the tables of what training sets are like, and of what of them test sets hold too."""
    input:
        statistics=needs.validity_files("statistics.json"),
        controls=needs.validity_files("controls.json"),
        leaks=needs.validity_files("leaks.json"),
    output:
        validity="results/tables/validity.csv",
        validity_markdown="results/tables/validity.md",
        table="results/tables/leaks.csv",
        markdown="results/tables/leaks.md",
    log:
        "results/logs/make_validity_table/tables.log",
    benchmark:
        "results/benchmarks/make_validity_table/tables.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    params:
        code=code_of("make_validity_table.py"),
        reference=needs.reference_recipe,
    shell:
        r"""
        python "$SCRIPTS"/make_validity_table.py \
            --statistics {input.statistics:q} \
            --controls {input.controls:q} \
            --reference {params.reference:q} \
            --leaks {input.leaks:q} \
            --validity {output.validity:q} \
            --validity-markdown {output.validity_markdown:q} \
            --table {output.table:q} \
            --markdown {output.markdown:q} \
            &>{log:q}
        """


rule make_bias_table:
    """Make the table of whether rankers prefer passages that a language model rewrote."""
    input:
        metrics=needs.bias_metrics,
    output:
        table="results/tables/bias.csv",
        markdown="results/tables/bias.md",
    log:
        "results/logs/make_bias_table/tables.log",
    benchmark:
        "results/benchmarks/make_bias_table/tables.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    params:
        code=code_of("make_bias_table.py"),
        scope=needs.scope_of("main"),
        measure=needs.bias_measure,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        r"""
        python "$SCRIPTS"/make_bias_table.py \
            --metrics {input.metrics:q} \
            --measure {params.measure:q} \
            --intervals {params.intervals:q} \
            --scope {params.scope:q} \
            --table {output.table:q} \
            --markdown {output.markdown:q} \
            &>{log:q}
        """


rule make_reply_tables:
    """Make the tables of what language models were asked, what came back, and what it cost."""
    input:
        replies=needs.all_replies,
        requests=needs.all_requests,
        paradigms=needs.all_reply_paradigms,
        llms=needs.all_reply_llms,
    output:
        cost="results/tables/cost.csv",
        counts="results/tables/replies.csv",
    log:
        "results/logs/make_reply_tables/tables.log",
    benchmark:
        "results/benchmarks/make_reply_tables/tables.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    params:
        code=code_of("make_reply_tables.py"),
    shell:
        r"""
        python "$SCRIPTS"/make_reply_tables.py \
            --replies {input.replies:q} \
            --requests {input.requests:q} \
            --paradigms {input.paradigms:q} \
            --llms {input.llms:q} \
            --cost {output.cost:q} \
            --counts {output.counts:q} \
            &>{log:q}
        """


rule make_twolar_table:
    """Make the distillation study's table beside published figures."""
    input:
        metrics=needs.twolar_metrics,
        rankers=needs.twolar_rankers,
        retrievers=needs.twolar_retrievers,
        testsets=needs.twolar_testsets,
        published=needs.twolar_published,
    output:
        table="results/tables/twolar.csv",
        markdown="results/tables/twolar.md",
    log:
        "results/logs/make_twolar_table/tables.log",
    benchmark:
        "results/benchmarks/make_twolar_table/tables.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    params:
        code=code_of("make_twolar_table.py"),
        scope=needs.scope_of("twolar"),
        measures=needs.twolar_measures,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        r"""
        python "$SCRIPTS"/make_twolar_table.py \
            --metrics {input.metrics:q} \
            --rankers {input.rankers:q} \
            --retrievers {input.retrievers:q} \
            --testsets {input.testsets:q} \
            --published {input.published:q} \
            --measures {params.measures:q} \
            --intervals {params.intervals:q} \
            --scope {params.scope:q} \
            --table {output.table:q} \
            --markdown {output.markdown:q} \
            &>{log:q}
        """


rule make_ablation_table:
    """Make the table of one ablation of the distillation study."""
    input:
        metrics=needs.ablation_metrics,
    output:
        table="results/tables/ablation-{ablation}.csv",
        markdown="results/tables/ablation-{ablation}.md",
    log:
        "results/logs/make_ablation_table/{ablation}.log",
    benchmark:
        "results/benchmarks/make_ablation_table/{ablation}.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    params:
        code=code_of("make_ablation_table.py"),
        scope=needs.scope_of("ablation"),
        systems=settings_of(needs.ablation),
        measures=needs.twolar_measures,
        intervals=study.experiment.intervals.model_dump_json(),
    shell:
        r"""
        python "$SCRIPTS"/make_ablation_table.py \
            --metrics {input.metrics:q} \
            --ablation {wildcards.ablation:q} \
            --recipes {params.systems.recipes:q} \
            --rankers {params.systems.rankers:q} \
            --measures {params.measures:q} \
            --intervals {params.intervals:q} \
            --scope {params.scope:q} \
            --table {output.table:q} \
            --markdown {output.markdown:q} \
            &>{log:q}
        """


rule make_ranking_table:
    """Make the table of what language models were asked to rank, what came back, and what it cost."""
    input:
        counts=needs.ranking_counts,
        pools=needs.ranking_pools,
    output:
        table="results/tables/rankings.csv",
    log:
        "results/logs/make_ranking_table/tables.log",
    benchmark:
        "results/benchmarks/make_ranking_table/tables.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    params:
        code=code_of("make_ranking_table.py"),
    shell:
        r"""
        python "$SCRIPTS"/make_ranking_table.py \
            --counts {input.counts:q} \
            --pools {input.pools:q} \
            --table {output.table:q} \
            &>{log:q}
        """
