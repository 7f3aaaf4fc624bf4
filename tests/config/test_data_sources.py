"""Every shipped corpus states the source and the licence of its texts."""

from pathlib import Path

import yaml

CORPORA = sorted((Path(__file__).resolve().parents[2] / "config/corpora").glob("*.yaml"))


def test_every_corpus_file_has_a_url_and_a_licence() -> None:
    assert len(CORPORA) > 30
    stated = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in CORPORA}
    assert [name for name, corpus in stated.items() if not {"url", "licence"} <= set(corpus)] == []
