"""What collect can read without anything written by the user."""

from __future__ import annotations

from shopkeeper.collect import mapping
from shopkeeper.collect.importing import IMPORTERS
from shopkeeper.collect.types import MappingLine, Mappings
from shopkeeper.core import discovery


def listed() -> Mappings:
    """The shipped mappings with the columns they need, the importers and the formats."""
    lines = []
    for name in mapping.shipped():
        one = mapping.load(name)
        needed = dict.fromkeys(column for _, columns in one.theirs() for column in columns)
        lines.append(
            MappingLine(
                name=name,
                about=one.about,
                target=one.target,
                format=one.file.format or "by the file's name",
                columns=tuple(needed),
            )
        )
    return Mappings(
        mappings=tuple(lines),
        importers=tuple(discovery.names(IMPORTERS)),
        formats=tuple(discovery.names("shopkeeper.collect.formats")),
    )
