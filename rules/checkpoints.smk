"""Stage checkpoints: rankers trained on training sets.

Takes  results/trainsets/{recipe}/{llm}/groups.jsonl, config/rankers/{ranker}.yaml, the model to start from
Gives  results/checkpoints/{recipe}/{llm}/{ranker}/seed-{seed}/: safetensors, training.json, loss.csv
       and, while it trains, .seed-{seed}.state-HASH beside it, from which a killed training goes on
"""


rule train_ranker:
    """Train one ranker on one training set with one seed."""
    input:
        trainset="results/trainsets/{recipe}/{llm}/groups.jsonl",
        spec="config/rankers/{ranker}.yaml",
        base=needs.base,
    output:
        checkpoint=directory("results/checkpoints/{recipe}/{llm}/{ranker}/seed-{seed}"),
    log:
        "results/logs/train_ranker/{recipe}/{llm}/{ranker}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/train_ranker/{recipe}/{llm}/{ranker}/seed-{seed}.tsv"
    conda:
        "../envs/checkpoints.yaml"
    threads: 1
    resources:
        mem_mb=16000,
        runtime=720,
        gpu=1,
    params:
        code=code_of("train_ranker.py"),
    shell:
        r"""
        python "$SCRIPTS"/train_ranker.py \
            --trainset {input.trainset:q} \
            --spec {input.spec:q} \
            --base {input.base:q} \
            --seed {wildcards.seed:q} \
            --checkpoint {output.checkpoint:q} \
            &>{log:q}
        """
