"""Repeatable chance: the same seed gives the same stream on every machine."""

from __future__ import annotations

import hashlib


def derive(seed: int, *labels: str | int) -> int:
    """A 64-bit seed for one named part, so that adding a part does not shift the others' streams."""
    text = "\x1f".join([str(seed), *map(str, labels)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def bucket(key: str, salt: str, buckets: int) -> int:
    """The bucket from 0 to ``buckets`` - 1 that ``key`` always falls into under this ``salt``."""
    return derive(0, salt, key) % buckets
