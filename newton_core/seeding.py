"""Random numbers as a pure function of (seed, purpose, step): nothing to store, nothing shared."""

import hashlib

import torch


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
