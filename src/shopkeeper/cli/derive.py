"""One command of the command line made of one operation."""

from __future__ import annotations

import importlib
import inspect
from typing import Annotated, Any

import typer

from shopkeeper.cli import arguments
from shopkeeper.cli.either import Either
from shopkeeper.cli.options import JSON_HELP, SHOP_HELP, chosen
from shopkeeper.core.operation import Operation, find, of

__all__ = ["command", "find", "of"]


def command(operation: Operation[Any, Any]) -> Any:
    """The command; ``--shop`` and ``--json`` may stand behind it as well as before it."""
    own = arguments.signature(operation)

    def run(**given: Any) -> None:
        options = chosen(given.pop("shop_folder", None), given.pop("as_json", False))
        call = importlib.import_module("shopkeeper.cli.call")  # engines: not for --help
        call.operation(operation, arguments.values(operation, given), options)

    run.__name__ = operation.name
    run.__signature__ = own.replace(  # type: ignore[attr-defined]  # what typer reads
        parameters=[*own.parameters.values(), *_common(set(own.parameters))]
    )
    run.__annotations__ = {p.name: p.annotation for p in inspect.signature(run).parameters.values()}
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    name, text = operation.name.replace("_", "-"), arguments.description(operation)
    app.command(name=name, help=text, cls=Either)(run)
    return typer.main.get_command(app)


def _common(taken: set[str]) -> list[inspect.Parameter]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    shop = Annotated[str | None, typer.Option("--shop", help=SHOP_HELP, show_default=False)]
    as_json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
    found = []
    if "shop" not in taken:
        found.append(inspect.Parameter("shop_folder", keyword, annotation=shop, default=None))
    if "json" not in taken:
        found.append(inspect.Parameter("as_json", keyword, annotation=as_json, default=False))
    return found
