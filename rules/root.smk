"""ROOT, the project's folder with rules, scripts, src and envs."""

import os
import shutil
import tarfile
import tempfile
from pathlib import Path


def root_of(rules):
    """Return the folder that contains rules, scripts, src and envs.

    The folder is a clone. If another workflow includes this one with github(...) or gitlab(...), Snakemake provides only
    the rules, so the commit is unpacked into a folder.
    """
    if isinstance(rules, os.PathLike):
        return Path(rules, "..").resolve()
    if not hasattr(rules, "hosted_repo"):
        raise WorkflowError("synthrank's rules need its other files: use the Snakefile of a clone, or github(...)")
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


# If another workflow includes this one as a module, workflow.basedir is the folder of the other workflow.
ROOT = root_of(workflow.current_basedir)


def beside_rules(path):
    """Return the path of one of the project's files, relative to the working directory."""
    return os.path.relpath(ROOT / path)
