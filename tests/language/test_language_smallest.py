from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal, Union

import pytest
from pydantic import BaseModel, Field

from shopkeeper.language.smallest import Endless, inner, smallest


class Colour(Enum):
    RED = "red"
    ULTRAMARINE = "ultramarine"


class Tree(BaseModel):
    name: str
    children: list[Tree] = []
    left: Tree | None = None


class Chain(BaseModel):
    next: Chain


class Everything(BaseModel):
    text: Annotated[str, Field(min_length=3)]
    count: Annotated[int, Field(ge=2, le=5)]
    below: Annotated[float, Field(lt=-1)]
    above: Annotated[int, Field(gt=7)]
    label: Literal["yes", "no, not at all"]
    colour: Colour
    several: Annotated[list[Tree], Field(min_length=2)]
    pair: tuple[int, str]
    either: Union[int, str]  # noqa: UP007 - the other spelling of a union
    table: dict[str, int]
    flag: bool
    maybe: str | None


@pytest.mark.parametrize("form", [Tree, Everything])
def test_the_shortest_value_keeps_to_its_form(form: type[BaseModel]) -> None:
    form.model_validate(smallest(form.model_json_schema()))


def test_of_a_choice_it_is_the_longest() -> None:
    value = smallest(Everything.model_json_schema())
    assert value["label"] == "no, not at all"
    assert value["colour"] == "ultramarine"


def test_objects_inside_are_found_once_each() -> None:
    assert len(inner(Everything.model_json_schema())) == 2  # a tree, and the table


def test_a_form_without_end_is_refused() -> None:
    with pytest.raises(Endless):
        smallest(Chain.model_json_schema())
