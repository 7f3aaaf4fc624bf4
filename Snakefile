# synthrank: train search rankers on data written by language models.
#
# The rules of rules/STAGE.smk make results/STAGE/… in the environment envs/STAGE.yaml with src/synthrank/steps/STAGE/:
#
#   results/models/{model}/
#   results/corpora/{corpus}/passages.jsonl                       {split}/queries.jsonl  {split}/qrels.txt  {split}/excluded.txt
#   results/passages/{corpus}/{paradigm}/draw-{draw}/requests.jsonl  {llm}/replies.jsonl  {llm}/passages.jsonl
#   results/queries/{corpus}/{augmentation}/raw.jsonl             queries.jsonl after the filters
#   results/runs/corpora/{corpus}/{retriever}/{queryset}.trec     first stages
#   results/runs/passages/{corpus}/{paradigm}/draw-{draw}/{llm}/{retriever}/  runs over generated passages; judged/
#   results/runs/testsets/{testset}/{recipe}/{llm}/{ranker}/seed-{seed}.trec
#   results/rankings/{corpus}/{queryset}/{pool}/candidates.jsonl  {ranking}/{llm}/orders.jsonl
#   results/trainsets/{recipe}/{llm}/draw-{draw}/groups.jsonl
#   results/checkpoints/{recipe}/{llm}/{ranker}/seed-{seed}/
#   results/metrics/testsets/{testset}/{retriever}.csv            {recipe}/{llm}/{ranker}/seed-{seed}.csv
#   results/validity/{data}/statistics.json  controls.json        passages.csv  leaks.jsonl  leaks.json  answers.json
#   results/validity/testsets/{corpus}/{split}/{retriever}/       vectors of a test set's texts
#   results/{OF}tables/{id,ood,claims,enrichment,sizes,validity,leaks,bias,cost,replies,twolar,rankings,ablation-…}.csv
#   results/{OF}figures/{figure}.svg   results/{OF}report.html    {OF} is the experiment's `name` and /, if it has one
#   results/releases/{rankings,passages,models,runs}/…            the same names below each
#
# A wildcard is the name of a file under config/, or a name that a corpus or the experiment states. A recipe may end with
# @N for N queries. `none` replaces the name without a recipe or an LLM. {draw} is the training seed if the data
# differ between seeds, and 0 otherwise. {data} is trainsets/{recipe}/{llm}/draw-{draw} or
# passages/{corpus}/{paradigm}/draw-{draw}/{llm}. shards/{scatteritem}/ next to a file contains one of its shards.

from snakemake.utils import min_version

min_version("9.27")


# A file given with --configfile replaces the default experiment. Snakemake would merge the two.
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
        f"results/{OF}tables/id.csv",
        f"results/{OF}tables/ood.csv",
