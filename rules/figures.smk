"""Stage figures: charts of the tables.

Takes  results/tables/, results/validity/
Gives  results/figures/{figure}.svg, .pdf and .vl.json, its Vega-Lite specification
"""

from synthrank.workflow.inputs.figures import FIGURES


rule draw_figure:
    """Draw a figure from its tables."""
    input:
        data=each(
            inputs.figures.data,
            "results/{study.experiment.folder}tables/{table}.csv",
            "config/recipes/{base}.yaml",
            "results/validity/trainsets/{recipe}/{llm}/draw-{draw}/passages.csv",
        ),
    output:
        svg=f"results/{OF}figures/{{figure}}.svg",
        pdf=f"results/{OF}figures/{{figure}}.pdf",
        vega=f"results/{OF}figures/{{figure}}.vl.json",
    log:
        f"results/logs/draw_figure/{OF}{{figure}}.log",
    benchmark:
        f"results/benchmarks/draw_figure/{OF}{{figure}}.tsv"
    wildcard_constraints:
        figure="|".join(FIGURES),
    conda:
        "../envs/figures.yaml"
    params:
        **step_params("draw_figure"),
    shell:
        step("draw_figure", "wildcards.figure")
