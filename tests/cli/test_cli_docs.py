"""Every command that the documents show is one that the command line takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shopkeeper.cli import main, tree

ROOT = Path(__file__).parents[2]
GUIDES = (
    "README.md",
    "README.zh.md",
    *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md"))),
)
PLACEHOLDER = re.compile(r"…|\[--|&&|;|\bFILE\b")


def shown(guide: str) -> Iterator[str]:
    """The commands in a document's blocks of code, without what is left for the reader to fill in."""
    text = (ROOT / guide).read_text("utf-8")
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            command = re.split(r"\s#\s", line.strip())[0]
            whole = command.count("'") % 2 == 0  # else it goes on in the next line
            if whole and command.startswith("shopkeeper ") and not PLACEHOLDER.search(command):
                yield command


def parse(words: list[str]) -> None:
    """Parse as the shell would call it; nothing is run."""
    command: Any = tree.attach(main.app)
    name, context = "shopkeeper", None
    while True:
        context = command.make_context(name, words, parent=context)
        command = context.command
        left = [*getattr(context, "_protected_args", []), *context.args]
        if not hasattr(command, "resolve_command") or not left:
            return
        name, command, words = command.resolve_command(context, left)


@pytest.mark.parametrize("guide", GUIDES)
def test_the_commands_of_the_guides_parse(guide: str) -> None:
    for command in shown(guide):
        try:
            parse(shlex.split(command)[1:])
        except Exception as error:
            raise AssertionError(f"{command}: {error!r} {error}") from error


def test_required_arguments_go_by_place_and_by_name() -> None:
    parse(["customers", "profile", "C1"])
    parse(["customers", "profile", "--customer-id", "C1"])
    parse(["insight", "rename-theme", "T1", "--name", "Parcels"])
    with pytest.raises(Exception, match="unexpected extra"):
        parse(["customers", "profile", "C1", "C2"])
