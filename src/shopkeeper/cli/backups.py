"""``shopkeeper backup``: copies of a whole shop, which only its owner on this machine may make."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shopkeeper.cli import options

app = typer.Typer(
    help="Back up a whole shop, and restore it.", no_args_is_help=True, rich_markup_mode=None
)

Folder = Annotated[str | None, typer.Option("--shop", help=options.SHOP_HELP, show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help=options.JSON_HELP)]
To = Annotated[
    Path | None, typer.Option("--to", help="Where backups are kept (default: backups in the shop).")
]
Which = Annotated[str, typer.Argument(help="A backup's name, or its folder.")]


@app.command()
def create(to: To = None, shop: Folder = None, as_json: AsJson = False) -> None:
    """Back up the shop, also while it is served."""
    from shopkeeper.cli import keeping  # noqa: PLC0415 - opens the store: not for --help

    keeping.create(options.chosen(shop, as_json), to)


@app.command("list")
def listing(to: To = None, shop: Folder = None, as_json: AsJson = False) -> None:
    """The backups there are, the newest first."""
    from shopkeeper.cli import keeping  # noqa: PLC0415 - opens the store: not for --help

    keeping.listing(options.chosen(shop, as_json), to)


@app.command()
def verify(which: Which, to: To = None, shop: Folder = None, as_json: AsJson = False) -> None:
    """Compare every byte of a backup and decode every row."""
    from shopkeeper.cli import keeping  # noqa: PLC0415 - opens the store: not for --help

    keeping.verify(options.chosen(shop, as_json), which, to)


@app.command()
def restore(
    which: Which,
    into: Annotated[Path, typer.Argument(help="An empty or new folder.")],
    to: To = None,
    shop: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into an empty folder, and bring it up to this version."""
    from shopkeeper.cli import keeping  # noqa: PLC0415 - opens the store: not for --help

    keeping.restore(options.chosen(shop, as_json), which, into, to)
