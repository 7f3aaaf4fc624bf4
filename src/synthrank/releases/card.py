"""The card of released rankings."""

TEMPLATE = """\
---
pretty_name: {{ corpus }}, {{ queryset }}, ordered by {{ llm }}
license: other
task_categories: [text-ranking]
configs: [{config_name: default, data_files: train.jsonl}]
---
# Passages of {{ corpus }} in the order of {{ llm }}

{{ released.queries }} queries, each with the candidates of {{ sources | join(", ") }} in the order that a language
model gave them: a set for training rerankers by distillation, in the form of TWOLAR's (Baldelli et al. 2024).
`train.jsonl` holds one JSON object a line:

| key | what |
|---|---|
| `query` | the text of the query |
| `retrieved_passages` | its candidates, best first, each with `docid` and `text` |
{% if judged %}
| `positive_passages` | the passages that people judged relevant (grade 1 or more), best grade first |
{% else %}
| `positive_passages` | empty: nobody judged these queries |
{% endif %}
| `query_id` | the id of the query in its collection |

Code that reads the published set reads this one as it is, with `label=False` where `positive_passages` is empty.

```python
import json

with open("train.jsonl", encoding="utf-8") as lines:
    for record in map(json.loads, lines):
        print(record["query"], "->", record["retrieved_passages"][0]["text"])
```

`sha256sum --check sha256.txt` tells whether the files are whole.

## Licence

TO DO before this is published, and then replace this section and `license` in the head of the page:

- [ ] passages and queries of {{ corpus }}: may they be passed on, and under which licence?
{% if augmentation %}
- [ ] queries of {{ queryset }}: what do the terms of whatever made them say?
{% endif %}
- [ ] the orders are the output of {{ llm }}: do its provider's terms or its licence let others train on it?
- [ ] choose a licence for the set that all of these allow, and say whom to cite

## What it was made from

{% for what, settings in parts.items() %}
{{ what }}:

```yaml
{{ settings }}
```

{% endfor %}
{% if snapshots %}
The server named its model as {{ snapshots | join(", ") }}.

{% endif %}
The prompt, `{{ prompt }}`:

````
{{ prompt_text }}
````

## Counts

| of this set | |
|---|---|
{% for name, value in released.items() %}
| {{ name | replace("_", " ") }} | {{ value }} |
{% endfor %}

| while the model ordered | |
|---|---|
{% for name, value in ranking.items() %}
| {{ name | replace("_", " ") }} | {{ value }} |
{% endfor %}
"""
