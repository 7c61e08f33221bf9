"""``shopkeeper``: the commands that only a terminal has, and the door to all others."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

import shopkeeper
from shopkeeper.cli import backups, faults, options, tree
from shopkeeper.core.errors import Cancelled, ShopkeeperError
from shopkeeper.core.threads import PATIENT

app = typer.Typer(
    name="shopkeeper",
    help="Shopkeeper 掌柜: know every customer, and what sold and why.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(backups.app, name="backup")

_TRACE = "SHOPKEEPER_TRACE"
_STOPPED = 130  # what shells expect after Ctrl-C

Folder = Annotated[str | None, typer.Option("--shop", help=options.SHOP_HELP, show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help=options.JSON_HELP)]


@app.callback()
def before(shop: Folder = None, as_json: AsJson = False) -> None:
    """Shopkeeper 掌柜: know every customer, and what sold and why."""
    options.remember(shop, as_json)


@app.command()
def version() -> None:
    """The version that is installed."""
    sys.stdout.write(f"{shopkeeper.__version__}\n")


@app.command()
def init(
    folder: Annotated[Path | None, typer.Argument(help="Where (default: --shop).")] = None,
    name: Annotated[str, typer.Option(help="What the shop is called.")] = "shop",
    time_zone: Annotated[str, typer.Option(help="Whose days are reported.")] = "UTC",
    currency: Annotated[str, typer.Option(help="ISO 4217.")] = "USD",
    languages: Annotated[str, typer.Option(help="Of reports: en, zh or both.")] = "en,zh",
    as_json: AsJson = False,
) -> None:
    """Create a shop in a folder."""
    from shopkeeper.cli import ordinary  # noqa: PLC0415 - opens the store: not for --help

    chosen = options.chosen(as_json=as_json)
    values: dict[str, object] = {
        "name": name,
        "time_zone": time_zone,
        "currency": currency,
        "languages": tuple(languages.split(",")),
    }
    ordinary.init(folder or chosen.shop, values, as_json=chosen.json)


@app.command()
def doctor(shop: Folder = None, as_json: AsJson = False) -> None:
    """What works here and what does not: settings, store, tables, libraries."""
    from shopkeeper.cli import ordinary  # noqa: PLC0415 - opens the store: not for --help

    raise typer.Exit(ordinary.doctor(options.chosen(shop, as_json)))


@app.command()
def serve(  # noqa: PLR0913, PLR0917 - each option of a command is a parameter
    shop: Folder = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8000,
    api_workers: Annotated[int, typer.Option(help="API processes.")] = 1,
    trusted_proxy: Annotated[
        str, typer.Option(help="Address of the proxy whose X-Forwarded-For is believed.")
    ] = "",
    calls_per_minute: Annotated[
        int, typer.Option(help="Calls of one key that each API process answers in a minute.")
    ] = 600,
    console: Annotated[bool, typer.Option(help="Serve the console too.")] = True,
    console_port: Annotated[int, typer.Option(help="Port of the console.")] = 8001,
    console_name: Annotated[
        list[str] | None, typer.Option(help="A host name people reach the console under.")
    ] = None,
    secure: Annotated[
        bool, typer.Option("--secure", help="Cookies for HTTPS only: behind a proxy that ends TLS.")
    ] = False,
    part: Annotated[
        list[str] | None,
        typer.Option(help="Run only this part here: api, worker or console; may be repeated."),
    ] = None,
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "INFO",
) -> None:
    """Serve the HTTP API and the console, and run the worker that writes the tables and does jobs."""
    from shopkeeper.cli import ordinary  # noqa: PLC0415 - loads the server: not for --help

    values: dict[str, object] = {
        "host": host,
        "port": port,
        "api_workers": api_workers,
        "calls_per_minute": calls_per_minute,
        "trusted_proxy": trusted_proxy,
        "console": console,
        "console_port": console_port,
        "console_names": tuple(console_name or ()),
        "secure": secure,
        "parts": tuple(part or ()),
        "log_level": log_level.upper(),
    }
    raise typer.Exit(ordinary.serve(options.chosen(shop).shop, values))


@app.command()
def mcp(shop: Folder = None) -> None:
    """Answer an agent that speaks MCP, over standard input and output."""
    from shopkeeper.cli import ordinary  # noqa: PLC0415 - loads the server: not for --help

    ordinary.mcp(options.chosen(shop).shop)


@app.command("serve-scripted")
def serve_scripted(
    script: Annotated[
        Path | None, typer.Argument(help="A script of answers (docs/models.md).")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 0,
) -> None:
    """Serve a scripted language model that misbehaves on order, to try out what happens then."""
    from shopkeeper.language import scripted_server  # noqa: PLC0415 - loads a server: not for --help

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    scripted_server.run(script=script, host=host, port=port, say=say)


def main() -> None:
    """Run the command line and end the process with 0, 1 (error), 2 (usage) or 130 (stopped)."""
    for name, value in PATIENT.items():  # before a command loads what reads them
        os.environ.setdefault(name, value)
    code = run(tree.attach(app), sys.argv[1:])
    if "torch" in sys.modules:
        _mute()
    sys.exit(code)


def _mute() -> None:
    """Everything is said: with PyTorch loaded DuckDB's binding would list forty lines of what it leaked."""
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def run(root: TyperGroup, arguments: list[str]) -> int:
    """The exit code of one command line."""
    as_json = "--json" in arguments
    try:
        result = root.main(arguments, prog_name="shopkeeper", standalone_mode=False)
    except ShopkeeperError as error:
        faults.report(error, as_json=as_json)
        return _STOPPED if isinstance(error, Cancelled) else 1
    except (KeyboardInterrupt, typer.Abort):
        faults.report(Cancelled("Stopped."), as_json=as_json)
        return _STOPPED
    except BrokenPipeError:  # the reader (head, less) went away: nothing left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except typer.TyperException as error:
        return _usage(error, as_json=as_json)
    except Exception as error:  # a mistake of ours: said without a trace unless it is asked for
        if os.environ.get(_TRACE):
            raise
        faults.report(faults.inside(error, _TRACE), as_json=as_json)
        return 1
    if result == _STOPPED:  # typer turned Ctrl-C into this
        faults.report(Cancelled("Stopped."), as_json=as_json)
    return result if isinstance(result, int) else 0


def _usage(error: typer.TyperException, *, as_json: bool) -> int:
    """Wrong usage; a bare group shows its help instead."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(f"{context.get_help() if context else error.message}\n")
        return 0 if context is None or context.parent is None else 2
    path = context.command_path if context else "shopkeeper"
    faults.report(faults.Usage(error.format_message(), hint=f"Try: {path} --help"), as_json=as_json)
    return 2


if __name__ == "__main__":
    main()
