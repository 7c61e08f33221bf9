"""An operation's arguments as options of a command, and what was typed as values again."""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shopkeeper.core.errors import BadInput
from shopkeeper.core.operation import Operation

_LISTS = (list, tuple, set, frozenset)
_ARGUMENT = re.compile(r"^ {4}(\w+): (.*(?:\n {8,}.*)*)", re.MULTILINE)


def signature(operation: Operation[Any, Any]) -> inspect.Signature:
    """What typer reads: one option for each argument, the required ones first."""
    fields = operation.arguments.model_fields
    texts = _descriptions(operation)
    parameters = [_parameter(name, field, texts.get(name, "")) for name, field in fields.items()]
    return inspect.Signature(
        sorted(parameters, key=lambda p: p.default is not inspect.Parameter.empty)
    )


def values(operation: Operation[Any, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that were given, structured ones read as JSON; the others keep their default.

    A list may be given as one JSON list or by repeating its option.
    """
    fields = operation.arguments.model_fields
    return {
        name: _structured(name, fields[name], value)
        for name, value in given.items()
        if value is not None and value != []
    }


def description(operation: Operation[Any, Any]) -> str:
    """The operation's docstring without the part on arguments, which the options show."""
    text = inspect.getdoc(operation.function) or ""
    return re.split(r"\n\s*(?:Args|Arguments):\n", text)[0].strip()


def _descriptions(operation: Operation[Any, Any]) -> dict[str, str]:
    text = inspect.getdoc(operation.function) or ""
    _, _, part = text.partition("Args:\n")
    found = {name: " ".join(words.split()) for name, words in _ARGUMENT.findall(part)}
    own = {n: f.description for n, f in operation.arguments.model_fields.items() if f.description}
    return found | own


def _parameter(name: str, field: FieldInfo, text: str) -> inspect.Parameter:
    base = _without_none(field.annotation)
    multiple = _origin(base) in _LISTS and not _is_structured(_element(base))
    kind: Any = bool if base is bool else list[str] if multiple else str
    note = (
        f"{text} [{words}]" if (words := _choices(_element(base) if multiple else base)) else text
    )
    flag = "--" + name.replace("_", "-")
    spelled = f"{flag}/--no-{flag[2:]}" if base is bool else flag
    if field.is_required():
        info: Any = typer.Option(spelled, help=note, show_default=False)
        return _keyword(name, Annotated[kind, info], inspect.Parameter.empty)
    if shown := _default(field):
        note = f"{note} [default: {shown}]".strip()
    info = typer.Option(spelled, help=note, show_default=False)
    return _keyword(name, Annotated[kind | None, info], None)


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None or default in ((), [], {}):
        return ""
    if isinstance(default, bool):
        return "yes" if default else "no"
    return ", ".join(map(str, default)) if isinstance(default, _LISTS) else str(default)


def _structured(name: str, field: FieldInfo, value: Any) -> Any:
    base = _without_none(field.annotation)
    if isinstance(value, list) and len(value) == 1 and value[0].lstrip().startswith("["):
        value = value[0]
    elif not isinstance(value, str) or not _is_structured(base):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise BadInput(
            f"--{name.replace('_', '-')} is not valid JSON: {error}.",
            hint="""Write it as JSON in single quotes, for example '{"name": "value"}'.""",
            field=name,
        ) from error


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [a for a in typing.get_args(annotation) if a is not type(None)]
        return rest[0] if len(rest) == 1 else annotation
    if typing.get_origin(annotation) is Annotated:
        return _without_none(typing.get_args(annotation)[0])
    return annotation


def _origin(annotation: Any) -> Any:
    return typing.get_origin(annotation) or annotation


def _element(annotation: Any) -> Any:
    arguments = typing.get_args(annotation)
    return _without_none(arguments[0]) if arguments else str


def _is_structured(annotation: Any) -> bool:
    origin = _origin(annotation)
    if origin in _LISTS:
        return _is_structured(_element(annotation))
    if origin in (typing.Union, types.UnionType):  # one of several shapes
        return all(_is_structured(_without_none(one)) for one in typing.get_args(annotation))
    return isinstance(origin, type) and issubclass(origin, (BaseModel, Mapping, dict))


def _choices(annotation: Any) -> str:
    if typing.get_origin(annotation) is Literal:
        return "|".join(map(str, typing.get_args(annotation)))
    return ""
