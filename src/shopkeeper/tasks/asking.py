"""How a task is put to a language model, and how its reply becomes an answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from shopkeeper.core.errors import Corrupt
from shopkeeper.language import prompt
from shopkeeper.language.types import Request
from shopkeeper.tasks.types import Span, Task

_PROMPTS = Path(__file__).with_name("prompts")
_LABEL_TOKENS = 60
_SPAN_TOKENS = 800
_POLARITY = {"negative": -1, "neutral": 0, "positive": 1}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Judged(_Strict):
    aspect: str = ""
    opinion: str = ""
    polarity: Literal["negative", "neutral", "positive"]


def request(task: Task, text: str, about: Sequence[str] = ()) -> Request:
    """The request that asks the task's question about one text; the text is fenced."""
    form = prompt.load(_PROMPTS / f"{task.kind}.toml")
    fixed = {
        "question": task.question,
        "labels": "\n".join(_line(name, task) for name in task.names) or "- any short name",
        "guidelines": f"\nGuidelines:\n{task.guidelines}\n" if task.guidelines else "",
    }
    return Request(
        messages=form.messages({"text": text}, fixed),
        purpose=task.name,
        schema=schema(task.kind, task.names),
        version=form.version,
        about=tuple(about),
        max_tokens=_LABEL_TOKENS if task.kind == "label" else _SPAN_TOKENS,
    )


@cache
def schema(kind: str, names: tuple[str, ...]) -> type[BaseModel]:
    """The form of the reply: a label that is one of the task's, or a list of spans."""
    known: Any = Literal[names] if names else str
    if kind == "label":
        return create_model("Labelled", __base__=_Strict, label=(known, ...))
    opinion: Any = create_model("Opinion", __base__=_Judged, category=(known, ...))
    some: Any = list[opinion]
    return create_model("Opinions", __base__=_Strict, opinions=(some, Field(max_length=40)))


def value(task: Task, text: str, reply: BaseModel | None, confidence: float) -> Any:
    """The label, or the spans whose words really stand in the text; the others are dropped."""
    if reply is None:
        raise Corrupt("A model's reply has no value.", hint="Ask it with a form.")
    told = reply.model_dump()
    if task.kind == "label":
        return str(told["label"])
    return tuple(span for one in told["opinions"] if (span := _span(text, one, confidence)))


def _span(text: str, told: dict[str, str], confidence: float) -> Span | None:
    aspect, opinion = told["aspect"].strip(), told["opinion"].strip()
    if not (aspect or opinion) or aspect not in text or opinion not in text:
        return None
    start = text.find(aspect) if aspect else -1
    end = start + len(aspect) if aspect else -1
    polarity = _POLARITY[told["polarity"]]
    return Span(aspect, told["category"], opinion, polarity, start, end, confidence)


def _line(name: str, task: Task) -> str:
    meaning = next(label.meaning for label in task.labels if label.name == name)
    return f"- {name}: {meaning}" if meaning else f"- {name}"
