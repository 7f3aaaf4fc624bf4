"""Stage report: the experiment as one HTML page.

Takes  results/tables/, results/figures/, results/passages/, results/rankings/, results/runs/, results/corpora/,
       config/, envs/. The times in results/benchmarks/ are shown too, but are not an input, because they vary
Gives  results/report.html, a single file that works offline
"""

from synthrank.workflow.rule_graph import graph_param


rule make_report:
    """Build the page of the experiment: text, figures, tables, example queries and provenance."""
    input:
        tables=each(inputs.report.tables, "results/{study.experiment.folder}tables/{table}.csv"),
        markdown=each(inputs.report.tables, "results/{study.experiment.folder}tables/{markdown}.md"),
        figures=each(inputs.report.figures, "results/{study.experiment.folder}figures/{figure}.vl.json"),
        written=each(inputs.report.passages, "results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/passages.jsonl"),
        replies=each(inputs.report.asked, "results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/replies.jsonl"),
        dropped=each(inputs.report.asked, "results/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/dropped.jsonl"),
        testsets=each(inputs.tables.testsets, "config/testsets/{testset}.yaml"),
        queries=each(inputs.tables.testsets, "results/corpora/{testset.corpus}/{testset.split}/queries.jsonl"),
        qrels=each(inputs.tables.testsets, "results/corpora/{testset.corpus}/{testset.split}/qrels.txt"),
        collections=each(inputs.report.corpora, "results/corpora/{corpus}/passages.jsonl"),
        first_runs=each(
            inputs.tables.first_stages, "results/runs/corpora/{testset.corpus}/{retriever}/{testset.split}.trec"
        ),
        runs=each(inputs.report.systems, "results/runs/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.trec"),
        candidates=each(inputs.report.rankings, "results/rankings/{corpus}/{queryset}/{pool}/candidates.jsonl"),
        orders=each(inputs.report.rankings, "results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/orders.jsonl"),
        asks=each(inputs.report.rankings, "results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/asks.jsonl"),
        specs=inputs.report.specs,
        environments=expand(
            beside_rules("envs/{stage}.yaml"),
            stage=["passages", "rankings", "runs", "checkpoints", "metrics", "tables"],
        ),
        template=beside_rules("src/synthrank/steps/report/page.html.j2"),
        style=beside_rules("src/synthrank/steps/report/page.css"),
        script=beside_rules("src/synthrank/steps/report/page.js"),
    output:
        report=f"results/{OF}report.html",
    log:
        f"results/logs/make_report/{OF}report.log",
    benchmark:
        f"results/benchmarks/make_report/{OF}report.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(60),
    params:
        **step_params("make_report"),
        experiment=study.experiment.model_dump_json(),
        graph=graph_param(workflow, "tables", "figures", "runs", "orders"),
    shell:
        step("make_report", "experiment graph", benchmarks="results/benchmarks")
