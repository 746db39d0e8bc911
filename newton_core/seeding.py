"""Random numbers as a pure function of (seed, purpose, step): nothing to store, nothing shared.

Only :func:`global_generator` reads torch's global state, for losses that are used outside of runs.
"""

import hashlib
import os

import torch
from torch import distributed


def derive_seed(seed: int, *parts: str | int) -> int:
    """A 63-bit seed for one purpose, e.g. ``derive_seed(0, "batch", 17)``.

    Different parts give independent streams; the same parts give the same stream on every
    machine. Steps and seeds never collide the way ``seed + step`` would.
    """
    text = "/".join([str(seed), *map(str, parts)])
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(seed: int, *parts: str | int) -> torch.Generator:
    """A CPU generator seeded with :func:`derive_seed`."""
    return torch.Generator().manual_seed(derive_seed(seed, *parts))


def global_generator(*parts: str | int) -> torch.Generator:
    """A CPU generator of its own for each call, seeded from torch's global random numbers.

    So ``torch.manual_seed`` fixes it, as it fixes initial weights. Processes of a distributed
    training that were seeded alike get different streams.
    """
    drawn = int(torch.randint(2**62, (), device="cpu"))
    return generator(drawn, *parts, "rank", process_rank())


def process_rank() -> int:
    """This process's rank in a distributed training, also before its group is there; else 0."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank()
    rank = os.environ.get("RANK", "")  # set by torchrun
    return int(rank) if rank.isdecimal() else 0
