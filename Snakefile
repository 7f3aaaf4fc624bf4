# synthrank: train search rankers on data written by language models.
#
# Every path is results/STAGE/…, made by rules/STAGE.smk inside envs/STAGE.yaml by way of src/synthrank/STAGE/:
#
#   results/models/{model}/
#   results/corpora/{corpus}/passages.jsonl                       {split}/queries.jsonl  {split}/qrels.txt
#   results/passages/{corpus}/{paradigm}/draw-{draw}/requests.jsonl  {llm}/replies.jsonl  {llm}/passages.jsonl
#   results/queries/{corpus}/{augmentation}/raw.jsonl             queries.jsonl after the filters
#   results/runs/corpora/{corpus}/{retriever}/{queryset}.trec     first stages
#   results/runs/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/{retriever}/  the same over written passages; judged/
#   results/runs/suites/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}/{testset}.trec
#   results/rankings/{corpus}/{queryset}/{pool}/candidates.jsonl  {ranking}/{llm}/orders.jsonl
#   results/trainsets/{recipe}/{llm}/draw-{draw}/groups.jsonl
#   results/checkpoints/{recipe}/{llm}/{ranker}/seed-{seed}/
#   results/metrics/testsets/{testset}/{retriever}.csv            results/metrics/suites/…/seed-{seed}.csv
#   results/validity/{data}/statistics.json  controls.json        passages.csv  leaks.jsonl  leaks.json  answers.json
#   results/tables/{id,ood,claims,enrichment,sizes,validity,leaks,bias,cost,replies,twolar,rankings,ablation-…}.csv
#   results/figures/{figure}.svg                                  results/report.html
#   results/releases/{rankings,passages,models,runs}/…            the same names below each
#
# A wildcard is the name of a file under config/, a recipe's with @N for N queries, or what a corpus or the experiment states;
# `none` stands where no recipe or no LLM was involved. {draw} is the training seed whose data lie there, 0 where all
# seeds share them. {data} is trainsets/{recipe}/{llm}/draw-{draw} or passages/{corpus}/{paradigm}/draw-{draw}/{llm};
# shards/{scatteritem} beside a file is a shard of it.

from snakemake.utils import min_version

min_version("9.27")


# A file that --configfile names is the whole experiment: Snakemake would lay it over the default.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/models.smk"
include: "rules/corpora.smk"
include: "rules/passages.smk"
include: "rules/queries.smk"
include: "rules/runs.smk"
include: "rules/rankings.smk"
include: "rules/trainsets.smk"
include: "rules/validity.smk"
include: "rules/checkpoints.smk"
include: "rules/metrics.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/releases.smk"
include: "rules/report.smk"


rule all:
    """Both tables of the experiment."""
    default_target: True
    input:
        "results/tables/id.csv",
        "results/tables/ood.csv",
