"""Writes `docs/reference.md` from the code: operations, tables, errors, settings. `--check` compares."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, get_args

from shopkeeper.core import discovery, errors, operation, schema, settings

TARGET = Path(__file__).parent / "reference.md"


def reference() -> str:
    """The whole page."""
    parts = ["# Reference\n\nWritten by `make docs` from the code; do not edit.\n"]
    parts.append("## Operations\n")
    for capability in discovery.capabilities():
        parts.append(f"### {capability}\n")
        parts += [_operation(declared) for declared in operation.of(capability).values()]
    parts.append("## Tables\n")
    parts += [_table(table) for table in schema.TABLES.values()]
    parts.append(f"## Errors\n\n```\n{_tree()}\n```\n")
    parts.append(
        "## Settings\n\nIn `shopkeeper.toml`; `SHOPKEEPER_<NAME>` in the environment wins.\n"
    )
    parts.append("| name | default | meaning |\n|---|---|---|")
    for name, field in settings.Settings.model_fields.items():
        parts.append(f"| `{name}` | `{field.default!r}` | {field.description or ''} |")
    return "\n".join(parts) + "\n"


def _operation(declared: operation.Operation[Any, Any]) -> str:
    command = f"{declared.capability} {declared.name}".replace("_", "-")
    lines = [
        f"#### `{declared.full_name}`\n",
        f"{declared.summary} Effect: {declared.effect.name}{', a job' if declared.job else ''}. "
        f"`shopkeeper {command}`, `POST /v1/{declared.capability}/{declared.name}`.\n",
    ]
    fields = declared.arguments.model_fields
    if fields:
        lines.append("| argument | type | default |\n|---|---|---|")
    for name, field in fields.items():
        kind = _kind(field.annotation)
        default = "required" if field.is_required() else f"`{field.default!r}`"
        lines.append(f"| `{name}` | {kind} | {default} |")
    return "\n".join(lines) + "\n"


def _kind(annotation: Any) -> str:
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    text = re.sub(r"\b(?:typing|shopkeeper(?:\.\w+)*)\.", "", str(annotation))
    return (
        re.sub(r"^Optional\[(.*)\]$", r"\1 or None", text)
        .replace("|", "or")
        .replace("NoneType", "None")
    )


def _table(table: schema.Table) -> str:
    lines = [
        f"### {table.name}\n",
        f"Key: {', '.join(table.key)}.\n",
        "| column | type | meaning |\n|---|---|---|",
    ]
    lines += [f"| `{c.name}`{' *' if c.required else ''} | {c.type} | {c.meaning} |" for c in table]
    return "\n".join(lines) + "\n"


def _tree() -> str:
    drawn = (errors.__doc__ or "").partition("\n\n")[2]
    return drawn.strip()


def main() -> int:
    """Write the page, or say whether it is current."""
    page = reference()
    if "--check" not in sys.argv:
        TARGET.write_text(page, "utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text("utf-8") == page:
        return 0
    sys.stderr.write("docs/reference.md is not current: run `make docs` and commit it.\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
