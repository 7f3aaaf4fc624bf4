"""Archives: found by SHA-256 through pip's configuration, and unpacked without leaving their folder."""

import hashlib
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import httpx2
import pytest

from synthrank import archives
from synthrank.archives import extract, fetch_archive, pip_options
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
    """A folder of files that is all pip is set up for."""
    folder = tmp_path / "links"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return folder


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_file_with_the_sha256_is_taken_among_several_of_a_version(index: Path, tmp_path: Path) -> None:
    sdist = tar_of(index / "demo-1.0.tar.gz", FILES)
    wheel = zip_of(index / "demo-1.0-py3-none-any.whl", {"demo/model.bin": b"weights"})
    tar_of(index / "demo-2.0.tar.gz", {"demo-2.0/x": b"x"})
    assert fetch_archive("demo", "1.0", sha(sdist), tmp_path / "a") == tmp_path / "a/demo-1.0.tar.gz"
    assert fetch_archive("demo", "1.0", sha(wheel), tmp_path / "a").read_bytes() == wheel.read_bytes()
    assert tree(tmp_path / "a") == ["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"]


def test_another_sha256_is_an_error_that_names_a_file_and_leaves_nothing(index: Path, tmp_path: Path) -> None:
    sdist = tar_of(index / "demo-1.0.tar.gz", FILES)
    with pytest.raises(ChecksumError) as caught:
        fetch_archive("demo", "1.0", "0" * 64, tmp_path / "a")
    assert str(caught.value) == (
        f"demo==1.0: none of its 1 files has the sha256 {'0' * 64} that is pinned: demo-1.0.tar.gz has {sha(sdist)}; "
        "check the version, or pin the sha256 of the file that is meant"
    )
    assert tree(tmp_path / "a") == []


def test_a_version_that_is_not_there_is_an_error_that_names_the_remedy(index: Path, tmp_path: Path) -> None:
    tar_of(index / "demo-1.0.tar.gz", FILES)
    with pytest.raises(FetchError, match=r"^demo==3\.0: no such file .* PIP_FIND_LINKS$"):
        fetch_archive("demo", "3.0", "0" * 64, tmp_path / "a")


def test_an_index_that_cannot_be_reached_is_one_line(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(FetchError, match=r"^demo==1\.0: no such file .*\(ConnectError: .*PIP_FIND_LINKS$") as caught:
        fetch_archive("demo", "1.0", "0" * 64, tmp_path / "a")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("losses", [2, 3])
def test_a_download_that_loses_its_connection_is_tried_three_times(
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


def test_the_environment_wins_over_the_section_of_download_over_global(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "pip.conf"
    config.write_text("[global]\ntimeout = 1\ncert = a\nproxy = p\n[download]\ncert = b\ntimeout = 2\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_TIMEOUT", "3")
    monkeypatch.delenv("PIP_CERT", raising=False)
    options = pip_options()
    assert (options["timeout"], options["cert"], options["proxy"]) == ("3", "b", "p")


def test_selected_members_are_unpacked_with_their_folders(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "demo.tar.gz", FILES)
    extract(archive, tmp_path / "out", ["*/docs/*.rst"])
    assert tree(tmp_path / "out") == ["demo-1.0/docs/deep/page.rst", "demo-1.0/docs/faq.rst"]
    extract(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == sorted(FILES)
    extract(zip_of(tmp_path / "demo.whl", FILES), tmp_path / "zip", ["demo-1.0/docs/faq.rst"])
    assert (tmp_path / "zip/demo-1.0/docs/faq.rst").read_bytes() == b"FAQ"


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/tmp/evil", "a\\..\\..\\evil", "C:\\evil"])
@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_a_name_that_leads_out_is_refused_and_nothing_is_left(make, name: str, tmp_path: Path) -> None:  # type: ignore
    archive = make(tmp_path / "bad.archive", {"good": b"1", name: b"2"})
    with pytest.raises(DataError, match=r"bad\.archive: member .* leads out of the folder; the archive must not be"):
        extract(archive, tmp_path / "x/out")
    assert tree(tmp_path) == ["bad.archive"]


def test_links_are_left_out_and_nothing_is_written_through_them(tmp_path: Path) -> None:
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


def test_links_of_a_zip_are_left_out(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as file:
        info = zipfile.ZipInfo("passwd")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, "/etc/passwd")
        file.writestr("good", "1")
    extract(tmp_path / "bad.zip", tmp_path / "out")
    assert tree(tmp_path / "out") == ["good"]


def test_a_glob_that_matches_nothing_is_an_error_and_the_old_folder_stays(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "demo.tar.gz", FILES)
    extract(archive, tmp_path / "out", ["*.py"])
    with pytest.raises(
        DataError, match=r"no member matches 'docs/\*'; the archive holds, for example, demo-1\.0/docs/"
    ):
        extract(archive, tmp_path / "out", ["docs/*"])
    assert tree(tmp_path / "out") == ["demo-1.0/setup.py"]


def test_a_broken_archive_is_an_error(tmp_path: Path) -> None:
    whole = tar_of(tmp_path / "demo.tar.gz", {"big": bytes(range(256)) * 4000})
    (tmp_path / "cut.tar.gz").write_bytes(whole.read_bytes()[:-200])
    (tmp_path / "page.html").write_text("<html>not found</html>")
    for name in ("cut.tar.gz", "page.html", "absent.zip"):
        with pytest.raises(DataError, match=rf"{name}: cannot be unpacked \(.*\); expected a whole tar or zip archive"):
            extract(tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.network
def test_a_source_distribution_comes_from_the_package_index(tmp_path: Path) -> None:
    sha256 = "34130726582b64c91531162ab277c4053e558876d49ba219cb43679e71d80a87"
    archive = fetch_archive("scrapy", "2.19.0", sha256, tmp_path)
    assert archive.name == "scrapy-2.19.0.tar.gz"
    assert sha(archive) == sha256
