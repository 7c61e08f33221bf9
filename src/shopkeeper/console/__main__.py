"""``python -m shopkeeper.console --shop DIR --port N``: the console alone, until it is told to stop."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from shopkeeper.console import process
from shopkeeper.console.options import ConsoleOptions
from shopkeeper.core.errors import ShopkeeperError


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM; 1 and a message where that is not possible."""
    defaults = ConsoleOptions()
    parser = argparse.ArgumentParser(
        prog="shopkeeper.console", description="Serve the web console."
    )
    parser.add_argument("--shop", type=Path, default=Path(), help="the shop's folder")
    parser.add_argument("--host", default=defaults.host, help="address to listen on")
    parser.add_argument("--port", type=int, default=defaults.port, help="0 takes a free one")
    parser.add_argument("--name", action="append", default=[], help="a host name people use")
    parser.add_argument("--secure", action="store_true", help="behind a proxy that ends TLS")
    parser.add_argument("--trusted-proxy", default="", help="whose X-Forwarded-For is believed")
    parser.add_argument("--idle-minutes", type=float, default=defaults.idle_minutes)
    given = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s console %(levelname)s %(message)s"
    )
    try:
        options = ConsoleOptions(
            host=given.host,
            port=given.port,
            names=tuple(given.name),
            secure=given.secure,
            trusted_proxy=given.trusted_proxy,
            idle_minutes=given.idle_minutes,
        )
        process.run(given.shop, options)
    except (ShopkeeperError, ValueError) as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
