"""How NiceGUI learns whether a handler takes an argument: once per method, not once per element.

It inspects the signature of the same method for each list of classes, properties and styles that it makes.
With fifty people's pages drawn anew that was a third of the event loop's time (measured with NiceGUI 3.17).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import FunctionType, MethodType
from typing import Any, Final

from nicegui import helpers

_asked: Final[Callable[[Callable[..., Any]], bool]] = helpers.expects_arguments


def expects_arguments(func: Callable[..., Any]) -> bool:
    """What NiceGUI's own answers, remembered for methods: all bound ones of a function agree."""
    if isinstance(func, MethodType) and isinstance(func.__func__, FunctionType):
        return _of_method(func.__func__)
    return _asked(func)


@lru_cache(maxsize=1_000)
def _of_method(function: FunctionType) -> bool:
    return _asked(MethodType(function, object()))


def remember() -> None:
    """Let NiceGUI ask here, for the rest of the process."""
    helpers.expects_arguments = expects_arguments
