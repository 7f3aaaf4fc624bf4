"""Stage checkpoints: rankers trained on training sets.

Takes  results/trainsets/{recipe}/{llm}/draw-{draw}/groups.jsonl of a seed, config/rankers/{ranker}.yaml, the model to
       start from
Gives  results/checkpoints/{recipe}/{llm}/{ranker}/seed-{seed}/: safetensors, training.json, loss.csv
       and selection.json where the ranker's file has a selection: what was tried on the development split
       and, while it trains, .seed-{seed}.state-HASH beside it, from which a killed training resumes
"""


rule train_ranker:
    """Train one ranker on one training set with one seed; resume an attempt that ended early."""
    input:
        trainset=needs.trainset,
        spec=ancient("config/rankers/{ranker}.yaml"),
        base=needs.base,
        development=needs.development,
    output:
        checkpoint=directory("results/checkpoints/{recipe}/{llm}/{ranker}/seed-{seed}"),
    log:
        "results/logs/train_ranker/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/train_ranker/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    conda:
        "../envs/checkpoints.yaml"
    threads: needs.training_gpus
    resources:
        mem_mb=needs.training_mb,
        runtime=by_attempt(720),
        gpu=needs.training_gpus,
    params:
        code=code_of("train_ranker.py"),
        settings=needs.training_settings,
        seed=needs.training_seed,
        launcher=needs.training_launcher,
    shell:
        r"""
        {params.launcher} "$SCRIPTS"/train_ranker.py \
            --trainset {input.trainset:q} \
            --spec {input.spec:q} \
            --base {input.base:q} \
            --seed {params.seed} \
            --development {input.development:q} \
            --checkpoint {output.checkpoint:q} \
            &>{log:q}
        """
