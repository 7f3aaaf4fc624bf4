"""Properties of readers and writers: a round trip is exact, and any other file is read or refused with file and line.

The fast tests take a few examples of each, the tests marked ``torture`` many.
"""

import io
import re
import tarfile
import zipfile
from pathlib import Path

from hypothesis import strategies as st

from synthrank.config.base import read_yaml
from synthrank.data.external_rankings import read_orders
from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Candidate, Group, Judgment, Order, Passage
from synthrank.data.scores import Score, read_scores, write_scores
from synthrank.data.sources.archives import extract
from synthrank.data.trec import GRADES, rank, read_judgments, read_run, write_qrels, write_run
from synthrank.errors import SynthrankError
from synthrank.llms.prompts import read_prompt

# The text of a file may have every character but surrogates, which UTF-8 cannot write.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
IDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=8).filter(
    lambda name: not name.startswith("\ufeff")
)
FLOATS = st.floats(-(2.0**100), 2.0**100, width=32)
RUNS = st.dictionaries(IDS, st.dictionaries(IDS, FLOATS, min_size=1, max_size=6).map(lambda found: rank(found.items())))
JUDGMENTS = st.lists(st.builds(Judgment, IDS, IDS, st.sampled_from(GRADES)))
GROUPS = st.lists(
    st.builds(
        Group,
        TEXT,
        TEXT,
        st.lists(
            st.builds(Candidate, TEXT, TEXT, st.floats(allow_nan=False, allow_infinity=False), TEXT, st.none())
        ).map(tuple),
        st.lists(TEXT).map(tuple),
    )
)
CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
SCORES = st.lists(
    st.builds(
        Score, CELL, CELL, CELL, CELL, CELL, CELL, CELL, st.none() | st.floats(allow_nan=False, allow_infinity=False)
    )
)


def check_run(path, run):
    write_run(path, run, "tag")
    assert read_run(path) == run
    assert list(read_orders(path, "trec")) == [Order(name, "", tuple(dict(ranked))) for name, ranked in run.items()]


def check_qrels(path, judgments):
    write_qrels(path, judgments)
    assert list(read_judgments(path)) == judgments


def check_jsonl(path, groups):
    assert write_jsonl(path, groups) == len(groups)
    assert list(read_jsonl(path, Group)) == groups


def check_scores(path, scores):
    write_scores(path, scores)
    assert read_scores(path) == scores


ROUND_TRIPS = [
    (RUNS.filter(bool), check_run),
    (JUDGMENTS, check_qrels),
    (GROUPS, check_jsonl),
    (SCORES, check_scores),
]

READERS = {
    "run": (b"q Q0 p 1 2.5 tag\nq Q0 r 2 1.0 tag\n", read_run),
    "qrels": (b"q 0 p 1\nq 0 r 0\n", lambda path: list(read_judgments(path))),
    "jsonl": (b'{"id": "p", "text": "t"}\n{"id": "r", "text": ""}\n', lambda path: list(read_jsonl(path, Passage))),
    "ids": (b'{"qid": "q", "final": ["p", 1]}\n', lambda path: list(read_orders(path, "ids"))),
    "records": (
        b'{"query": "q", "retrieved_passages": [{"docid": "p", "text": "t"}]}\n',
        lambda path: list(read_orders(path, "records")),
    ),
    "scores": (b"ranker,recipe,llm,seed,testset,measure,query_id,value\na,b,c,1,d,e,f,0.5\n", read_scores),
    "yaml": (b"a: [1, 2e-5, true]\nb: {c: x, d: ~}\n", read_yaml),
    "prompt": (b"---\ntask: passage\ninputs: [query]\n---\n# user\nText for {{ query }}\n", read_prompt),
}
"""Per kind of file, a right file and its reader."""


def archive(kind):
    """Return an archive with one file."""
    stream = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("a/b.txt", "text" * 50)
    else:
        with tarfile.open(fileobj=stream, mode=f"w:{kind}") as tar:
            member = tarfile.TarInfo("a/b.txt")
            member.size = 200
            tar.addfile(member, io.BytesIO(b"text" * 50))
    return stream.getvalue()


RIGHT = [
    *READERS.values(),
    *((archive(kind), lambda path: extract(path, path.parent / "unpacked")) for kind in ("gz", "xz", "bz2", "zip")),
]
"""All right files with their readers."""

PIECES = [
    *(b"\xef\xbb\xbf", b"\0", b"\xff", b"\r", b"\n", b"\t", b" ", b'"', b"\\ud83d", b"\\u0000", b"nan", b"1e999", b"-"),
    *(b"9" * 5000, b"[" * 2000, b'{"a":' * 2000, b"1_0", "\u0661".encode(), b"yes", b"010", b"1:30", b"&a [*a]", b"{%"),
]
"""Bytes that readers of other projects fail on."""

EDITS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3), st.sampled_from(PIECES) | st.binary(max_size=3)))


def edited(content, edits):
    """Return a file with some bytes replaced: each edit has a place, the number of bytes to remove, and new bytes."""
    for place, count, piece in edits:
        place %= len(content) + 1
        content = content[:place] + piece + content[place + count :]
    return content


def check_reader(read, path: Path, content: bytes):
    """Check that a file is read, or refused with a typed error of one line per problem that names the file."""
    path.write_bytes(content)
    try:
        read(path)
    except SynthrankError as error:
        for line in str(error).split("\n"):
            assert line.startswith(str(path)), line
            assert len(line) < 1000 + 2 * len(str(path))
            assert re.match(r"(:\d+)?: \S", line.removeprefix(str(path))), line
