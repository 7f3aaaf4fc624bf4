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
    wildcard_constraints:
        model=study.pattern_of("models", UnpackedModel),
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


rule build_static_model:
    """Make a bi-encoder out of the token table of another model."""
    input:
        spec="config/models/{model}.yaml",
        base=needs.model_base,
        passages=needs.token_table_passages,
    output:
        model=directory("results/models/{model}"),
    log:
        "results/logs/build_static_model/{model}.log",
    benchmark:
        "results/benchmarks/build_static_model/{model}.tsv"
    wildcard_constraints:
        model=study.pattern_of("models", TokenTableModel),
    conda:
        "../envs/models.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        code=code_of("build_static_model.py"),
    shell:
        r"""
        python "$SCRIPTS"/build_static_model.py \
            --spec {input.spec:q} \
            --base {input.base:q} \
            --passages {input.passages:q} \
            --model {output.model:q} \
            &>{log:q}
        """


rule take_first_layers:
    """Make a model of the first layers of another."""
    input:
        spec="config/models/{model}.yaml",
        base=needs.model_base,
    output:
        model=directory("results/models/{model}"),
    log:
        "results/logs/take_first_layers/{model}.log",
    benchmark:
        "results/benchmarks/take_first_layers/{model}.tsv"
    wildcard_constraints:
        model=study.pattern_of("models", FirstLayersModel),
    conda:
        "../envs/models.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(60),
    params:
        code=code_of("take_first_layers.py"),
    shell:
        r"""
        python "$SCRIPTS"/take_first_layers.py \
            --spec {input.spec:q} \
            --base {input.base:q} \
            --model {output.model:q} \
            &>{log:q}
        """
