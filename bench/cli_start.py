"""How long `shopkeeper --help` takes, from a fresh process, median of ten."""

from __future__ import annotations

from bench.harness import Row, child, write


def main() -> None:
    """Measure and record."""
    child(["-m", "shopkeeper.cli.main", "--help"])  # fills the file cache, as on any second call
    runs = [child(["-m", "shopkeeper.cli.main", "--help"]).seconds for _ in range(10)]
    write("cli_start", [Row.of("cli.start.seconds", runs, "s")], data="no data")
