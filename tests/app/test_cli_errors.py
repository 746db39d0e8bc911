"""Whatever is wrong, the command line says in one line what, where, and what to do."""

import contextlib
import io
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import __version__
from app.cli import main
from app.database import Database
from app.presets import load_presets
from app.settings import load_settings
from app.terminal import spell_out
from tests.app.harness import tiny_spec
from tests.app.test_cli import lab
from tests.app.test_train_files import _written
from tests.newton_core.data.own_images import write_folder

TERRAIN = {"name": "terrain", "train_maps": 10, "test_maps": 10}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty; a spec is a JSON object"),
        (b" \n", "is empty; a spec is a JSON object"),
        (b"{", "is not JSON: Expecting property name"),
        (b"[1]", "holds a list, a spec is a JSON object"),
        (b"null", "holds a NoneType, a spec is a JSON object"),
        (b"\xff\xfe\x00", "is not JSON: 'utf-16-le' codec"),
        (b"[" * 100_000, "is not JSON: "),
        (b" " * 10_000_001, "holds more than 10 MB; that is no spec"),
    ],
)
def test_a_file_that_holds_no_spec_is_named(content, words, newton_lab, tmp_path):
    path = tmp_path / "spec.json"
    path.write_bytes(content)
    assert words in newton_lab.refuses("train", path)
    assert newton_lab.err.startswith(str(path))


def test_what_is_no_spec_at_all_is_named(newton_lab, tmp_path):
    assert f"{tmp_path} is a folder; a spec" in newton_lab.refuses("train", tmp_path)
    assert "there is no file nothing.json" in newton_lab.refuses("train", "nothing.json")
    assert "cannot read a?b: " in newton_lab.refuses("train", "a\0b")
    assert "cannot read xxx" in newton_lab.refuses("train", "x" * 300)
    assert "more than 10 MB" in newton_lab.refuses("train", "/dev/zero")
    assert "is empty" in newton_lab.refuses("train", "/dev/null")
    assert "the name given is empty" in newton_lab.refuses("train", "")
    path = _written(tmp_path / "spec.json", tiny_spec(steps=0))
    assert f"{path} is not a valid spec: steps: " in newton_lab.refuses("train", path)


def test_a_spec_may_begin_with_a_byte_order_mark(newton_lab, tmp_path):
    path = _written(tmp_path / "spec.json", tiny_spec(steps=1))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert newton_lab("train", path) == 0, newton_lab.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "colapse"], "neither a preset (trajectory, "),
        (["train", "colapse"], "nor a file; did you mean 'collapse'?"),
        (["warm", "paths-bellmanford"], "did you mean 'paths-bellman-ford'?"),
        (["download", "imagenet"], "known: mnist"),
    ],
)
def test_unknown_names_are_answered_with_known_ones(arguments, words, newton_lab):
    assert words in newton_lab.refuses(*arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], "newton-lab: no such command 'trian'. Did you mean 'train'?; see newton-lab "),
        (["--nope"], "newton-lab: no such option: --nope; see newton-lab --help"),
        (["--data-dir", "."], "newton-lab: missing command; see newton-lab --help"),
        (["train"], "newton-lab train: missing argument 'PRESET|SPEC.json'; see newton-lab train "),
        (["train", "collapse", "other"], "unexpected extra argument(s) (other); see newton-lab tr"),
        (["train", "collapse", "--step", "3"], "no such option: --step (Possible options: "),
        (["train", "collapse", "--seeds", "x"], "newton-lab train: invalid value for '--seeds': "),
        (["train", "collapse", "--seeds", "0"], "invalid value for '--seeds': "),
        (["serve", "--port"], "ption '--port' requires an argument; see newton-lab"),
        (["presets", "--json=1"], "ption '--json' does not take a value; see newton-lab"),
        (["download"], "newton-lab download: missing argument 'dataset'; see newton-lab download"),
    ],
)
def test_a_wrong_call_is_one_line_that_leads_to_the_help(arguments, words, newton_lab):
    assert words in newton_lab.refuses(*arguments)


def test_without_a_command_the_help_is_shown(newton_lab):
    assert newton_lab() == 0
    assert "Commands:" in newton_lab.out
    assert newton_lab.err == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"device": "cuda:77"}, "device 'cuda:77' is not available; use one of cpu"),
        ({"task": {"name": "ranking", "data": {"name": "mnist"}}}, "newton-lab download mnist"),
        (
            {
                "task": {
                    "name": "shortest_path",
                    "data": {"name": "terrain", "train_maps": 50, "test_maps": 10},
                },
                "loss": {"name": "bellman_ford"},
                "batch_size": 60,
            },
            "a batch of 60 needs at least 60 training maps, found 50",
        ),
    ],
)
def test_what_a_run_needs_is_looked_for_before_it_trains(changes, words, newton_lab, tmp_path):
    path = _written(tmp_path / "spec.json", tiny_spec(**changes))
    out = tmp_path / "events.jsonl"
    assert words in newton_lab.refuses("train", path, "--out", out)
    assert newton_lab.err.startswith(f"{path} cannot be run here: ")
    assert not out.exists()


