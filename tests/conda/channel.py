"""A conda channel of two packages, made from the running interpreter: Python, and its bundled pip."""

import asyncio
import hashlib
import io
import json
import platform
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

NAME = "conda-forge"
SUBDIR = "linux-64"
LEFT_OUT = {"site-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "__pycache__"}
"""Parts of the standard library that no step needs; test suites are half of the library."""


def build_channel(folder: Path) -> Path:
    """Build the channel below ``folder``, which the stand-in for conda searches, and return its folder.

    The interpreter is packed unchanged: a Python with a shared library finds it in its installed location.
    """
    from rattler.index import index_fs

    channel = folder / NAME
    for subdir in (SUBDIR, "noarch"):
        (channel / subdir).mkdir(parents=True)
    _write_package(channel, "python", platform.python_version(), dict(_interpreter(Path(sys.base_prefix))))
    wheel = next((_library(Path(sys.base_prefix)) / "ensurepip" / "_bundled").glob("pip-*.whl"))
    _write_package(
        channel,
        "pip",
        wheel.name.split("-")[1],
        dict(_unpacked(wheel)),
        {"noarch": {"type": "python", "entry_points": ["pip = pip._internal.cli.main:main"]}},
    )
    asyncio.run(index_fs(channel, force=True))
    return channel


def _library(prefix: Path) -> Path:
    return prefix / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"


def _interpreter(prefix: Path) -> Iterator[tuple[str, Path | bytes | str]]:
    """Yield each file of an interpreter: its path, and its location, its content, or the target of a link."""
    library = _library(prefix)
    for top in (library, prefix / "include" / library.name):  # headers, to compile packages
        for path in sorted(top.rglob("*")):
            inside = path.relative_to(prefix)
            if path.is_file() and not LEFT_OUT.intersection(inside.parts):
                yield inside.as_posix(), path
    for path in sorted((prefix / "lib").glob("libpython*.so*")):
        yield f"lib/{path.name}", path.read_bytes()
    yield f"bin/{library.name}", prefix / "bin" / library.name
    yield from ((f"bin/{alias}", library.name) for alias in ("python", "python3"))
    yield f"lib/{library.name}/site-packages/README.txt", b"packages of this environment\n"


def _unpacked(wheel: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not name.endswith("/"):
                yield f"site-packages/{name}", archive.read(name)


def _write_package(
    channel: Path, name: str, version: str, files: dict[str, Path | bytes | str], link: dict[str, object] | None = None
) -> None:
    """Write a package in conda's first format, a plain tar archive; with ``link`` it is a package for Python only."""
    subdir = "noarch" if link else SUBDIR
    index = {
        "name": name,
        "version": version,
        "build": "0",
        "build_number": 0,
        "depends": ["python"] if link else [],
        "subdir": subdir,
        **({"noarch": "python"} if link else {"arch": "x86_64", "platform": "linux"}),
    }
    described = {
        "index.json": index,
        "paths.json": {"paths": [_described(path, what) for path, what in files.items()], "paths_version": 1},
        "about.json": {},
    }
    if link:
        described["link.json"] = {**link, "package_metadata_version": 1}
    notes = {f"info/{file}": json.dumps(content).encode() for file, content in described.items()}
    notes["info/files"] = "".join(f"{path}\n" for path in files).encode()
    with tarfile.open(channel / subdir / f"{name}-{version}-0.tar.bz2", "w:bz2", compresslevel=1) as archive:
        for path, what in {**notes, **files}.items():
            _add(archive, path, what)


def _described(path: str, what: Path | bytes | str) -> dict[str, object]:
    """Return a file's line in the package's list; a link has the digest of empty content."""
    content = b"" if isinstance(what, str) else what.read_bytes() if isinstance(what, Path) else what
    return {
        "_path": path,
        "path_type": "softlink" if isinstance(what, str) else "hardlink",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_in_bytes": len(content),
    }


def _add(archive: tarfile.TarFile, path: str, what: Path | bytes | str) -> None:
    if isinstance(what, Path):
        archive.add(what.resolve(), arcname=path)
        return
    entry = tarfile.TarInfo(path)
    if isinstance(what, str):
        entry.type, entry.linkname = tarfile.SYMTYPE, what
        archive.addfile(entry)
    else:
        entry.mode, entry.size = 0o644, len(what)
        archive.addfile(entry, io.BytesIO(what))
