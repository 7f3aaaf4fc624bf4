"""The card of a released model."""

from synthrank.releases.parts import NUMBERS, SECTION

TEMPLATE = (
    NUMBERS
    + """\
---
license: other
library_name: {{ library }}
pipeline_tag: {{ "sentence-similarity" if architecture == "bi-encoder" else "text-ranking" }}
{% if repo %}
base_model: {{ repo }}
{% endif %}
tags: [{{ architecture }}]
---
# {{ ranker }}, trained on {{ recipe }}{{ " of " ~ llm if llm }}, seed {{ seed }}

{% if architecture == "bi-encoder" %}
A bi-encoder: query and passage become a vector each, whose cosine is the score.
{% else %}
A reranker: it reads a query and a passage together and gives a score; higher is more relevant.
{% endif %}

```python
{{ usage }}
```

{% if architecture in ("seq2seq", "decoder") %}
Prompts longer than {{ max_length }} tokens were cut in training, and longer than {{ eval_length }} in ranking: the \
passage loses its end, never what follows it.
{% else %}
{{ "Queries and passages longer" if architecture == "bi-encoder" else "Pairs of a query and a passage longer" }} than \
{{ max_length }} tokens were cut in training, and longer than {{ eval_length }} in ranking.
{% endif %}
`training.json` holds the settings of the training and what it took, `loss.csv` its loss. The weights are safetensors;
no file holds code. `sha256sum --check sha256.txt` tells whether the files are whole.

## Licence

TO DO before this is published, and then replace this section and `license` in the head of the page:

- [ ] the model that training started from: what does its licence say of models made from it?
- [ ] the texts of the training set, recipe {{ recipe }}: may a model that was trained on them be passed on?
{% if llm %}
- [ ] {{ llm }} wrote or ordered passages of it: do its provider's terms or its licence let others train on that?
{% endif %}
- [ ] choose a licence that all of these allow, and say whom to cite

## Intended use and limits

For research on search rankers: to compare training sets, and to rank passages like those it was trained and tested on.
It was tested on the test sets below alone, with one training seed; another seed gives other scores.
{% if llm %}
Passages of a language model, or its orders, are part of its training: it may prefer text of language models over human
text of the same content (Dai et al. 2024), and what the language model gets wrong.
{% endif %}
A score orders the passages of one query; it is no probability, and scores of different queries do not compare.

## What it was made from

"""
    + SECTION
    + """\
{% if selection %}
## How its settings were chosen

On the development split {{ selection.split }}, {{ selection.queries }} queries, which is no test set: the highest \
mean {{ selection.measure }} of the top {{ selection.depth }} of {{ selection.retriever }}, reordered. \
Every recipe, LLM and seed has the same \
{{ selection.trainings }} trainings to choose from.

| learning rate | updates | {{ selection.measure }} | |
|---:|---:|---:|---|
{% for item in selection.trials %}
| {{ item.learning_rate }} | {{ item.updates }} | {{ "%.4f" | format(item.value) }} | \
{{ "chosen" if item.chosen }} |
{% endfor %}

{% endif %}
## Training set

{{ numbers("of the training set", stats) }}
## Scores

Means over queries, of this seed. `{{ ranker }}+RETRIEVER` is the model's order fused with its first stage's; a reranker
alone lists only the passages that it reordered.

| test set | system | queries | {{ measures | join(" | ") }} |
|---|---|---|{{ "---|" * measures | length }}
{% for row in scores %}
| {{ row.testset }} | {{ row.system }} | {{ row.queries }} | {{ row.values | join(" | ") }} |
{% endfor %}
"""
)
