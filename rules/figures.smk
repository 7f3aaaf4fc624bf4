"""Stage figures: what tables show, drawn.

Takes  results/tables/, results/validity/
Gives  results/figures/{figure}.svg, .pdf and .vl.json, its Vega-Lite specification
"""


rule draw_figure:
    """Draw a figure out of the tables it shows."""
    input:
        data=needs.figure_data,
    output:
        svg="results/figures/{figure}.svg",
        pdf="results/figures/{figure}.pdf",
        vega="results/figures/{figure}.vl.json",
    log:
        "results/logs/draw_figure/{figure}.log",
    benchmark:
        "results/benchmarks/draw_figure/{figure}.tsv"
    wildcard_constraints:
        figure="|".join(needs.figures),
    conda:
        "../envs/figures.yaml"
    threads: 1
    params:
        code=code_of("draw_figure.py"),
    shell:
        r"""
        python "$SCRIPTS"/draw_figure.py \
            --figure {wildcards.figure:q} \
            --data {input.data:q} \
            --svg {output.svg:q} \
            --pdf {output.pdf:q} \
            --vega {output.vega:q} \
            &>{log:q}
        """
