"""The card of released runs."""

TEMPLATE = """\
# Runs of {{ ranker }} on {{ suite }}, {{ training }}

| file | queries | lines | tag |
|---|---|---|---|
{% for run in runs %}
| `{{ run.name }}` | {{ run.queries }} | {{ run.lines }} | {{ run.tag }} |
{% endfor %}

Six-column TREC runs. Each begins with a header in comment lines that says how it came about: ir_metadata, version 0.1
(Breuer et al. 2022, ir-metadata.org), which repro_eval reads. Other tools want the run without it:
`grep -v '^# ' {{ runs[0].name }}`.

```python
import yaml

with open("{{ runs[0].name }}", encoding="utf-8") as stream:
    lines = stream.read().splitlines()
end = lines.index("# ir_metadata.end")
metadata = yaml.safe_load("\\n".join(line.removeprefix("#") for line in lines[1:end]))
run = [line.split() for line in lines[end + 1 :]]
print(metadata["data"]["test collection"]["name"], len(run), "lines")
```

The part `platform` was written with the header: hardware and operating system are those of the machine that packed the
runs, the libraries those of the environment that made them.

`sha256sum --check sha256.txt` tells whether the files are whole.

TO DO before this is published:

- [ ] `actor` of each header: who made the runs, and how to reach them
- [ ] `research goal` of each header: venue and publication
- [ ] `implementation` of each header: the address of the repository
- [ ] runs name passages and queries by their ids: do the test collections' terms let them be passed on?
- [ ] renew the checksums after any change: `sha256sum README.md *.trec > sha256.txt`
"""
