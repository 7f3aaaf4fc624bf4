"""Distribution archives of the package index: found, checked and unpacked; none of their code is run.

The index is the one that pip is set up for: its configuration files and ``PIP_*`` variables are read through pip, so
a mirror, a folder of files or a proxy that works for ``pip install`` works here.
"""

import ast
import os
import re
import shutil
import ssl
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath, PureWindowsPath
from stat import S_ISLNK
from tempfile import TemporaryDirectory
from typing import IO, cast

import httpx2
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from unearth import Link, PackageFinder
from unearth.auth import MultiDomainBasicAuth
from unearth.errors import HashMismatchError, UnpackError
from unearth.fetchers import Fetcher, PyPIClient
from unearth.preparer import download_link

from synthrank.errors import ChecksumError, DataError, FetchError
from synthrank.files import atomic_path

_SECTIONS = ("global", "download", ":env:")
"""Sections of pip's configuration in the order in which a later one wins, as for ``pip download``."""


def fetch_archive(package: str, version: str, sha256: str, folder: Path) -> Path:
    """Put the distribution file of a package that has ``sha256`` into a folder, under its own name.

    A version has several files: only those whose stated SHA-256 is the wanted one, or that have none stated, are
    downloaded.

    Returns:
        The file's path.

    Raises:
        FetchError: no file of that version can be had.
        ChecksumError: the version has files, and none of them has the SHA-256.
    """
    options = pip_options()
    others: list[str] = []
    problems: list[str] = []
    with _client(options) as session:
        client = cast(Fetcher, session)  # it is one by unearth's own use; its methods only take more
        for link in _links(client, options, f"{package}=={version}", problems):
            stated = (link.hash_option or {}).get("sha256", [sha256])
            if sha256 not in stated:
                others.append(f"{link.filename} has {stated[0]}")
                continue
            try:
                return _download(client, link, sha256, folder)
            except HashMismatchError as error:
                others.append(f"{link.filename} has {error.actual['sha256']}")
            except (httpx2.HTTPError, UnpackError, OSError) as error:
                problems.append(_short(error))
    reason = f" ({problems[0]})" if problems else ""
    if others and not problems:
        raise ChecksumError(
            f"{package}=={version}: none of its {len(others)} files has the sha256 {sha256} that is pinned: {others[0]}"
            f"{', and so on' if others[1:] else ''}; check the version, or pin the sha256 of the file that is meant"
        )
    raise FetchError(
        f"{package}=={version}: no such file could be had from the package index that pip is set up for{reason}; check "
        f"the version and the network, or name a folder that holds the file in PIP_FIND_LINKS"
    )


