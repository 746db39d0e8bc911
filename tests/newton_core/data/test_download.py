import gzip
import hashlib
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from newton_core.data import DatasetError, download_mnist
from newton_core.data.mnist import FILES, MnistFile
from tests.newton_core.data.idx_files import write_files


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    write_files(folder, gzipped=True)
    return folder


@pytest.fixture
def mirror(source: Path) -> Iterator[str]:
    """A real server of the gzipped files."""
    handler = partial(_QuietHandler, directory=str(source))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address where nothing answers: the port is taken, but nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"


def _files(source: Path) -> list[MnistFile]:
    """The four files with the checksums of the small ones."""
    return [
        MnistFile(
            file.name,
            hashlib.md5(gzip.decompress((source / f"{file.name}.gz").read_bytes())).hexdigest(),
        )
        for file in FILES
    ]


def test_fetches_all_files(tmp_path: Path, source: Path, mirror: str) -> None:
    folder = tmp_path / "new" / "mnist"
    paths = download_mnist(folder, progress=False, mirrors=[mirror], files=_files(source))
    assert paths == [folder / f"{file.name}.gz" for file in FILES]
    for path in paths:
        assert path.read_bytes() == (source / path.name).read_bytes()
    assert sorted(folder.iterdir()) == sorted(paths)


def test_progress_bar(
    tmp_path: Path, source: Path, mirror: str, capfd: pytest.CaptureFixture[str]
) -> None:
    download_mnist(tmp_path / "to", progress=True, mirrors=[mirror], files=_files(source)[:1])
    assert "100%" in capfd.readouterr().err


def test_the_next_mirror_is_tried(tmp_path: Path, source: Path, mirror: str, nowhere: str) -> None:
    paths = download_mnist(tmp_path / "to", False, mirrors=[nowhere, mirror], files=_files(source))
    assert all(path.is_file() for path in paths)


def test_files_that_are_there_are_checked_and_kept(
    tmp_path: Path, source: Path, nowhere: str
) -> None:
    folder = tmp_path / "to"
    paths = write_files(folder)
    assert download_mnist(folder, False, mirrors=[nowhere], files=_files(source)) == paths
    paths[2].write_bytes(b"something else")
    with pytest.raises(
        DatasetError, match=r"t10k-images.*expected unpacked bytes with md5"
    ) as caught:
        download_mnist(folder, False, mirrors=[nowhere], files=_files(source))
    assert "remove it and download again" in str(caught.value)
    assert paths[2].read_bytes() == b"something else"


def test_offline_says_which_files_to_put_where(tmp_path: Path, nowhere: str) -> None:
    folder = tmp_path / "mnist"
    with pytest.raises(DatasetError) as caught:
        download_mnist(folder, False, mirrors=[nowhere])
    message = str(caught.value)
    assert "train-images-idx3-ubyte could not be downloaded" in message
    assert nowhere in message
    assert str(folder) in message
    assert all(file.name in message for file in FILES)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("damage", ["truncated", "other", "absent", "html"])
def test_nothing_is_left_of_a_bad_download(
    tmp_path: Path, source: Path, mirror: str, damage: str
) -> None:
    files, victim = _files(source), source / f"{FILES[1].name}.gz"
    if damage == "truncated":
        victim.write_bytes(victim.read_bytes()[:-20])
    elif damage == "other":
        victim.write_bytes(gzip.compress(b"some other bytes"))
    elif damage == "html":
        victim.write_bytes(b"<html>please log in</html>")
    else:
        victim.unlink()
    folder = tmp_path / "to"
    reasons = {"truncated": "damaged or incomplete", "absent": "404"}
    with pytest.raises(DatasetError, match=reasons.get(damage, "expected unpacked bytes with md5")):
        download_mnist(folder, False, mirrors=[mirror], files=files)
    # The first file arrived whole and stays; the second left nothing.
    assert [path.name for path in folder.iterdir()] == [f"{FILES[0].name}.gz"]


def test_a_destination_that_cannot_be_made(tmp_path: Path, nowhere: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatasetError, match="cannot be made"):
        download_mnist(tmp_path / "file" / "mnist", False, mirrors=[nowhere])
