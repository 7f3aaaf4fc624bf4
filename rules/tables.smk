"""Stage tables: what people read.

Takes  results/metrics/, config/recipes/, config/testsets/
Gives  results/tables/id.csv and ood.csv, tidy, with a Markdown twin each; cost.csv and replies.csv of what was asked
"""


rule make_tables:
    """Make the in-distribution and the out-of-distribution table."""
    input:
        metrics=needs.metrics,
        recipes=needs.recipe_specs,
        testsets=needs.testset_specs,
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
        intervals=study.experiment.intervals,
    shell:
        r"""
        python "$SCRIPTS"/make_tables.py \
            --metrics {input.metrics:q} \
            --recipes {input.recipes:q} \
            --testsets {input.testsets:q} \
            --resamples {params.intervals.resamples} \
            --confidence {params.intervals.confidence} \
            --seed {params.intervals.seed} \
            --id-table {output.id_table:q} \
            --id-markdown {output.id_markdown:q} \
            --ood-table {output.ood_table:q} \
            --ood-markdown {output.ood_markdown:q} \
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
