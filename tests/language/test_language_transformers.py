"""Local weights: a tiny Llama with random ones, which holds to a form because it cannot do otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

pytest.importorskip("torch", reason="the extra `train` is not installed")

from tests.language import tiny

from shopkeeper.core.errors import BadInput, ModelBusy, TooLarge
from shopkeeper.language.guard import Rules, guard
from shopkeeper.language.opening import open_backend
from shopkeeper.language.types import Backend, Message, Request


class Aspect(Enum):
    PRICE = "price"
    DELIVERY = "delivery 物流"


class Span(BaseModel):
    aspect: Aspect
    polarity: Annotated[int, Field(ge=-1, le=1)]
    words: str


class Review(BaseModel):
    label: Literal["positive", "negative", "neutral"]
    sure: float
    spans: list[Span]
    note: str | None
    extra: dict[str, int] = {}


class Tree(BaseModel):
    name: str
    children: list[Tree]


class Short(BaseModel):
    ok: bool


class Endless(BaseModel):
    next: Endless


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def backend(weights: Path) -> Iterator[Backend]:
    opened = open_backend(f"transformers:{weights}")
    yield opened
    opened.close()


def _ask(form: type[BaseModel] | None, tokens: int, temperature: float = 0.0) -> Request:
    turns = (Message("system", "Read the review."), Message("user", "物流很快，good tea"))
    return Request(turns, "reading", form, temperature=temperature, max_tokens=tokens)


@pytest.mark.parametrize("temperature", [0.0, 2.0])
@pytest.mark.parametrize("tokens", [128, 300])
@pytest.mark.parametrize("form", [Review, Tree, Short], ids=lambda form: form.__name__)
def test_random_weights_keep_to_every_form(
    backend: Backend, form: type[BaseModel], tokens: int, temperature: float
) -> None:
    reply = backend.complete(_ask(form, tokens, temperature))
    assert isinstance(reply.value, form)
    assert reply.tokens_out <= 2 * tokens


def test_the_same_question_has_the_same_answer(backend: Backend) -> None:
    first, second = (backend.complete(_ask(Review, 200, 1.0)) for _ in range(2))
    assert first.text == second.text


def test_without_a_form_it_writes_until_the_limit(backend: Backend) -> None:
    reply = backend.complete(_ask(None, 12))
    assert reply.tokens_out <= 12
    assert reply.whole is (reply.tokens_out < 12)


def test_nothing_leaves_the_machine_and_nothing_is_charged(backend: Backend, rules: Rules) -> None:
    assert not backend.remote
    guarded = guard(backend, Rules(**{**vars(rules), "may_send": lambda _r: False}))
    assert guarded.complete(_ask(Short, 64)).cost == 0.0


@pytest.mark.parametrize(
    ("form", "tokens", "error", "said"),
    [
        (Review, 20, BadInput, "too few"),
        (Endless, 100, BadInput, "has an end"),
        (None, 9000, TooLarge, "reads 8,192"),
    ],
    ids=["small", "endless", "long"],
)
def test_what_cannot_end_well_is_not_begun(
    backend: Backend, form: type[BaseModel] | None, tokens: int, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=rf"{said}"):
        backend.complete(_ask(form, tokens))


def test_a_slow_answer_ends_in_time(backend: Backend) -> None:
    request = Request(_ask(None, 1).messages, "reading", max_tokens=4000, timeout=0.05)
    with pytest.raises(ModelBusy, match="did not finish") as raised:
        backend.complete(request)
    assert raised.value.tokens_out is not None


NO_SYSTEM = (
    "{{ raise_exception('no system turn') if messages[0]['role'] == 'system' }}"
    "{{ messages[0]['content'] }}"
)


@pytest.mark.parametrize("template", [None, NO_SYSTEM], ids=["none", "no-system"])
def test_templates_may_be_missing_or_know_no_system_turn(
    tmp_path: Path, template: str | None
) -> None:
    opened = open_backend(f"transformers:{tiny.save(tmp_path, template=template)}")
    assert isinstance(opened.complete(_ask(Short, 64)).value, Short)
    opened.close()


def test_broken_weights_are_bad_input(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path)
    (folder / "config.json").write_text('{"model_type": "nothing"}')
    with pytest.raises(BadInput, match="cannot be read"):
        open_backend(f"transformers:{folder}")
