"""Logs with fields, one JSON object a line; readable on a terminal; never with personal data.

What a line may hold is decided by its structure, not by the care of whoever writes it: of our own
messages the constant text, numbers, and texts under the names in ``WORDS``, which only ever hold words
of this code; of a library's messages only where they came from, because they may quote data; of an
error its kind and the places in the code, not its words. ``SHOPKEEPER_TRACE=1`` shows all of it, for
whoever looks for a mistake on a machine of their own.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

TRACE: Final = "SHOPKEEPER_TRACE"
KIND: Final = "SHOPKEEPER_LOG"
WORDS: Final = frozenset(
    {"event", "level", "logger", "time", "part", "chore", "error", "job", "operation", "route"}
    | {"method", "number", "where", "frames", "table"}
)
"""Fields whose text is known to come from this code."""

_OURS = "shopkeeper"
_OWN_HANDLERS = ("uvicorn", "uvicorn.error", "dbos", "nicegui")  # add one where there is none
_FRAMES = 12
_KEPT = frozenset({"exc_info", "_record", "_from_structlog"})
_Event = MutableMapping[str, Any]


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose messages are constant and whose values are fields."""
    found: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(f"{_OURS}.{name}")
    return found


def configure(part: str, *, level: str = "INFO", to: TextIO | None = None) -> None:
    """Send every log line of this process, of libraries too, through the rules above."""
    stream = to or sys.stderr
    kind = os.environ.get(KIND, "")
    as_json = kind == "json" or (kind != "text" and not stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(part, as_json=as_json))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(level)
    for name in _OWN_HANDLERS:
        theirs = logging.getLogger(name)
        theirs.handlers[:] = [handler]
        theirs.propagate = False
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def formatter(part: str, *, as_json: bool) -> logging.Formatter:
    """What turns a record into a line."""
    whole = bool(os.environ.get(TRACE))

    def stamp(_logger: Any, _method: str, event: _Event) -> _Event:
        event["part"] = part
        return event

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    rules: list[Processor] = [_library, _failure, _known] if not whole else []
    end: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False, timestamp_key="time", pad_event_to=0)
    )
    if whole and as_json:
        rules = [structlog.processors.format_exc_info]
    return ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[stamp, *rules, ProcessorFormatter.remove_processors_meta, end],
    )


def _prepare() -> None:
    """Loggers made by :func:`logger` hand their fields to the handler's formatter."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.stdlib.ExtraAdder(allow=()),
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _library(_logger: Any, _method: str, event: _Event) -> _Event:
    """Of a record that came by the standard library: its constant text if it is ours, else its place."""
    record: logging.LogRecord = event["_record"]
    if event.get("_from_structlog"):
        return event
    if record.name.partition(".")[0] == _OURS:
        event["event"] = str(record.msg)  # the template: its arguments are left out
    else:
        event["event"] = "a message of a library"
        event["where"] = f"{record.name}, {Path(record.pathname).name}:{record.lineno}"
    return event


def _failure(_logger: Any, _method: str, event: _Event) -> _Event:
    """An exception as its kind and the places in the code that it went through."""
    info = event.pop("exc_info", None) or event["_record"].exc_info
    if info is True:
        info = sys.exc_info()
    error = info if isinstance(info, BaseException) else info[1] if info else None
    if error is not None:
        event["error"] = _kinds(error)
        event["frames"] = [
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        ]
    return event


def _known(_logger: Any, _method: str, event: _Event) -> _Event:
    """Leave out every text that is not under a name of :data:`WORDS`."""
    for name, value in list(event.items()):
        if name in _KEPT or value is None or isinstance(value, bool | int | float):
            continue
        if isinstance(value, BaseException):
            event[name] = _kinds(value)
        elif name not in WORDS:
            event[name] = "(left out)"
    return event


def _kinds(error: BaseException) -> str:
    """The kinds of the error and of what caused it, the last first."""
    found: list[str] = []
    at: BaseException | None = error
    while at is not None and len(found) < 5:
        found.append(type(at).__name__)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return " from ".join(found)


def _uncaught(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        logging.getLogger(_OURS).critical("uncaught error", exc_info=(kind, error, at))


def _uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        _uncaught(told.exc_type, told.exc_value, told.exc_traceback)


_prepare()
