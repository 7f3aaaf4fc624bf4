"""Download of archives by SHA-256 with pip's configuration, and unpacking within a folder."""

import hashlib
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import httpx2
import pytest

from synthrank.data.sources import archives
from synthrank.data.sources.archives import extract, fetch_archive, pip_options
from synthrank.errors import ChecksumError, DataError, FetchError

FILES = {"demo-1.0/docs/faq.rst": b"FAQ", "demo-1.0/docs/deep/page.rst": b"page", "demo-1.0/setup.py": b"raise"}


def tar_of(path: Path, members: dict[str, bytes | tarfile.TarInfo]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def zip_of(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of files, the only index in pip's settings."""
    folder = tmp_path / "links"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return folder


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_fetch_archive_selects_the_file_by_its_sha256(index: Path, tmp_path: Path) -> None:
    sdist = tar_of(index / "demo-1.0.tar.gz", FILES)
    wheel = zip_of(index / "demo-1.0-py3-none-any.whl", {"demo/model.bin": b"weights"})
    tar_of(index / "demo-2.0.tar.gz", {"demo-2.0/x": b"x"})
    assert fetch_archive("demo", "1.0", sha(sdist), tmp_path / "a") == tmp_path / "a/demo-1.0.tar.gz"
    assert fetch_archive("demo", "1.0", sha(wheel), tmp_path / "a").read_bytes() == wheel.read_bytes()
    assert tree(tmp_path / "a") == ["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"]


def test_fetch_archive_with_another_sha256_names_a_file_and_writes_nothing(index: Path, tmp_path: Path) -> None:
    sdist = tar_of(index / "demo-1.0.tar.gz", FILES)
    with pytest.raises(ChecksumError) as caught:
        fetch_archive("demo", "1.0", "0" * 64, tmp_path / "a")
    assert str(caught.value) == (
        f"demo==1.0: none of its 1 files has the pinned sha256 {'0' * 64}: demo-1.0.tar.gz has {sha(sdist)}; "
        "check the version, or pin the sha256 of the intended file"
    )
    assert tree(tmp_path / "a") == []


def test_fetch_archive_of_a_missing_version_names_the_remedy(index: Path, tmp_path: Path) -> None:
    tar_of(index / "demo-1.0.tar.gz", FILES)
    with pytest.raises(
        FetchError, match=r"^demo==3\.0: no such file .* set PIP_FIND_LINKS to a folder that contains the file$"
    ):
        fetch_archive("demo", "3.0", "0" * 64, tmp_path / "a")


def test_fetch_archive_with_an_unreachable_index_is_a_one_line_error(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(FetchError, match=r"^demo==1\.0: no such file .*\(ConnectError: .*contains the file$") as caught:
        fetch_archive("demo", "1.0", "0" * 64, tmp_path / "a")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("losses", [2, 3])
def test_fetch_archive_tries_a_lost_connection_three_times(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, losses: int
) -> None:
    sdist, tried, real = tar_of(index / "demo-1.0.tar.gz", FILES), [], archives.download_link

    def download_link(*arguments: object, **named: object) -> Path:
        tried.append(arguments)
        if len(tried) <= losses:
            raise httpx2.ReadError("connection lost")
        return real(*arguments, **named)

    monkeypatch.setattr(archives, "download_link", download_link)
    if losses < 3:
        assert fetch_archive("demo", "1.0", sha(sdist), tmp_path / "a").read_bytes() == sdist.read_bytes()
    else:
        with pytest.raises(FetchError, match=r"^demo==1\.0: no such file .*\(ReadError: connection lost\)"):
            fetch_archive("demo", "1.0", sha(sdist), tmp_path / "a")
    assert len(tried) == 3


def test_pip_options_prefers_the_environment_then_download_then_global(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "pip.conf"
    config.write_text("[global]\ntimeout = 1\ncert = a\nproxy = p\n[download]\ncert = b\ntimeout = 2\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_TIMEOUT", "3")
    monkeypatch.delenv("PIP_CERT", raising=False)
    options = pip_options()
    assert (options["timeout"], options["cert"], options["proxy"]) == ("3", "b", "p")


def test_extract_keeps_the_folders_of_selected_members(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "demo.tar.gz", FILES)
    extract(archive, tmp_path / "out", ["*/docs/*.rst"])
    assert tree(tmp_path / "out") == ["demo-1.0/docs/deep/page.rst", "demo-1.0/docs/faq.rst"]
    extract(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == sorted(FILES)
    extract(zip_of(tmp_path / "demo.whl", FILES), tmp_path / "zip", ["demo-1.0/docs/faq.rst"])
    assert (tmp_path / "zip/demo-1.0/docs/faq.rst").read_bytes() == b"FAQ"


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/tmp/evil", "a\\..\\..\\evil", "C:\\evil"])
@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_extract_refuses_a_name_that_leads_out_and_writes_nothing(make, name: str, tmp_path: Path) -> None:  # type: ignore
    archive = make(tmp_path / "bad.archive", {"good": b"1", name: b"2"})
    with pytest.raises(DataError, match=r"bad\.archive: member .* leads out of the folder; do not use this archive"):
        extract(archive, tmp_path / "x/out")
    assert tree(tmp_path) == ["bad.archive"]


def test_extract_skips_links_and_writes_nothing_through_them(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    archive = tar_of(
        tmp_path / "bad.tar.gz",
        {
            "d": link("d", str(outside), tarfile.SYMTYPE),
            "d/evil": b"1",
            "up": link("up", "../outside/evil", tarfile.SYMTYPE),
            "hard": link("hard", "/etc/passwd", tarfile.LNKTYPE),
            "pipe": link("pipe", "", tarfile.FIFOTYPE),
        },
    )
    extract(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == ["d/evil"]
    assert not (tmp_path / "out/d").is_symlink()
    assert tree(outside) == []


def test_extract_skips_links_of_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as file:
        info = zipfile.ZipInfo("passwd")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, "/etc/passwd")
        file.writestr("good", "1")
    extract(tmp_path / "bad.zip", tmp_path / "out")
    assert tree(tmp_path / "out") == ["good"]


def test_extract_refuses_a_glob_without_a_match_and_keeps_the_old_folder(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "demo.tar.gz", FILES)
    extract(archive, tmp_path / "out", ["*.py"])
    with pytest.raises(
        DataError, match=r"no member matches 'docs/\*'; the archive contains, for example, demo-1\.0/docs/"
    ):
        extract(archive, tmp_path / "out", ["docs/*"])
    assert tree(tmp_path / "out") == ["demo-1.0/setup.py"]


def test_extract_refuses_a_broken_archive(tmp_path: Path) -> None:
    whole = tar_of(tmp_path / "demo.tar.gz", {"big": bytes(range(256)) * 4000})
    (tmp_path / "cut.tar.gz").write_bytes(whole.read_bytes()[:-200])
    (tmp_path / "page.html").write_text("<html>not found</html>")
    for name in ("cut.tar.gz", "page.html", "absent.zip"):
        with pytest.raises(DataError, match=rf"{name}: cannot be unpacked \(.*\); expected a whole tar or zip archive"):
            extract(tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def bombs(folder: Path) -> list[Path]:
    """Return archives of a few kilobytes that state or contain more than a hundred megabytes."""
    header = tarfile.TarInfo("zeros")
    header.size = 10**10
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(120 * 2**20))
    return [tar_of(folder / "bomb.tar.gz", {"zeros": header}), folder / "bomb.zip"]


def test_extract_refuses_an_archive_whose_content_is_far_larger_and_writes_nothing(tmp_path: Path) -> None:
    for archive in bombs(tmp_path):
        with pytest.raises(DataError, match=rf"{archive.name}: its members have more than .* bytes, over 200 times"):
            extract(archive, tmp_path / "out", ["other"])
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("method", [99, zipfile.ZIP_LZMA])
def test_extract_refuses_a_zip_with_an_unknown_or_damaged_compression(method: int, tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "odd.zip", {"a": b"1"})
    content = bytearray(archive.read_bytes())
    for mark, place in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        content[content.index(mark) + place] = method
    archive.write_bytes(content)
    with pytest.raises(DataError, match=r"odd\.zip: cannot be unpacked"):
        extract(archive, tmp_path / "out")


def test_extract_refuses_names_that_no_file_can_have(tmp_path: Path) -> None:
    for members in ({"a": b"1", "a/b": b"2"}, {"a" * 300: b"1"}):
        with pytest.raises(DataError, match=r"odd\.tar\.gz: cannot be unpacked"):
            extract(tar_of(tmp_path / "odd.tar.gz", members), tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_extract_refuses_an_empty_name(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "odd.zip", {"a": b"1"})
    content = archive.read_bytes()
    # The directory of the archive states the name behind 46 bytes; a NUL ends a name.
    place = content.index(b"PK\x01\x02") + 46
    archive.write_bytes(content[:place] + b"\0" + content[place + 1 :])
    with pytest.raises(DataError, match=r"odd\.zip: cannot be unpacked"):
        extract(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.network
def test_fetch_archive_downloads_from_the_package_index(tmp_path: Path) -> None:
    sha256 = "34130726582b64c91531162ab277c4053e558876d49ba219cb43679e71d80a87"
    archive = fetch_archive("scrapy", "2.19.0", sha256, tmp_path)
    assert archive.name == "scrapy-2.19.0.tar.gz"
    assert sha(archive) == sha256
