"""Stage queries: queries made from the passages of a corpus.

Takes  config/augmentations/{augmentation}.yaml, results/corpora/{corpus}/
Gives  results/queries/{corpus}/{augmentation}/queries.jsonl
"""


rule augment_queries:
    """Make queries from the passages of one corpus."""
    input:
        spec="config/augmentations/{augmentation}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        held_out=needs.held_out_qrels,
    output:
        queries="results/queries/{corpus}/{augmentation}/queries.jsonl",
    log:
        "results/logs/augment_queries/{corpus}/{augmentation}.log",
    benchmark:
        "results/benchmarks/augment_queries/{corpus}/{augmentation}.tsv"
    conda:
        "../envs/queries.yaml"
    threads: 1
    params:
        code=code_of("augment_queries.py"),
    shell:
        r"""
        python "$SCRIPTS"/augment_queries.py \
            --spec {input.spec:q} \
            --passages {input.passages:q} \
            --held-out {input.held_out:q} \
            --queries {output.queries:q} \
            &>{log:q}
        """
