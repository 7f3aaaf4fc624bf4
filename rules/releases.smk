"""Stage releases: data sets ready to publish.

Takes  orders of language models, with everything that says how they came about
Gives  results/releases/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/: the data, a card, checksums
"""


rule release_rankings:
    """Write a language model's orders in the form in which such sets are published."""
    input:
        orders="results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/orders.jsonl",
        counts="results/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}/counts.json",
        corpus="config/corpora/{corpus}.yaml",
        passages="results/corpora/{corpus}/passages.jsonl",
        qrels=needs.queryset_qrels,
        augmentation=needs.queryset_augmentation,
        pool="config/pools/{pool}.yaml",
        sources=needs.pool_sources,
        ranking="config/rankings/{ranking}.yaml",
        prompt=needs.ranking_prompt,
        llm="config/llms/{llm}.yaml",
        weights=needs.llm_weights,
    output:
        release=directory("results/releases/rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}"),
    log:
        "results/logs/release_rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}.log",
    benchmark:
        "results/benchmarks/release_rankings/{corpus}/{queryset}/{pool}/{ranking}/{llm}.tsv"
    wildcard_constraints:
        llm=study.pattern("llms"),
    conda:
        "../envs/releases.yaml"
    threads: 1
    params:
        code=code_of("release_rankings.py"),
    shell:
        r"""
        python "$SCRIPTS"/release_rankings.py \
            --queryset {wildcards.queryset:q} \
            --orders {input.orders:q} \
            --counts {input.counts:q} \
            --corpus {input.corpus:q} \
            --passages {input.passages:q} \
            --qrels {input.qrels:q} \
            --augmentation {input.augmentation:q} \
            --pool {input.pool:q} \
            --sources {input.sources:q} \
            --ranking {input.ranking:q} \
            --prompt {input.prompt:q} \
            --llm {input.llm:q} \
            --weights {input.weights:q} \
            --release {output.release:q} \
            &>{log:q}
        """
