"""The commands made of operations, each built only when it is called, so that start-up stays fast."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from shopkeeper.core import discovery

SHORTCUTS = {"run": "report.run", "import": "collect.import_file"}
"""Operations that are also commands of their own, because everybody needs them."""

_SOURCE = Path(__file__).parents[1]


class Deferred(TyperCommand):
    """A command known by name and one line of help; the real one is built when it is called."""

    def __init__(self, name: str, text: str, build: Callable[[], Any]) -> None:
        super().__init__(name, help=text, rich_markup_mode=None)
        self.build = build

    def make_context(  # the parent's signature
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """The real command's context: from here on it stands in for this one."""
        return self.build().make_context(info_name, args, parent=parent, **extra)


def commands() -> list[Deferred]:
    """One command for each capability, and the shortcuts."""
    modules = discovery.capabilities()
    found = [
        Deferred(dashed(name), _folder_line(module), partial(_group, name))
        for name, module in modules.items()
    ]
    for name, full_name in SHORTCUTS.items():
        capability, _, function = full_name.partition(".")
        text = _function_line(modules.get(capability, ""), function)
        if text is not None:
            found.append(Deferred(name, text, partial(_shortcut, full_name)))
    return found


def dashed(name: str) -> str:
    """The name as it is typed."""
    return name.replace("_", "-")


def _group(capability: str) -> TyperGroup:
    derive = importlib.import_module(
        "shopkeeper.cli.derive"
    )  # pydantic and every operation's types
    operations = derive.of(capability)
    return TyperGroup(
        name=dashed(capability),
        help=_folder_line(discovery.capabilities()[capability]),
        commands={dashed(name): derive.command(o) for name, o in operations.items()},
        no_args_is_help=True,
        rich_markup_mode=None,
    )


def _shortcut(full_name: str) -> Any:
    derive = importlib.import_module("shopkeeper.cli.derive")
    return derive.command(derive.find(full_name))


def _folder_line(module: str) -> str:
    path = _path(module).parent / "__init__.py"
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) if path.exists() else None
    return (text or "").partition("\n")[0]


def _function_line(module: str, name: str) -> str | None:
    """The first line of a function's docstring, read without importing its module; None: no such."""
    if not module:
        return None
    for node in ast.parse(_path(module).read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return None


def _path(module: str) -> Path:
    return _SOURCE.joinpath(*module.split(".")[1:]).with_suffix(".py")


def attach(app: typer.Typer) -> TyperGroup:
    """The root command: the app's own commands, then those made of operations."""
    root = typer.main.get_command(app)
    if not isinstance(root, TyperGroup):
        raise TypeError("the app needs at least two commands to be a group")
    for command in commands():
        if command.name not in root.commands:
            root.add_command(command)
    return root
