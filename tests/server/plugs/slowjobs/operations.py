"""Jobs that only tests have."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from shopkeeper.core.errors import BadInput
from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.core.types import Value


class Counted(Value):
    """How far it counted, and in which process."""

    count: int
    pid: int


class Said(Value):
    """Somebody's words."""

    text: str


@operation(effect=WRITE, example={"to": 3, "pause": 0.01}, job=True)
def count(ctx: Context, to: int = 3, pause: float = 0.01, diary: str = "") -> Counted:
    """Count slowly; the diary gets a line for each beginning and each end."""
    _note(diary, "begin")
    for n in range(to):
        ctx.progress(n, to, f"at {n}")
        time.sleep(pause)
    _note(diary, "end")
    return Counted(count=to, pid=os.getpid())


@operation(effect=READ, example={"to": 3}, job=True)
def watch(ctx: Context, to: int = 3, pause: float = 0.01, diary: str = "") -> Counted:
    """Count slowly and change nothing; the diary tells whether it came to its end."""
    for n in range(to):
        ctx.progress(n, to, f"at {n}")
        time.sleep(pause)
    _note(diary, "end")
    return Counted(count=to, pid=os.getpid())


@operation(effect=READ, example={}, job=True, reads=("metrics",))
def rights(ctx: Context) -> Said:
    """What the one who asked may do while this runs."""
    return Said(text=" ".join(sorted(ctx.actor.scopes)))


@operation(effect=READ, example={"text": "hello"})
def echo(ctx: Context, text: str = "") -> Said:
    """What a customer said."""
    return Said(text=text)


@operation(effect=READ, example={}, job=True)
def fail(ctx: Context, kind: str = "expected") -> Counted:
    """Fail, as expected or from inside."""
    if kind == "expected":
        raise BadInput("The count is wrong.", hint="Count again.", field="kind")
    raise RuntimeError("secret: /home/shop/.token")


@operation(effect=READ, example={}, job=True)
def crash(ctx: Context, diary: str = "") -> Counted:
    """End the process that runs it."""
    _note(diary, "begin")
    os.kill(os.getpid(), signal.SIGKILL)
    return Counted(count=0, pid=0)


@operation(effect=READ, example={})
def explode(ctx: Context) -> Counted:
    """Fail from inside while somebody waits."""
    raise RuntimeError("secret: /home/shop/.token")


def _note(diary: str, line: str) -> None:
    if diary:
        with Path(diary).open("a", encoding="utf-8") as file:
            file.write(f"{line} {os.getpid()}\n")
