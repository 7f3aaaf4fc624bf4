"""Malformed files of every kind: each is refused with one line that has the file and, if it has lines, the line."""

import io
import tarfile
import zipfile

import pytest

from synthrank.config.base import load
from synthrank.config.corpora import BeirCorpus
from synthrank.config.paradigms import ParadigmSpec
from synthrank.config.rankers import RankerSpec
from synthrank.config.study import KINDS
from synthrank.data.external_rankings import read_orders
from synthrank.data.files import read_jsonl
from synthrank.data.records import Group, Passage, ScoredList
from synthrank.data.scores import read_scores
from synthrank.data.sources.archives import extract
from synthrank.data.sources.beir import BeirSource
from synthrank.data.sources.rst import read_pages
from synthrank.data.trec import read_qrels, read_run
from synthrank.errors import SynthrankError
from synthrank.llms.prompts import read_prompt

MARK = b"\xef\xbb\xbf"
RANKER = """architecture: bi-encoder
base: {model: m}
max_length: 8
loss: multiple-negatives
optimiser: {learning_rate: 2e-5, epochs: 1, batch_size: 2}
"""
SCORES = b"ranker,recipe,llm,seed,testset,measure,query_id,value\n"


def beir(path):
    """Return a BEIR corpus in the folder of a file, whose other files are right."""
    right = {
        "corpus.jsonl": b'{"_id": "p", "text": "t"}\n',
        "queries.jsonl": b'{"_id": "q", "text": "t"}\n',
        "qrels/test.tsv": b"query-id\tcorpus-id\tscore\nq\tp\t1\n",
        "qrels/test.txt": b"q 0 p 1\n",
    }
    folder = path.parent if path.parent.name != "qrels" else path.parent.parent
    for name, content in right.items():
        if folder / name != path:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
    spec = BeirCorpus(source="beir", folder=str(folder), splits={"tsv": "qrels/test.tsv", "txt": "qrels/test.txt"})
    return BeirSource(spec, folder / "spec.yaml")


READERS = {
    "ranker.yaml": lambda path: load(RankerSpec, path),
    "paradigm.yaml": lambda path: load(ParadigmSpec, path),
    "llm.yaml": lambda path: load(KINDS["llms"], path),
    "corpus.yaml": lambda path: load(KINDS["corpora"], path),
    "prompt.md": read_prompt,
    "run.trec": read_run,
    "qrels.txt": read_qrels,
    "corpus.jsonl": lambda path: list(beir(path).passages()),
    "queries.jsonl": lambda path: beir(path).queries("tsv"),
    "qrels/test.tsv": lambda path: beir(path).queries("tsv"),
    "qrels/test.txt": lambda path: beir(path).queries("txt"),
    "passages.jsonl": lambda path: list(read_jsonl(path, Passage)),
    "groups.jsonl": lambda path: list(read_jsonl(path, Group)),
    "scored.jsonl": lambda path: list(read_jsonl(path, ScoredList)),
    "teacher.trec": lambda path: list(read_orders(path, "trec")),
    "teacher.ids": lambda path: list(read_orders(path, "ids")),
    "teacher.records": lambda path: list(read_orders(path, "records")),
    "scores.csv": read_scores,
    "page.rst": lambda path: read_pages(path.parent, [path.name]),
    "docs.archive": lambda path: extract(path, path.parent / "unpacked"),
}


def ranker(old, new):
    assert RANKER.count(old) == 1
    return RANKER.replace(old, new).encode()


