"""The commands that are not operations: make a shop, look it over, serve it."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import shopkeeper
from shopkeeper.cli.options import Options
from shopkeeper.cli.terminal import console, plain
from shopkeeper.core import settings
from shopkeeper.core.errors import BadInput, ShopkeeperError
from shopkeeper.server.observe import state
from shopkeeper.server.options import ServeOptions
from shopkeeper.server.supervise import Supervisor
from shopkeeper.shop.shop import Shop

_LIBRARIES = ("duckdb", "deltalake", "narwhals", "pyarrow", "sqlalchemy", "fastapi", "dbos")


def init(folder: Path, values: dict[str, object], *, as_json: bool) -> None:
    """Create the shop and say what to do next."""
    with Shop.create(folder, settings.parse(values)) as shop:
        if as_json:
            sys.stdout.write(json.dumps({"folder": str(shop.folder)}) + "\n")
            return
        out = console()
        made = f"Created the shop {shop.settings.name!r} in {shop.folder}."
        out.print(plain(made), soft_wrap=True)
        where = "" if Path.cwd() == shop.folder else f" --shop {folder}"
        todo = f"Next: shopkeeper{where} collect guess FILE, or shopkeeper{where} serve"
        out.print(plain(todo), soft_wrap=True)


def serve(folder: Path, values: dict[str, object]) -> int:
    """Serve until told to stop; the exit code."""
    try:
        options = ServeOptions.model_validate(values)
    except ValueError as error:
        raise BadInput(f"The server's options are wrong: {error}") from error
    with Shop.open(folder) as shop:  # says early, and once, what is wrong with the shop
        name, where = shop.settings.name, shop.folder
    out = console()

    def say(line: str) -> None:
        out.print(plain(line), soft_wrap=True)
        out.file.flush()

    supervisor = Supervisor(where, options, say)
    running = ", ".join(options.running)
    if "api" in options.running:
        say(f"Shopkeeper serves {name!r} at {supervisor.url} (Ctrl-C stops it).")
        say(f"  API: {supervisor.url}/openapi.json   ready? {supervisor.url}/ready")
        say("  Make a key with: shopkeeper keys create --help")
    else:
        say(f"Shopkeeper runs {running} of {name!r} (Ctrl-C stops it).")
    if supervisor.console_url:
        say(f"  Console: {supervisor.console_url}")
    return supervisor.run()


def mcp(folder: Path) -> None:
    """Answer an agent until it goes away."""
    from shopkeeper.server.agents import stdio  # noqa: PLC0415 - a second of loading

    stdio.serve(folder)


def doctor(options: Options) -> int:
    """Look at everything once; 0 if all is well."""
    checks: list[tuple[str, bool, str]] = [
        ("shopkeeper", True, shopkeeper.__version__),
        ("python", sys.version_info >= (3, 11), platform.python_version()),
    ]
    checks += [_checked(name, partial(importlib.metadata.version, name)) for name in _LIBRARIES]
    checks += _shop_checks(options.shop)
    well = all(ok for _, ok, _ in checks)
    if options.json:
        rows = [{"check": name, "ok": ok, "says": says} for name, ok, says in checks]
        sys.stdout.write(json.dumps({"ok": well, "checks": rows}, indent=2) + "\n")
        return 0 if well else 1
    out = console()
    for name, ok, says in checks:
        mark = plain("ok   ", "green") if ok else plain("wrong", "bold red")
        out.print(mark.append_text(plain(f"  {name}: ")).append_text(plain(says, lines=True)))
    return 0 if well else 1


def _shop_checks(folder: Path) -> list[tuple[str, bool, str]]:
    try:
        shop = Shop.open(folder)
    except ShopkeeperError as error:
        return [("shop", False, str(error))]
    with shop:
        kept = shop.settings
        return [
            ("shop", True, f"{kept.name} in {shop.folder}, {kept.time_zone}, {kept.currency}"),
            _checked("database", lambda: f"{shop.database.dialect_name}, log at {shop.log.last()}"),
            _checked("tables", lambda: f"days with events: {shop.span() or 'none yet'}"),
            _checked("writer", lambda: _try_writer(shop)),
            ("disk", state.free(shop) > state.LEAST_FREE, f"{state.free(shop) / 1e9:,.1f} GB free"),
        ]


def _try_writer(shop: Shop) -> str:
    if state.has_worker(shop):
        return "held by the worker of a running server, which does what is asked of it"
    with shop.writer("shopkeeper doctor"):
        return "free"


def _checked(name: str, look: Callable[[], str]) -> tuple[str, bool, str]:
    """One check; any failure is its finding."""
    try:
        return name, True, look()
    except Exception as error:  # noqa: BLE001 - the doctor reports whatever is wrong
        return name, False, str(error) or type(error).__name__
