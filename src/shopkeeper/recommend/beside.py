"""Whether a thread beside the requests keeps a shop's lists fresh: then no request makes anything anew.

Light on purpose: a server's process that nobody asks for lists loads nothing else of this folder.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop

MODELS: Final = "models/recommend"
"""Where a shop's versions lie below its folder."""


@dataclass
class Bell:
    """What requests tell the thread: ``asked``, that somebody wants lists; ``rung``, to look now."""

    asked: bool = False
    rung: threading.Event = field(default_factory=threading.Event)


_bells: WeakKeyDictionary[Shop, Bell] = WeakKeyDictionary()


def hang(shop: Shop) -> Bell:
    """From now on a thread keeps this shop's lists fresh."""
    bell = _bells[shop] = Bell()
    return bell


def take_down(shop: Shop) -> None:
    """From now on each request sees to it itself, as in a program that makes a list now and then."""
    _bells.pop(shop, None)


def kept(shop: Shop) -> bool:
    """Whether a thread keeps them fresh; it is told that somebody asks."""
    bell = _bells.get(shop)
    if bell is None:
        return False
    bell.asked = True
    return True


def ring(shop: Shop) -> None:
    """Something is missing, or known to be old: look now."""
    bell = _bells.get(shop)
    if bell is not None:
        bell.rung.set()
