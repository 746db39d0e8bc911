"""The messages between a process and its worker, each sent as its length and its pickle."""

import pickle
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TypeAlias

_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True)
class Start:
    """To the worker, first: call ``entry``, a "module:function", with these settings."""

    entry: str
    settings: object


@dataclass(frozen=True)
class Submit:
    """To the worker: compute a task, a pickle. Numbers ascend; earlier jobs are cancelled."""

    job: int
    task: bytes


@dataclass(frozen=True)
class Cancel:
    """To the worker: leave this job."""

    job: int


@dataclass(frozen=True)
class Ready:
    """From the worker, first: everything is loaded."""


@dataclass(frozen=True)
class Heartbeat:
    """From the worker: the job goes on."""


@dataclass(frozen=True)
class Output:
    """From the worker: a part of what the job computes."""

    job: int
    value: object


@dataclass(frozen=True)
class Done:
    """From the worker, last: the job is computed or cancelled."""

    job: int


@dataclass(frozen=True)
class Failed:
    """From the worker, last: the job met an error, "type: message"."""

    job: int
    error: str
    traceback: str


Order: TypeAlias = Start | Submit | Cancel
Answer: TypeAlias = Output | Done | Failed
Message: TypeAlias = Ready | Heartbeat | Answer


def write_frame(pipe: IO[bytes], body: bytes) -> None:
    """Writes the pickle of one message."""
    pipe.write(_LENGTH.pack(len(body)))
    pipe.write(body)
    pipe.flush()


def read_frames(pipe: IO[bytes]) -> Iterator[bytes]:
    """The pickles that were written, until the pipe ends.

    A frame that its writer did not finish before it was killed is left out.
    """
    while len(length := pipe.read(_LENGTH.size)) == _LENGTH.size:
        (size,) = _LENGTH.unpack(length)
        body = pipe.read(size)
        if len(body) < size:
            return
        yield body


def encode(message: object) -> bytes:
    """The pickle of a message."""
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


def decode(body: bytes) -> Message:
    """The message in a pickle."""
    message: Message = pickle.loads(body)
    return message