def pip_options() -> dict[str, str]:
    """Return pip's options by their long names without dashes in front, as its configuration and environment say."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.partition(".")
        if section in found and value[:1] in "'\"":
            found[section][name] = str(ast.literal_eval(value))
    # an environment without pip still has its variables
    for variable, value in os.environ.items():
        if variable.startswith("PIP_") and value:
            found[":env:"][variable.removeprefix("PIP_").lower().replace("_", "-")] = value
    return {name: value for section in _SECTIONS for name, value in found[section].items()}


def _client(options: Mapping[str, str]) -> PyPIClient:
    certificates = options.get("cert")
    client = PyPIClient(
        trusted_hosts=options.get("trusted-host", "").split(),
        verify=ssl.create_default_context(cafile=certificates) if certificates else True,
        timeout=float(options.get("timeout") or options.get("default-timeout") or 60),
        follow_redirects=True,
        proxy=options.get("proxy"),
    )
    client.auth = MultiDomainBasicAuth(prompting=False, index_urls=_index_urls(options))
    return client


def _index_urls(options: Mapping[str, str]) -> list[str]:
    if options.get("no-index", "").lower() in ("1", "true", "yes", "on", "y", "t"):
        return []
    # where pip is told no index, unearth knows pip's own default
    first = options.get("index-url") or PackageFinder().sources[0]["url"]
    return [first, *options.get("extra-index-url", "").split()]


def _links(client: Fetcher, options: Mapping[str, str], requirement: str, problems: list[str]) -> Iterator[Link]:
    """Yield the files of one exact version, folders of files first, one place after the other as they are needed."""
    folders = [place for place in options.get("find-links", "").split() if "://" in place or Path(place).exists()]
    places: list[tuple[list[str], list[str]]] = [([place], []) for place in folders]
    places += [([], [url]) for url in _index_urls(options)]
    for find_links, index_urls in places:
        finder = PackageFinder(client, index_urls=index_urls, find_links=find_links, ignore_compatibility=True)
        try:
            matches = list(finder.find_matches(requirement, allow_yanked=True, allow_prereleases=True))
        except (httpx2.HTTPError, OSError) as error:
            problems.append(_short(error))
            continue
        yield from (match.link for match in matches if match.link is not None and not match.link.is_vcs)


def _download(client: Fetcher, link: Link, sha256: str, folder: Path) -> Path:
    """Download a file, which takes its name only when it is whole and right."""
    target = folder / link.filename
    with atomic_path(target) as temporary, TemporaryDirectory(dir=temporary.parent) as scratch:
        lost = retry_if_exception_type(httpx2.TransportError)
        retrying = Retrying(retry=lost, stop=stop_after_attempt(3), reraise=True)
        file = retrying(download_link, client, link, Path(scratch), hashes={"sha256": [sha256]})
        shutil.copyfile(file, temporary)
    return target


def _short(error: Exception) -> str:
    """Return an error on one line, without addresses: those may hold a password."""
    return re.sub(r"\S+://\S+", "[address]", " ".join(f"{type(error).__name__}: {error}".split()))[:200]


def extract(archive: Path, folder: Path, members: Sequence[str] = ("*",)) -> None:
    """Unpack the plain files of a tar or zip archive (a wheel is one) that match a glob, all or none of them.

    Links and devices are left out, whatever they point to: documentation and model files are plain.

    Args:
        archive: the archive; its form is told from its content.
        folder: the folder to make; one that is there is replaced.
        members: globs of paths from the archive's root; ``*`` matches ``/`` as well.

    Raises:
        DataError: the archive cannot be read, a member's name leads out of the folder, or a glob matches nothing.
    """
    try:
        with atomic_path(folder) as temporary:
            temporary.mkdir()
            if tarfile.is_tarfile(archive):
                _extract_tar(archive, temporary, members)
            else:
                _extract_zip(archive, temporary, members)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, OSError) as error:
        raise DataError(f"{archive}: cannot be unpacked ({error}); expected a whole tar or zip archive") from error


def _extract_tar(archive: Path, folder: Path, members: Sequence[str]) -> None:
    with tarfile.open(archive) as tar:
        plain = {member.name: member for member in tar.getmembers() if member.isfile()}
        _check_names(archive, tar.getnames())
        for name in _selected(archive, plain, members):
            # TarFile.extract would take owners and modes from the archive, but for a filter that Python 3.11.4 brought.
            _write(folder / name, tar.extractfile(plain[name]))


def _extract_zip(archive: Path, folder: Path, members: Sequence[str]) -> None:
    with zipfile.ZipFile(archive) as file:
        _check_names(archive, file.namelist())
        plain = {
            member.filename: member
            for member in file.infolist()
            if not member.is_dir() and not S_ISLNK(member.external_attr >> 16)
        }
        for name in _selected(archive, plain, members):
            _write(folder / name, file.open(plain[name]))


def _write(target: Path, source: IO[bytes] | None) -> None:
    assert source is not None, "a plain file has content"
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("wb") as stream:
        shutil.copyfileobj(source, stream)


def _check_names(archive: Path, names: Iterable[str]) -> None:
    for name in names:
        # a drive or a backslash would be a path of its own on Windows
        if PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor or ".." in re.split(r"[/\\]", name):
            raise DataError(f"{archive}: member {name!r} leads out of the folder; the archive must not be used")


def _selected(archive: Path, names: Iterable[str], members: Sequence[str]) -> list[str]:
    """Return the names that match a glob, and refuse a glob that matches none."""
    names = list(names)
    for glob in members:
        if not any(fnmatchcase(name, glob) for name in names):
            some = ", ".join(names[:3]) or "nothing"
            raise DataError(f"{archive}: no member matches {glob!r}; the archive holds, for example, {some}")
    return [name for name in names if any(fnmatchcase(name, glob) for glob in members)]
