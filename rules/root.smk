"""Where the project lies: ROOT, the folder of rules, scripts, src and envs."""

import os
import shutil
import tarfile
import tempfile
from pathlib import Path


def root_of(rules):
    """Return the folder that rules, scripts, src and envs lie in.

    It is a clone, or, where another workflow names a repository by github(...) or gitlab(...), a folder that the commit
    is unpacked into: of such a one Snakemake itself brings the rules alone.
    """
    if isinstance(rules, os.PathLike):
        return Path(rules, "..").resolve()
    if not hasattr(rules, "hosted_repo"):
        raise WorkflowError("synthrank's steps lie beside its rules: name the Snakefile of a clone, or github(...)")
    repository = rules.hosted_repo.repo
    commit = repository.commit(rules.ref)
    folder = Path(".snakemake/synthrank", commit.hexsha).resolve()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = tempfile.mkdtemp(dir=folder.parent)
        with tempfile.TemporaryFile(dir=part) as stream:
            repository.archive(stream, commit)
            stream.seek(0)
            with tarfile.open(fileobj=stream) as archive:
                archive.extractall(part, filter="data")
        try:
            os.rename(part, folder)
        except OSError:  # another process was first
            shutil.rmtree(part)
    return Path(folder, rules.path, "..").resolve()


# Where another workflow takes this one as a module, workflow.basedir is the other's folder.
ROOT = root_of(workflow.current_basedir)


def beside_rules(path):
    """Return the path of a file of ours, seen from the folder that the workflow runs in."""
    return os.path.relpath(ROOT / path)
