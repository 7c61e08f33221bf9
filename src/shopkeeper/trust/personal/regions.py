"""Codes of China's regions as they begin an identity number: GB/T 2260, by province and prefecture."""

from __future__ import annotations

_OLD = ((21, 35),)  # prefectures before they became cities; their numbers stay in use
_PREFECTURES: dict[str, tuple[tuple[int, int], ...]] = {
    "11": ((1, 2),), "12": ((1, 2),), "13": ((1, 11), *_OLD), "14": ((1, 11), *_OLD),
    "15": ((1, 9), *_OLD), "21": ((1, 14), *_OLD), "22": ((1, 8), *_OLD), "23": ((1, 12), *_OLD),
    "31": ((1, 2),), "32": ((1, 13), *_OLD), "33": ((1, 11), *_OLD), "34": ((1, 18), *_OLD),
    "35": ((1, 9), *_OLD), "36": ((1, 11), *_OLD), "37": ((1, 17), *_OLD),
    "41": ((1, 18), *_OLD, (90, 90)), "42": ((1, 13), *_OLD, (90, 90)), "43": ((1, 13), *_OLD),
    "44": ((1, 53), (90, 90)), "45": ((1, 14), *_OLD), "46": ((1, 4), (90, 90)),
    "50": ((0, 3),), "51": ((1, 34),), "52": ((1, 5), *_OLD), "53": ((1, 9), *_OLD),
    "54": ((1, 6), *_OLD), "61": ((1, 10), *_OLD), "62": ((1, 12), *_OLD), "63": ((1, 2), *_OLD),
    "64": ((1, 5), *_OLD), "65": ((1, 5), (21, 43), (90, 90)), "71": ((0, 0),), "81": ((0, 0),),
    "82": ((0, 0),), "83": ((0, 0),),
}  # fmt: skip


PROVINCES = frozenset(_PREFECTURES)
"""The first two digits of every code."""


def is_region(code: str) -> bool:
    """Whether a six-digit code may begin an identity number."""
    prefectures = _PREFECTURES.get(code[:2])
    if prefectures is None:
        return False
    prefecture = int(code[2:4])
    return any(first <= prefecture <= last for first, last in prefectures)