def packed(*names, kind=tarfile.REGTYPE):
    """Return a tar archive with a small member of each name."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, 1 if kind == tarfile.REGTYPE else 0, "/etc/passwd"
            tar.addfile(member, io.BytesIO(b"x"))
    return stream.getvalue()


def zipped(name, content=b"x" * 99):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return stream.getvalue()


JSON = "; expected one object per line"
TWO = "has two readings; write a decimal number, or text in quotes)"
HALF = "contains half of a surrogate pair; expected text that UTF-8 can write"

# A message that ends with … is cut.
INPUTS = [
    ("ranker.yaml", b"\xff\xfe" + RANKER.encode("utf-16-le"), ":1: byte 1 of the line is not UTF-8; convert the file"),
    (
        "ranker.yaml",
        ranker("m}", "m?}").replace(b"?", b"\xfc"),
        ":2: byte 16 of the line is not UTF-8; convert the file",
    ),
    (
        "ranker.yaml",
        MARK + MARK + RANKER.encode(),
        ":1: the line starts with a misplaced byte order mark (U+FEFF); remove it",
    ),
    (
        "ranker.yaml",
        ranker("max", "\ufeffmax"),
        ":3: the line starts with a misplaced byte order mark (U+FEFF); remove it",
    ),
    ("ranker.yaml", ranker("model: m", "model: m\0"), ":2: character 16 of the line is NUL; expected a text file"),
    ("ranker.yaml", ranker("model: m", "model: \x07"), ":2: not YAML (character U+0007 is not allowed)"),
    (
        "ranker.yaml",
        ranker("model: m", 'model: "\\ud83d"'),
        ":2: not YAML (found invalid Unicode character escape code)",
    ),
    (
        "ranker.yaml",
        ranker("2e-5", ".inf"),
        ":5: not YAML ('.inf' is not a finite number; write a number, or text in quotes)",
    ),
    (
        "ranker.yaml",
        ranker("2e-5", "-.INF"),
        ":5: not YAML ('-.INF' is not a finite number; write a number, or text in quotes)",
    ),
    (
        "ranker.yaml",
        ranker("2e-5", ".nan"),
        ":5: not YAML ('.nan' is not a finite number; write a number, or text in quotes)",
    ),
    (
        "ranker.yaml",
        ranker("2e-5", "1e999"),
        ":5: not YAML ('1e999' is not a finite number; write a number, or text in quotes)",
    ),
    ("ranker.yaml", ranker("2e-5", '"2e-5"'), ":5: optimiser.learning_rate must be a number; got '2e-5'"),
    ("ranker.yaml", ranker("2e-5", "2,5"), ":5: unknown key 'optimiser.5' …"),
    ("ranker.yaml", ranker("2e-5", "true"), ":5: optimiser.learning_rate must be a number; got True"),
    ("ranker.yaml", ranker("2e-5", "-1"), ":5: optimiser.learning_rate must be more than 0; got -1"),
    (
        "ranker.yaml",
        ranker("batch_size: 2", "batch_size: yes"),
        ":5: not YAML ('yes' has two readings; write true or false, or text in quotes)",
    ),
    (
        "ranker.yaml",
        ranker("batch_size: 2", "batch_size: On"),
        ":5: not YAML ('On' has two readings; write true or false, or text in quotes)",
    ),
    (
        "ranker.yaml",
        ranker("batch_size: 2", "batch_size: true"),
        ":5: optimiser.batch_size must be a whole number; got True",
    ),
    ("ranker.yaml", ranker("batch_size: 2", "batch_size: 010"), ":5: not YAML ('010' " + TWO),
    ("ranker.yaml", ranker("batch_size: 2", "batch_size: 08"), ":5: not YAML ('08' " + TWO),
    ("ranker.yaml", ranker("batch_size: 2", "batch_size: 0x10"), ":5: not YAML ('0x10' " + TWO),
    (
        "ranker.yaml",
        ranker("batch_size: 2", "batch_size: 0o10"),
        ":5: optimiser.batch_size must be a whole number; got '0o10'",
    ),
    ("ranker.yaml", ranker("batch_size: 2", "batch_size: 1_6"), ":5: not YAML ('1_6' " + TWO),
    (
        "ranker.yaml",
        ranker("batch_size: 2", 'batch_size: "16"'),
        ":5: optimiser.batch_size must be a whole number; got '16'",
    ),
    (
        "ranker.yaml",
        ranker("batch_size: 2", "batch_size: 2.0"),
        ":5: optimiser.batch_size must be a whole number; got 2.0",
    ),
    (
        "ranker.yaml",
        ranker("batch_size: 2", "batch_size: ~"),
        ":5: optimiser.batch_size must be a whole number; got None",
    ),
    (
        "ranker.yaml",
        ranker("batch_size: 2", "batch_size: " + "9" * 6000),
        ":5: not YAML (a number of 6000 digits; expected at most 300)",
    ),
    ("ranker.yaml", ranker("max_length: 8", "max_length: 1:30"), ":3: not YAML ('1:30' " + TWO),
    ("ranker.yaml", ranker("max_length: 8", "max_length: 1:30.5"), ":3: not YAML ('1:30.5' " + TWO),
    (
        "ranker.yaml",
        ranker("max_length: 8", "max_length: 2026-01-02"),
        ":3: max_length must be a whole number; got '2026-01-02'",
    ),
    (
        "ranker.yaml",
        ranker("max_length: 8", "max_length: !!python/name:os.system x"),
        ":3: not YAML (could not determine a constructor for the tag 'tag:yaml.org,2002:python/name:os.system')",
    ),
    (
        "ranker.yaml",
        ranker("max_length: 8", "max_length: !!binary aGk="),
        ":3: not YAML (could not determine a constructor for the tag 'tag:yaml.org,2002:binary')",
    ),
    (
        "ranker.yaml",
        ranker("max_length: 8", "max_length: &a [*a]"),
        ": a value contains itself or is nested too deeply; write it out",
    ),
    (
        "ranker.yaml",
        ranker("max_length: 8", "max_length: " + "[" * 3000 + "]" * 3000),
        ": a value contains itself or is nested too deeply; write it out",
    ),
    (
        "ranker.yaml",
        ranker("max_length: 8", "max_length: 8\nmax_length: 9"),
        ":4: not YAML (key 'max_length' occurs twice)",
    ),
    (
        "ranker.yaml",
        ranker("max_length: 8", "\tmax_length: 8"),
        ":3: not YAML (found character that cannot start any token)",
    ),
    ("ranker.yaml", ranker("max_length: 8", "max_length 8"), ":4: not YAML (could not find expected ':')"),
    ("ranker.yaml", RANKER.encode() + b"---\na: 1\n", ":6: not YAML (but found another document)"),
    ("ranker.yaml", b"", ": the file must be a mapping of keys to values; got None"),
    ("ranker.yaml", b"just text\n", ": the file must be a mapping of keys to values; got 'just text'"),
    ("ranker.yaml", b"- a\n- b\n", ": the file must be a mapping of keys to values; got ['a', 'b']"),
    ("ranker.yaml", b"{" * 50, ":2: not YAML (did not find expected node content)"),
    (
        "ranker.yaml",
        RANKER.encode() + b"bf16: yes\n",
        ":6: not YAML ('yes' has two readings; write true or false, or text in quotes)",
    ),
    ("ranker.yaml", RANKER.encode() + b"bf16: 1\n", ":6: bf16 must be true or false; got 1"),
    (
        "ranker.yaml",
        RANKER.encode() + b"no: 1\n",
        ":6: not YAML ('no' has two readings; write true or false, or text in quotes)",
    ),
    ("ranker.yaml", RANKER.encode() + b"1: 1\n", ":6: unknown key '1' …"),
    ("corpus.yaml", b"source: beir\nfolder: f\nsplits: {test: 007}\n", ":3: not YAML ('007' " + TWO),
    (
        "corpus.yaml",
        b"source: beir\nfolder: f\nsplits: {test: {file: a, start: .nan, end: 1}}\n",
        ":3: not YAML ('.nan' is not a finite number; write a number, or text in quotes)",
    ),
    ("llm.yaml", b"backend: echo\nmodel: [m\n", ":3: not YAML (did not find expected ',' or ']')"),
    (
        "paradigm.yaml",
        b"kind: generated\nprompt: ../../etc/passwd\n",
        ":2: prompt: invalid name '../../etc/passwd'; use …",
    ),
    ("prompt.md", b"", ": no front matter; start the file with a block --- task: … inputs: … ---"),
    ("prompt.md", b"# user\nHello\n", ": no front matter; start the file with a block --- task: … inputs: … ---"),
    (
        "prompt.md",
        b"---\ntask: passage\ninputs: [query]\n---\n# user\n{{ query }} \xff\n",
        ":6: byte 13 of the line is not UTF-8; convert the file",
    ),
    (
        "prompt.md",
        b"---\ntask: passage\ninputs: [query]\n---\n" + MARK + b"# user\n{{ query }}\n",
        ":5: the line starts with a misplaced byte order mark (U+FEFF); remove it",
    ),
    (
        "prompt.md",
        b"---\ntask: passage\ninputs: [query]\n---\n# user\n{{ query \n",
        ":6: not a template (unexpected end of template, expected 'end of print statement'.)",
    ),
    (
        "prompt.md",
        b"---\ntask: passage\ninputs: [query]\n---\n# user\n{% for %}{{ query }}\n",
        ":6: not a template (Expected an expression, got 'end of statement block')",
    ),
    (
        "prompt.md",
        b"---\ntask: passage\ninputs: [query]\n---\n# user\n{{ other }}\n",
        ": inputs are ['query'], but the text uses ['other']",
    ),
    (
        "prompt.md",
        b"---\ntask: passage\ninputs: [query\n---\n# user\n{{ query }}\n",
        ":4: not YAML (did not find expected ',' or ']')",
    ),
    (
        "prompt.md",
        b"---\ntask: passage\ninputs: query\n---\n# user\n{{ query }}\n",
        ": inputs must be a list, e.g. [query]; got 'query'",
    ),
    (
        "prompt.md",
        b"---\ntask: passages\ninputs: [query]\n---\n# user\n{{ query }}\n",
        ": task: unknown value 'passages'; did you mean 'passage'?",
    ),
    (
        "prompt.md",
        b"---\ntask: passage\ntask: graded\ninputs: [query]\n---\n# user\n{{ query }}\n",
        ":3: not YAML (key 'task' occurs twice)",
    ),
    (
        "prompt.md",
        b"---\ntask: passage\ninputs: [query]\nstructured: yes\n---\n# user\n{{ query }}\n",
        ":4: not YAML ('yes' has two readings; write true or false, or text in quotes)",
    ),
    (
        "prompt.md",
        b"---\ntask: passage\ninputs: [query]\n---\n{{ query }}\n",
        ": text outside a turn; start each turn with a line '# system' or '# user'",
    ),
    (
        "prompt.md",
        b"---\ntask: passage\ninputs: [query]\n---\n# user\n{{ query }}\0\n",
        ":6: character 12 of the line is NUL; expected a text file",
    ),
    ("run.trec", b"q Q0 p 1 1.0\n", ":1: 5 columns; a run line has six: qid Q0 docno rank score tag"),
    ("run.trec", b"q\tQ0\tp\t1\t1.0\tt\textra\n", ":1: 7 columns; a run line has six: qid Q0 docno rank score tag"),
    (
        "run.trec",
        b"q Q0 p 1 1.0 t\n\nq Q0 r 2 0.5 t\n",
        ":2: 0 columns; a run line has six: qid Q0 docno rank score tag",
    ),
    ("run.trec", b"q Q0 p 1 1,5 t\n", ":1: score '1,5' is not a number"),
    ("run.trec", b"q Q0 p 1 0x1p3 t\n", ":1: score '0x1p3' is not a number"),
    ("run.trec", b"q Q0 p 1 NaN t\n", ":1: score 'NaN' is not a finite number of 32 bits"),
    ("run.trec", b"q Q0 p 1 Infinity t\n", ":1: score 'Infinity' is not a finite number of 32 bits"),
    ("run.trec", b"q Q0 p 1 1e39 t\n", ":1: score '1e39' is not a finite number of 32 bits"),
    ("run.trec", b"q Q0 p 1 1_0 t\n", ":1: score '1_0' is not a number in the digits 0 to 9"),
    ("run.trec", "q Q0 p 1 \u0661 t\n".encode(), ":1: score '\u0661' is not a number in the digits 0 to 9"),
    (
        "run.trec",
        b"q Q0 p 1 " + b"9" * 6000 + b" t\n",
        ":1: score '999999999999999999999999999999999999999999999999999999999999' is not a finite number of 32 bits",
    ),
    ("run.trec", b"q Q0 p 1 1 t\nq Q0 p 2 0 t\n", ":2: passage p is listed twice for query q"),
    ("run.trec", b"q Q0 p\xff 1 1 t\n", ":1: byte 7 of the line is not UTF-8; convert the file"),
    ("run.trec", b"q Q0 p\0r 1 1 t\n", ":1: character 7 of the line is NUL; expected a text file"),
    (
        "run.trec",
        b"q Q0 p 1 1 t\n" + MARK + b"r Q0 p 1 1 t\n",
        ":2: the line starts with a misplaced byte order mark (U+FEFF); remove it",
    ),
    (
        "run.trec",
        MARK + MARK + b"q Q0 p 1 1 t\n",
        ":1: the line starts with a misplaced byte order mark (U+FEFF); remove it",
    ),
    ("run.trec", "q Q0 p 1 1 t\n".encode("utf-16"), ":1: byte 1 of the line is not UTF-8; convert the file"),
    ("run.trec", b"q Q0 p 1 1 t\rr Q0 p 1 1 t\r", ":1: 12 columns; a run line has six: qid Q0 docno rank score tag"),
    ("qrels.txt", b"q 0 p\n", ":1: 3 columns; a qrels line has four: qid 0 docno grade"),
    ("qrels.txt", b"q 0 p 1 1\n", ":1: 5 columns; a qrels line has four: qid 0 docno grade"),
    ("qrels.txt", b"q 0 p 1.0\n", ":1: grade '1.0' is not a whole number"),
    ("qrels.txt", b"q 0 p nan\n", ":1: grade 'nan' is not a whole number"),
    ("qrels.txt", b"q 0 p +1\n", ":1: grade '+1' is not a whole number"),
    ("qrels.txt", b"q 0 p 1_0\n", ":1: grade '1_0' is not a whole number"),
    (
        "qrels.txt",
        b"q 0 p " + b"9" * 20 + b"\n",
        ":1: grade '99999999999999999999' is out of range; expected -10 to 100",
    ),
    ("qrels.txt", b"q 0 p 3000000000\n", ":1: grade '3000000000' is out of range; expected -10 to 100"),
    ("qrels.txt", b"q 0 p -3000000000\n", ":1: grade '-3000000000' is out of range; expected -10 to 100"),
    ("qrels.txt", b"q 0 p 1\nq 0 p\0 1\n", ":2: character 6 of the line is NUL; expected a text file"),
    (
        "qrels.txt",
        b"q 0 p 1\n" + MARK + b"r 0 p 1\n",
        ":2: the line starts with a misplaced byte order mark (U+FEFF); remove it",
    ),
    ("corpus.jsonl", b'{"_id": "p", "text": "\\ud83d"}\n', ":1: text " + HALF),
    ("corpus.jsonl", b'{"_id": "p", "text": "t", "title": "a\\udfff"}\n', ":1: title " + HALF),
    ("corpus.jsonl", b'{"_id": "\\ud83d", "text": "t"}\n', ":1: _id " + HALF),
    ("corpus.jsonl", b'{"_id": "p", "text": "t", "metadata": {"a": ["x", "\\ud83d"]}}\n', ":1: metadata.a.1 " + HALF),
    ("corpus.jsonl", b'{"_id": "p", "text": "t", "\\ud83d": 1}\n', ":1: key '\\ud83d' " + HALF),
    ("corpus.jsonl", b'{"_id": "p"}\n', ":1: has no text"),
    ("corpus.jsonl", b'{"_id": 7, "text": "t"}\n', ":1: _id is 7; expected a text"),
    ("corpus.jsonl", b'{"_id": "p", "text": null}\n', ":1: text is None; expected a text"),
    ("corpus.jsonl", b'{"_id": "p", "text": ["t"]}\n', ":1: text is ['t']; expected a text"),
    ("corpus.jsonl", b'{"_id": "p", "text": "t", "title": null}\n', ":1: title is None; expected a text"),
    ("corpus.jsonl", b'{"_id": "p", "text": "t", "text": "u"}\n', ":1: not JSON (key 'text' occurs twice)" + JSON),
    (
        "corpus.jsonl",
        b'{"_id": "p", "text": "t", "metadata": NaN}\n',
        ":1: not JSON (NaN is not a number of JSON)" + JSON,
    ),
    (
        "corpus.jsonl",
        b'{"_id": "p", "text": "t", "metadata": -Infinity}\n',
        ":1: not JSON (-Infinity is not a number of JSON)" + JSON,
    ),
    (
        "corpus.jsonl",
        b'{"_id": "p", "text": "t", "metadata": ' + b"1" * 6000 + b"}\n",
        ":1: not JSON (a number of too many digits)" + JSON,
    ),
    (
        "corpus.jsonl",
        b'{"_id": "p", "text": "t", "metadata": ' + b"[" * 9000 + b"]" * 9000 + b"}\n",
        ":1: not JSON (nested too deeply)" + JSON,
    ),
    ("corpus.jsonl", b'{"_id": "p", "text": ' + b'{"a":' * 9000 + b"\n", ":1: not JSON (nested too deeply)" + JSON),
    ("corpus.jsonl", b'{"_id": "p", "text": "t"\n', ":1: not JSON (Expecting ',' delimiter)" + JSON),
    (
        "corpus.jsonl",
        b"{'_id': 'p', 'text': 't'}\n",
        ":1: not JSON (Expecting property name enclosed in double quotes)" + JSON,
    ),
    ("corpus.jsonl", b'{"_id": "p", "text": "a\tb"}\n', ":1: not JSON (Invalid control character at)" + JSON),
    ("corpus.jsonl", b'{"_id": "p", "text": "t"} {"_id": "r", "text": "t"}\n', ":1: not JSON (Extra data)" + JSON),
    ("corpus.jsonl", b'[{"_id": "p", "text": "t"}]\n', ":1: a JSON list; expected an object"),
    (
        "corpus.jsonl",
        b'{"_id": "p", "text": "t"}\n' + MARK + b'{"_id": "r", "text": "t"}\n',
        ":2: the line starts with a misplaced byte order mark (U+FEFF); remove it",
    ),
    ("corpus.jsonl", b'{"_id": "p", "text": "\xff"}\n', ":1: byte 23 of the line is not UTF-8; convert the file"),
    ("corpus.jsonl", b'{"_id": "p", "text": "t\0"}\n', ":1: character 24 of the line is NUL; expected a text file"),
    ("corpus.jsonl", b"\x1f\x8b\x08\x00", ":1: byte 2 of the line is not UTF-8; convert the file"),
    ("queries.jsonl", b'{"_id": "q"}\n', ":1: has no text"),
    ("queries.jsonl", b'{"_id": "q", "text": "\\ud83d"}\n', ":1: text " + HALF),
    ("queries.jsonl", b'"q"\n', ":1: a JSON str; expected an object"),
    ("qrels/test.tsv", b"q\tp\t1\n", ":1: a judgment; expected the header line query-id corpus-id score"),
    (
        "qrels/test.tsv",
        b"query-id\tcorpus-id\tscore\nq p 1\n",
        ":2: 1 columns; expected three separated by tabs: query-id corpus-id score",
    ),
    (
        "qrels/test.tsv",
        b"query-id\tcorpus-id\tscore\nq\tp\n",
        ":2: 2 columns; expected three separated by tabs: query-id corpus-id score",
    ),
    ("qrels/test.tsv", b"query-id\tcorpus-id\tscore\nq\tp\t1.0\n", ":2: score '1.0' is not a whole number"),
    (
        "qrels/test.tsv",
        b"query-id\tcorpus-id\tscore\nq\tp\t101\n",
        ":2: score '101' is out of range; expected -10 to 100",
    ),
    ("qrels/test.tsv", b"query-id\tcorpus-id\tscore\nq\tp\t\n", ":2: score '' is not a whole number"),
    (
        "qrels/test.tsv",
        b"query-id,corpus-id,score\nq,p,1\n",
        ":1: 1 columns; expected three separated by tabs: query-id corpus-id score",
    ),
    ("qrels/test.txt", b"q\tp\t1\n", ":1: 3 columns; a qrels line has four: qid 0 docno grade"),
    ("qrels/test.txt", b"q 0 p 1_0\n", ":1: grade '1_0' is not a whole number"),
    (
        "passages.jsonl",
        b'{"id": "p", "text": "t", "titel": "x"}\n',
        ":1: not a Passage (unknown key 'titel', keys are id, text, title)",
    ),
    (
        "passages.jsonl",
        b'{"id": "p"}\n',
        ":1: not a Passage (Passage.__init__() missing 1 required positional argument: 'text')",
    ),
    ("passages.jsonl", b'{"id": "p", "text": "\\uDC00"}\n', ":1: text " + HALF),
    (
        "groups.jsonl",
        b'{"query_id": "q", "query": "t", "candidates": [{"id": "p", "text": "t", "label": 1e999}]}\n',
        ":1: not a Group (expected a finite number)",
    ),
    (
        "groups.jsonl",
        b'{"query_id": "q", "query": "t", "candidates": [{"id": "p", "text": "\\ud800", "label": 1}]}\n',
        ":1: candidates.0.text " + HALF,
    ),
    (
        "scored.jsonl",
        b'{"query_id": "q", "ids": ["p"], "scores": [NaN]}\n',
        ":1: not JSON (NaN is not a number of JSON)" + JSON,
    ),
    (
        "scored.jsonl",
        b'{"query_id": "q", "ids": ["p"], "scores": ["1"]}\n',
        ":1: not a ScoredList (expected float, got '1')",
    ),
    (
        "teacher.trec",
        MARK + MARK + b"q Q0 p 1 1 t\n",
        ":1: the line starts with a misplaced byte order mark (U+FEFF); remove it",
    ),
    ("teacher.trec", b"", ": no query found; expected a file in the format trec"),
    ("teacher.ids", b'{"qid": "q", "final": []}\n', ":1: final is empty; expected a list of passages, best first"),
    (
        "teacher.ids",
        b'{"qid": "q", "final": ["p", "p"]}\n',
        ":1: query q: passage p occurs twice; expected distinct passages",
    ),
    (
        "teacher.ids",
        b'{"qid": "q", "final": "p"}\n',
        ":1: final is a JSON str; expected a list of passages, best first",
    ),
    ("teacher.ids", b'{"qid": "q q", "final": ["p"]}\n', ":1: qid is 'q q'; …"),
    ("teacher.ids", b'{"qid": "q", "final": ["a\\u0000b"]}\n', ":1: final[0] is 'a\\x00b'; …"),
    ("teacher.ids", b'{"qid": true, "final": ["p"]}\n', ":1: qid is True; …"),
    ("teacher.ids", b'{"qid": "q", "final": ["\\ud83d"]}\n', ":1: final.0 " + HALF),
    ("teacher.ids", b"PAR1 and nothing else", ": after row 0: …"),
    (
        "teacher.records",
        b'{"query": "t", "retrieved_passages": [{"text": "x"}]}\n',
        ":1: retrieved_passages[0]: has no docid, keys are text",
    ),
    ("teacher.records", b'{"query": 1, "retrieved_passages": []}\n', ":1: query is 1; expected a text"),
    (
        "scores.csv",
        b"",
        ":1: not a file of scores; expected the columns ranker, recipe, llm, seed, testset, measure, query_id, value",
    ),
    (
        "scores.csv",
        b"a,b\n",
        ":1: not a file of scores; expected the columns ranker, recipe, llm, seed, testset, measure, query_id, value",
    ),
    ("scores.csv", SCORES + b"r,x,n,1,t,m,q\n", ":2: 7 columns; a score has 8"),
    ("scores.csv", SCORES + b"r,x,n,1,t,m,q,high\n", ":2: value 'high' is not a number"),
    ("scores.csv", SCORES + b"r,x,n,1,t,m,q,nan\n", ":2: value 'nan' is not a finite number"),
    ("scores.csv", SCORES + b'r,x,n,1,t,m,"q,1\n', ":2: not CSV (unexpected end of data)"),
    ("page.rst", b"Title\n=====\n\xe9\n", ":3: byte 1 of the line is not UTF-8; convert the file"),
    ("page.rst", b"Title\n=====\n\0\n", ":3: character 1 of the line is NUL; expected a text file"),
    ("docs.archive", b"", ": cannot be unpacked (File is not a zip file); expected a whole tar or zip archive"),
    (
        "docs.archive",
        b"no archive",
        ": cannot be unpacked (File is not a zip file); expected a whole tar or zip archive",
    ),
    ("docs.archive", packed("../x"), ": member '../x' leads out of the folder; do not use this archive"),
    ("docs.archive", packed("/x"), ": member '/x' leads out of the folder; do not use this archive"),
    ("docs.archive", packed("a\\..\\x"), ": member 'a\\\\..\\\\x' leads out of the folder; do not use this archive"),
    (
        "docs.archive",
        packed("x", kind=tarfile.SYMTYPE),
        ": no member matches '*'; the archive contains, for example, nothing",
    ),
    ("docs.archive", packed("x", "x/y"), ": cannot be unpacked (File exists); expected a whole tar or zip archive"),
    (
        "docs.archive",
        packed("n" * 300),
        ": cannot be unpacked (File name too long); expected a whole tar or zip archive",
    ),
    (
        "docs.archive",
        packed("x")[:600],
        ": cannot be unpacked (unexpected end of data); expected a whole tar or zip archive",
    ),
    ("docs.archive", zipped("../x"), ": member '../x' leads out of the folder; do not use this archive"),
    ("docs.archive", zipped("C:\\x"), ": member 'C:\\\\x' leads out of the folder; do not use this archive"),
    (
        "docs.archive",
        zipped("x")[:-30],
        ": cannot be unpacked (File is not a zip file); expected a whole tar or zip archive",
    ),
    (
        "docs.archive",
        zipped("x").replace(b"\x08\x00", b"\x63\x00"),
        ": cannot be unpacked (That compression method is not supported); expected a whole tar or zip archive",
    ),
]


def test_at_least_one_hundred_inputs_are_listed():
    assert len({(name, content) for name, content, _ in INPUTS}) == len(INPUTS) >= 100
    assert {name for name, *_ in INPUTS} == READERS.keys()


@pytest.mark.parametrize(("name", "content", "right"), INPUTS)
def test_a_malformed_file_is_refused_in_one_line(tmp_path, name, content, right):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(SynthrankError) as error:
        READERS[name](path)
    message = str(error.value)
    if right.endswith(" …"):
        assert message.startswith(f"{path}{right[:-1]}")
    else:
        assert message == f"{path}{right}"
    assert "\n" not in message
    assert len(message) < 500 + len(str(path))
