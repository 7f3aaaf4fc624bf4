"""The card of released passages."""

from synthrank.releases.parts import NUMBERS, SECTION

TEMPLATE = (
    NUMBERS
    + """\
---
pretty_name: {{ title | tojson }}
license: other
task_categories: [text-retrieval, text-ranking]
configs:
{% for table in tables %}
  - config_name: {{ table.config }}
    {% if table.config == "default" %}
    default: true
    {% endif %}
    data_files: [{split: {{ table.split }}, path: {{ table.path }}}]
{% endfor %}
---
# {{ title }}

{{ description }}: a set for training rankers.

```python
from os.path import abspath

from datasets import load_dataset

folder = abspath(".")  # or the name of the data set on a hub
passages = load_dataset(folder, split="train")
print(passages[0]["query"], "->", passages[0]["passage"])
corpus = load_dataset(folder, "corpus", split="corpus")
print(len(passages), "passages for queries,", len(corpus), "different ones")
```

| configuration | split | rows | columns |
|---|---|---|---|
{% for table in tables %}
| `{{ table.config }}` | `{{ table.split }}` | {{ table.rows | length }} | {{ table.columns | join(", ") }} |
{% endfor %}

{% if grades | length > 1 %}
`grade` says how relevant a passage is to its query: {{ grades | join(", ") }}, more is better.
{% endif %}
{% if cost %}
`replies` holds everything that the model said, with what it was asked, the unusable replies too: whoever doubts a
filter can apply another one. `messages` and `sampling` are JSON. Replies that did not become passages are in no other
configuration.
{% endif %}
`corpus.jsonl`, `queries.jsonl` and `qrels/train.tsv` are the same in the layout of BEIR (Thakur et al. 2021).
`croissant.json` describes the tables for machines. `sha256sum --check sha256.txt` tells whether the files are whole.

## Licence

TO DO before this is published, and then replace this section and `license` in the head of the page:

{% if kind == "queries" %}
- [ ] the passages are texts of {{ corpus }}: may they be passed on, and under which licence?
{% elif kind == "human" %}
- [ ] passages and queries are texts of {{ corpus }}: may they be passed on, and under which licence?
{% else %}
- [ ] the queries are texts of {{ corpus }}: may they be passed on, and under which licence?
{% endif %}
{% if kind == "imported" %}
- [ ] the passages are the text of others ({{ generator }}): under which licence did they publish it?
{% endif %}
{% if llm %}
- [ ] the {{ "queries" if kind == "queries" else "passages" }} are the output of {{ llm }}: \
do its provider's terms or its licence let others train on it?
{% endif %}
{% if exemplars %}
- [ ] `replies` shows the exemplars of the prompt, which are texts of {{ corpus }}: the same question
{% endif %}
- [ ] choose a licence for the set that all of these allow, and say whom to cite
- [ ] in `croissant.json`, state `license`, `url`, `datePublished`, `version`, `creator` and `citeAs`, then renew the
      checksums

## What it was made from

{% if snapshots %}
The server named its model as {{ snapshots | join(", ") }}.

{% endif %}
"""
    + SECTION
    + """\
{% if prompt %}
The prompt, `{{ prompt }}`:

````
{{ prompt_text }}
````

{% endif %}
{% if exemplars %}
{% if kind == "queries" %}
Exemplars of the prompts, {{ exemplars }} training pairs in all: each passage sees the same, none of them its own.
{% else %}
Exemplars of the prompts, {{ exemplars }} in all: each query sees {{ shown }} that are not its own, drawn for it
{{ "out of %d labelled queries" | format(labels) if labels else "out of the whole corpus" }}.
{% endif %}
The configuration `exemplars` names them.

{% endif %}
## Counts

{{ numbers("of this set", released) }}
{{ numbers("while the passages were made", counts) }}
{% if cost %}
## Cost

{{ numbers("of all replies", cost) }}
{% endif %}
## Known biases

{% if likenesses %}
| passages | how many | words, mean | words, median | query's words in it | like the nearest human one |
|---|---|---|---|---|---|
{% for row in likenesses %}
{% set shared = "" if row.of_human is none else "%.3f" | format(row.of_human) %}
| {{ row.what }} | {{ row.passages }} | {{ "%.1f | %.1f" | format(row.mean_words, row.median_words) }} \
| {{ "%.3f" | format(row.of_query) }} | {{ shared }} |
{% endfor %}

Of the queries that have both; likeness is the Jaccard similarity of distinct words. A ranker can learn to prefer what
sets the passages apart, their length or the words of the query, instead of what makes them relevant.
{% else %}
{{ "These are the human passages themselves." if kind == "human" else "No query has a human passage to compare with." }}
{% endif %}
{% if kind != "human" %}
Rankers are known to prefer text of language models over human text of the same content (Dai et al. 2024), the more so
where they were trained on it.
{% endif %}
{% if llm %}
Nobody checked that what the passages say is true, or free of what the model learnt to say about people.
{% endif %}

{% if statistics %}
{{ numbers("measured of the passages", statistics) }}
{% endif %}
## Leakage

{% if leaks is none %}
Not tested: compare with the test sets at hand before scores of rankers trained on this are believed.
{% else %}
What the passages, their queries and the prompt's exemplars share with test sets, by test set, test and what is shared:

{{ numbers("items found", leaks) }}
{% endif %}
"""
)
