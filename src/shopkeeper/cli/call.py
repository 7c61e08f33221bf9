"""Calling an operation from a terminal: progress while it works, Ctrl-C, then the answer."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

from shopkeeper.cli import show, terminal
from shopkeeper.cli.options import Options
from shopkeeper.core.errors import Cancelled
from shopkeeper.core.operation import OWNER, Context, Operation, find, silent
from shopkeeper.core.operation import Progress as Told
from shopkeeper.server import handover
from shopkeeper.shop.shop import Shop

BEFORE: Final = {"report.run": ("advice.refresh",)}
"""Jobs that a terminal runs first: the report tells what advice has found, and is its sibling."""


def operation(operation: Operation[Any, Any], arguments: dict[str, Any], options: Options) -> None:
    """Run it on the shop as its local owner and print the reply."""
    with Shop.open(options.shop) as shop:
        if operation.job:
            for name in BEFORE.get(operation.full_name, ()):
                with _watched(name) as progress:
                    handover.run(shop, find(name), {}, OWNER, progress)
            with _watched(operation.full_name) as progress:
                reply = handover.run(shop, operation, arguments, OWNER, progress)
        else:
            reply = operation.run(Context(shop, OWNER, silent), arguments)
    show.reply(reply, as_json=options.json)


@contextmanager
def _watched(name: str) -> Iterator[Told]:
    """A progress bar on standard error; the first Ctrl-C asks the job to stop, the second stops it."""
    stop = threading.Event()

    def interrupted(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Elapsed(),
        console=terminal.console(errors=True),
        transient=True,
        disable=not terminal.console(errors=True).is_terminal,
    )
    before = signal.signal(signal.SIGINT, interrupted)
    try:
        with bar:
            task = bar.add_task(name, total=None)

            def told(done: float, total: float | None, message: str) -> None:
                if stop.is_set():
                    raise Cancelled("Stopped by Ctrl-C.", hint="It is safe to run it again.")
                bar.update(
                    task, completed=done, total=total, description=terminal.visible(message or name)
                )

            yield told
    finally:
        signal.signal(signal.SIGINT, before)
