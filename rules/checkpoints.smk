"""Stage checkpoints: rankers trained on training sets.

Takes  results/trainsets/{recipe}/{llm}/draw-{draw}/groups.jsonl of a seed, config/rankers/{ranker}.yaml, the base model
Gives  results/checkpoints/{recipe}/{llm}/{ranker}/seed-{seed}/: safetensors, training.json, loss.csv,
       and selection.json with the settings tried on the development split, if the ranker's file has a selection.
       During training, .seed-{seed}.state-HASH next to it contains the state from which an interrupted training resumes
"""


rule train_ranker:
    """Train one ranker on one training set with one seed, and resume an interrupted attempt."""
    input:
        trainset=each(inputs.checkpoints.trainset, "results/trainsets/{recipe}/{llm}/draw-{draw}/groups.jsonl"),
        spec=ancient("config/rankers/{ranker}.yaml"),
        base=entity(
            "results/models/{ranker.base.model}",
            "results/checkpoints/{ranker.base.recipe}/none/{ranker.base.ranker}/seed-{seed}",
        ),
        development=entity(
            "results/corpora/{recipe.corpus}/{recipe.corpus.development}/queries.jsonl",
            "results/corpora/{recipe.corpus}/{recipe.corpus.development}/qrels.txt",
            "results/corpora/{recipe.corpus}/passages.jsonl",
            "results/runs/corpora/{recipe.corpus}/{ranker.selection.retriever}/{recipe.corpus.development}.trec",
            given="ranker.selection",
        ),
    output:
        checkpoint=directory("results/checkpoints/{recipe}/{llm}/{ranker}/seed-{seed}"),
    log:
        "results/logs/train_ranker/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/train_ranker/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    conda:
        "../envs/checkpoints.yaml"
    threads: inputs.checkpoints.training_gpus
    resources:
        mem_mb=inputs.checkpoints.training_mb,
        runtime=by_attempt(720),
        gpu=inputs.checkpoints.training_gpus,
    params:
        **step_params("train_ranker"),
        settings=inputs.checkpoints.training_settings,
        seed=inputs.checkpoints.training_seed,
        launcher=inputs.checkpoints.training_launcher,
    shell:
        step("train_ranker", "seed", launcher="{params.launcher}")
