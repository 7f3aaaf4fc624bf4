"""Stage report: the whole experiment as one page.

Takes  results/tables/, results/figures/, results/passages/, results/rankings/, results/runs/, results/corpora/,
       config/, envs/; what lies in results/benchmarks/ while it runs is shown and is no input, for times differ
Gives  results/report.html, one file that needs no network
"""

from synthrank.rulegraph import graph_param


rule make_report:
    """Make the page of the experiment: words, figures, tables, single queries, provenance."""
    input:
        tables=needs.report_tables,
        twins=needs.report_twins,
        figures=needs.report_figures,
        written=needs.report_passages,
        replies=needs.report_replies("replies.jsonl"),
        dropped=needs.report_replies("dropped.jsonl"),
        testsets=needs.report_testsets,
        queries=needs.report_split("queries.jsonl"),
        qrels=needs.report_split("qrels.txt"),
        collections=needs.report_collections,
        first_runs=needs.report_first_runs,
        runs=needs.report_runs,
        candidates=needs.report_candidates,
        orders=needs.report_orders("orders.jsonl"),
        asks=needs.report_orders("asks.jsonl"),
        specs=needs.report_specs,
        environments=expand(
            beside_rules("envs/{stage}.yaml"),
            stage=["passages", "rankings", "runs", "checkpoints", "metrics", "tables"],
        ),
        template=beside_rules("src/synthrank/report/page.html.j2"),
        style=beside_rules("src/synthrank/report/page.css"),
        script=beside_rules("src/synthrank/report/page.js"),
    output:
        report="results/report.html",
    log:
        "results/logs/make_report/report.log",
    benchmark:
        "results/benchmarks/make_report/report.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(60),
    params:
        code=code_of("make_report.py"),
        experiment=study.experiment.model_dump_json(),
        graph=graph_param(workflow, "tables", "figures", "runs", "orders"),
    shell:
        r"""
        python "$SCRIPTS"/make_report.py \
            --tables {input.tables:q} \
            --twins {input.twins:q} \
            --figures {input.figures:q} \
            --written {input.written:q} \
            --replies {input.replies:q} \
            --dropped {input.dropped:q} \
            --testsets {input.testsets:q} \
            --queries {input.queries:q} \
            --qrels {input.qrels:q} \
            --collections {input.collections:q} \
            --first-runs {input.first_runs:q} \
            --runs {input.runs:q} \
            --candidates {input.candidates:q} \
            --orders {input.orders:q} \
            --asks {input.asks:q} \
            --specs {input.specs:q} \
            --environments {input.environments:q} \
            --template {input.template:q} \
            --style {input.style:q} \
            --script {input.script:q} \
            --experiment {params.experiment:q} \
            --graph {params.graph:q} \
            --benchmarks results/benchmarks \
            --report {output.report:q} \
            &>{log:q}
        """
