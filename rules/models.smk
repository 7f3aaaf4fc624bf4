"""Stage models: pretrained models as folders of safetensors.

Takes  config/models/{model}.yaml
Gives  results/models/{model}/
"""


rule unpack_model:
    """Unpack one pretrained model into a folder of safetensors."""
    input:
        spec="config/models/{model}.yaml",
    output:
        model=directory("results/models/{model}"),
    log:
        "results/logs/unpack_model/{model}.log",
    benchmark:
        "results/benchmarks/unpack_model/{model}.tsv"
    conda:
        "../envs/models.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        code=code_of("unpack_model.py"),
    shell:
        r"""
        python "$SCRIPTS"/unpack_model.py \
            --spec {input.spec:q} \
            --model {output.model:q} \
            &>{log:q}
        """