def test_what_may_be_wrong_with_the_data_is_said_once(newton_lab, data, tmp_path):
    write_folder(data / "own" / "flat", [0, 1, 2, 3, 4, 5])
    own = {"name": "folder", "path": "flat", "test_share": 0.5}
    task = {"name": "ranking", "n": 2, "test_sets": 2, "data": own}
    path = _written(tmp_path / "spec.json", tiny_spec(task=task, steps=1))
    assert newton_lab("--data-dir", data, "train", path, "--seeds", "2") == 0, newton_lab.err
    assert newton_lab.err == (
        f"{path}: 6 of 6 images are of one grey level, so that they show nothing:"
        " 0.png, 1.png, 2.png, ...\n"
    )


def test_the_last_seed_is_checked_before_the_first_is_trained(newton_lab, tmp_path):
    path = _written(tmp_path / "spec.json", tiny_spec())
    assert newton_lab("train", path, "--seed", str(2**63 - 2), "--seeds", "3") == 2
    assert "seed" in newton_lab.err
    assert newton_lab.out == ""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def taken() -> Iterator[str]:
    """A port on which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["warm", "collapse"]])
def test_a_database_that_cannot_be_used_is_explained(command, newton_lab, data, postgres_free):
    file = data / "newton-lab.sqlite3"
    file.write_bytes(os.urandom(5000))
    assert f"{file} is no database, or it is damaged: move it" in newton_lab.refuses(*command)
    file.unlink()
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('from_the_future')")
    words = newton_lab.refuses(*command)
    assert f"{file} was written by another version of newton-lab" in words
    assert "from_the_future" in words
    assert "--data-dir" in words
    below_a_file = file / "folder"
    words = newton_lab.refuses("--data-dir", below_a_file, *command)
    assert f"cannot use the data folder {below_a_file}: Not a directory" in words
    nobody = "/proc/nobody/may/write"
    assert f"cannot use the data folder {nobody}: " in newton_lab.refuses(
        *command, f"--data-dir={nobody}"
    )
    postgres_free.setenv("NEWTON_LAB_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/x")
    words = newton_lab.refuses(*command)
    assert "the PostgreSQL database cannot be used: " in words
    assert "check NEWTON_LAB_DATABASE_URL" in words
    assert "secret" not in words


@pytest.fixture
def postgres_free(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("NEWTON_LAB_DATABASE_URL", raising=False)
    return monkeypatch


def test_a_server_that_has_the_data_but_does_not_answer_is_named(newton_lab, data, taken):
    held = Database.open(load_settings(data_dir=data))
    (data / "server.address").write_text(f"http://127.0.0.1:{taken}1/\n")
    words = newton_lab.refuses("warm", "collapse")
    assert f"at http://127.0.0.1:{taken}1/, does not answer" in words
    (data / "server.address").unlink()
    assert "another newton-lab server works on " in newton_lab.refuses("warm", "collapse")
    assert "another newton-lab server works on " in newton_lab.refuses("serve", "--port", "0")
    held.close()


def test_an_address_that_cannot_be_had_is_explained(newton_lab, taken):
    words = newton_lab.refuses("serve", "--port", taken)
    assert f"cannot listen on 127.0.0.1, port {taken}: " in words
    assert "another program listens there; choose another port with --port" in words
    assert "NEWTON_LAB_HOST: " in newton_lab.refuses("serve", "--host", "")
    words = newton_lab.refuses("serve", "--host", "203.0.113.7", "--port", "0")
    assert "choose another address with --host" in words


def test_one_bad_setting_is_one_line(newton_lab, monkeypatch):
    monkeypatch.setenv("NEWTON_LAB_DATABASE_URL", "mysql://x")
    words = newton_lab.refuses("serve")
    assert words.startswith("NEWTON_LAB_DATABASE_URL: ")
    monkeypatch.setenv("NEWTON_LAB_WORKERS", "many")
    assert newton_lab("serve") == 2
    assert [line.split(":")[0] for line in newton_lab.err.splitlines()] == [
        "NEWTON_LAB_DATABASE_URL",
        "NEWTON_LAB_WORKERS",
    ]


@pytest.mark.parametrize(
    "command",
    [
        ("warm", "collapse"),
        ("sweep", "collapse", "--grid", "arms.1.tikhonov=1,2"),
        ("lesson", "export", "noise", "--out", "noise.html"),
    ],
)
def test_a_bad_setting_is_one_line_of_every_command(command, newton_lab, monkeypatch):
    monkeypatch.setenv("NEWTON_LAB_WORKERS", "many")
    assert newton_lab.refuses(*command).startswith("NEWTON_LAB_WORKERS: ")


def test_the_doctor_names_a_bad_setting(newton_lab, monkeypatch):
    monkeypatch.setenv("NEWTON_LAB_ACCES_CODE", "open sesame")
    newton_lab("doctor", "--json")
    (found,) = (f for f in json.loads(newton_lab.out) if f["name"] == "settings")
    assert not found["good"]
    assert "did you mean NEWTON_LAB_ACCESS_CODE" in found["detail"]
    assert "Traceback" not in newton_lab.err


def test_a_setting_that_is_near_no_other_is_said_to_do_nothing(newton_lab, monkeypatch):
    monkeypatch.setenv("NEWTON_LAB_COFFEE", "hot")
    words = "NEWTON_LAB_COFFEE: there is no such setting, so it does nothing; newton-lab serve"
    newton_lab("doctor", "--json")
    assert any(f["detail"].startswith(words) for f in json.loads(newton_lab.out))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert newton_lab("serve", "--port", str(taken.getsockname()[1])) == 2
    assert newton_lab.err.startswith(words)


def test_a_label_commands_no_terminal(newton_lab, tmp_path):
    spec = tiny_spec(steps=1, arms=[{"label": "a\x1b]0;owned\x07\x1b[31m\x9bz\rb\u202ec"}])
    assert newton_lab("train", _written(tmp_path / "spec.json", spec)) == 0
    assert "a?]0;owned??[31m?z" in newton_lab.out
    said = newton_lab.refuses("train", "\x1b[31mred")
    assert not set("\x1b\x07\x9b\r\u202e") & set(newton_lab.out + said)


def test_version(newton_lab):
    assert newton_lab("--version") == 0
    assert newton_lab.out == f"newton-lab {__version__}\n"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_data_folder_is_an_option_of_every_command(place, newton_lab, tmp_path):
    folder = tmp_path / "elsewhere"
    arguments = ["doctor", "--json"]
    arguments.insert(place, f"--data-dir={folder}")
    assert newton_lab(*arguments) == 0
    assert f"{folder} (made when needed)" in newton_lab.out


def test_a_data_folder_of_another_user_names_the_remedy(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o555)  # as a bind mount that Docker made: it belongs to somebody else
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", f"--data-dir={folder}"]
    if os.geteuid() == 0:  # who may write everywhere, unless this is taken away
        command = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-all", *command]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2, refused.stderr
    assert refused.stderr.count("\n") == 1
    assert f"cannot use the data folder {folder}: Permission denied" in refused.stderr
    assert f"sudo chown -R {os.geteuid()} FOLDER" in refused.stderr


def test_a_data_folder_must_be_one(newton_lab, tmp_path):
    file = _written(tmp_path / "file", {})
    newton_lab("doctor", "--json", "--data-dir", file / "below")
    assert f"{file} is no folder; set NEWTON_LAB_DATA_DIR" in newton_lab.out
    assert f"{file} is no folder" in newton_lab.refuses("doctor", "--data-dir", file)
    assert "an empty name is no folder" in newton_lab.refuses("doctor", "--data-dir", "")
    assert newton_lab.refuses("doctor", "--data-dir") == "--data-dir needs a folder\n"


@pytest.mark.parametrize(
    ("encoding", "plus_minus"), [("ascii", "+/-"), ("cp437", "±"), ("latin-1", "±")]
)
def test_every_output_encoding_will_do(encoding, plus_minus, newton_lab, tmp_path, monkeypatch):
    label = "λ → ≥ 束 [/bold] :smile:"
    spec = tiny_spec(steps=1, arms=[{"label": label}])
    path = _written(tmp_path / "spec.json", spec)
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "argv", ["newton-lab", "train", str(path)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    stream.flush()
    printed = stream.buffer.getvalue().decode(encoding)
    assert f" {plus_minus} " in printed
    assert f"{spell_out(label, encoding)} " in printed
    lines = [line for line in printed.splitlines() if line[:1] in "+|"]
    assert len({len(line) for line in lines}) == 1, "the table's edges are straight"


def test_what_an_encoding_lacks_is_spelt_out():
    assert spell_out("λ ± é 束", "ascii") == "lambda +/- e ?"
    assert spell_out("λ ± é 束", "latin-1") == "lambda ± é ?"
    assert spell_out("λ ± é 束", "utf-8") == "λ ± é 束"


@pytest.mark.parametrize("columns", [40, 80, 0])
def test_names_that_are_typed_are_never_cut(columns):
    printed = lab("presets", COLUMNS=str(columns or ""), PYTHONIOENCODING="ascii")
    assert printed.returncode == 0, printed.stderr
    lines = printed.stdout.splitlines()
    assert max(map(len, lines)) <= (columns or 80)
    blocks = re.split(r"^(?=\S)", printed.stdout, flags=re.MULTILINE)[1:]
    for preset, block in zip(load_presets(), blocks, strict=True):
        words = block.split()
        assert words[0] == preset.name
        said = spell_out(f"{preset.title} {preset.expect.sentence}", "ascii").split()
        assert words[-len(said) :] == said, "no word is cut or lost"


def test_output_that_cannot_be_written_is_one_line():
    import subprocess

    from tests.app.test_cli import command

    with open("/dev/full", "w") as full:
        result = subprocess.run(
            command("presets"), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert result.returncode == 2
    assert result.stderr == "cannot go on: No space left on device\n"
