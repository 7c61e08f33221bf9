from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from shopkeeper.core import discovery
from shopkeeper.core.errors import BadInput, Conflict, NotAllowed, ShopkeeperError, UnknownName
from shopkeeper.core.operation import (
    IRREVERSIBLE,
    OWNER,
    READ,
    WRITE,
    Actor,
    Context,
    Effect,
    Operation,
    find,
    of,
    operation,
)
from shopkeeper.core.period import Period
from shopkeeper.core.plan import Planned, Step
from shopkeeper.core.types import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shopkeeper.shop.shop import Shop


class Echo(Value):
    since: str
    k: int


@operation(effect=READ, example={"since": "30d"})
def themes(ctx: Context, since: Period, k: int = 20) -> Echo:
    """What was asked.

    And more.
    """
    return Echo(since=since, k=k)


@operation(effect=WRITE)
def label(ctx: Context, fail: bool = False) -> Echo:
    """Writes."""
    if fail:
        raise BadInput("no")
    return Echo(since="", k=0)


class Trail:
    """Stands where a shop would: it keeps what an operation asks to be recorded."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str]] = []

    @contextmanager
    def audited(self, actor: Actor, name: str, arguments: Mapping[str, Any]) -> Iterator[None]:
        try:
            yield
        except ShopkeeperError:
            self.entries.append((name, "failed"))
            raise
        self.entries.append((name, "done"))


def _ctx(*scopes: str) -> tuple[Context, Trail]:
    trail = Trail()
    return Context(cast("Shop", trail), Actor("key", "k", frozenset(scopes))), trail


def test_a_call_checks_and_converts_its_arguments() -> None:
    ctx, _ = _ctx("*:*")
    assert themes(ctx, Period("7d")) == Echo(since="7d", k=20)
    assert themes.run(ctx, {"since": "2024-01", "k": 3}) == Echo(since="2024-01", k=3)
    assert themes.summary == "What was asked."
    assert themes.reply is Echo


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "since"),
        ({"since": "soon"}, "since"),
        ({"since": "1d", "k": "many"}, "k"),
        ({"sinse": "1d"}, "sinse"),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, Any], field: str) -> None:
    ctx, _ = _ctx("*:*")
    with pytest.raises(BadInput) as caught:
        themes.run(ctx, arguments)
    assert caught.value.field == field


def test_an_unknown_argument_says_what_was_meant() -> None:
    ctx, _ = _ctx("*:*")
    with pytest.raises(UnknownName, match="Did you mean 'since'"):
        themes.run(ctx, {"sinse": "1d"})


def test_rights_are_by_capability_and_verb() -> None:
    reader, _ = _ctx(f"{themes.capability}:read")
    assert themes(reader, Period("1d"))
    with pytest.raises(NotAllowed, match="may not run"):
        label(reader)
    stranger, _ = _ctx("insight:*")
    with pytest.raises(NotAllowed):
        themes(stranger, Period("1d"))
    writer, trail = _ctx(f"{label.capability}:write")
    label(writer)
    assert trail.entries == [(label.full_name, "done")]
    assert OWNER.may("anything", Effect.IRREVERSIBLE)


def test_holding_a_scope_means_itself_or_a_wider_one() -> None:
    actor = Actor("key", "k", frozenset({"metrics:read", "collect:write"}))
    assert actor.holds("metrics:read")
    assert actor.holds("collect:read")
    assert not actor.holds("metrics:write")
    assert not actor.holds("metrics:*")
    assert not actor.holds("*:read")
    assert OWNER.holds("*:*")
    assert Actor("key", "k", frozenset({"*:read"})).holds("audit:read")


def test_a_write_is_audited_also_when_it_fails_and_a_read_is_not() -> None:
    ctx, trail = _ctx("*:*")
    with pytest.raises(BadInput):
        label(ctx, fail=True)
    themes(ctx, Period("1d"))
    assert trail.entries == [(label.full_name, "failed")]


def test_effects_above_write_cannot_be_declared_without_a_plan() -> None:
    with pytest.raises(ValueError, match="plan"):
        operation(effect=Effect.CONTACT)
    with pytest.raises(ValueError, match="plan"):
        operation(effect=WRITE, plan=lambda _ctx: ())
    with pytest.raises(ValueError, match="confirm"):
        operation(effect=IRREVERSIBLE, plan=lambda _ctx: ())(lambda _ctx: Gone())


class Gone(Planned):
    rows: int = 0


left = {"rows": 2}


@operation(
    effect=IRREVERSIBLE,
    plan=lambda _ctx, table: (Step(where=table, what="rows removed", count=left["rows"]),),
)
def wipe(ctx: Context, table: str, confirm: str = "") -> Gone:
    """Wipes."""
    rows, left["rows"] = left["rows"], 0
    return Gone(rows=rows)


def test_what_cannot_be_taken_back_is_planned_first_and_done_when_its_hash_is_confirmed() -> None:
    left["rows"] = 2
    ctx, trail = _ctx("*:*")
    person = Context(ctx.shop, Actor("person", "ann", frozenset({"*:*"})))
    asked = wipe(person, "events")
    assert asked.plan is not None
    assert asked.plan.steps == (Step(where="events", what="rows removed", count=2),)
    assert (left["rows"], trail.entries) == (2, [])
    other = wipe(person, "texts")
    assert other.plan is not None
    with pytest.raises(Conflict, match="no longer"):
        wipe(person, "events", confirm=other.plan.hash)
    left["rows"] = 3
    with pytest.raises(Conflict, match="no longer"):
        wipe(person, "events", confirm=asked.plan.hash)
    left["rows"] = 2
    assert wipe(person, "events", confirm=asked.plan.hash) == Gone(rows=2)
    assert trail.entries == [(wipe.full_name, "done")]


def test_a_key_may_ask_for_a_plan_and_never_confirm_it() -> None:
    left["rows"] = 2
    ctx, trail = _ctx("*:*")
    for kind in ("key", "server", "browser", "agent"):
        keyed = Context(ctx.shop, Actor(kind, "k", frozenset({"*:*"})))
        asked = wipe(keyed, "events")
        assert asked.plan is not None
        with pytest.raises(NotAllowed, match="only a person"):
            wipe(keyed, "events", confirm=asked.plan.hash)
    reader, _ = _ctx(f"{wipe.capability}:read")
    with pytest.raises(NotAllowed):
        wipe(reader, "events")
    assert (left["rows"], trail.entries) == (2, [])


def test_every_shipped_operation_is_found_documented_and_typed() -> None:
    found: list[Operation[Any, Any]] = [o for c in discovery.capabilities() for o in of(c).values()]
    assert found
    for declared in found:
        assert declared.summary, declared.full_name
        assert declared.summary.endswith("."), declared.full_name
        assert issubclass(declared.reply, Value), declared.full_name
        assert declared.arguments.model_config["extra"] == "forbid"
        assert find(declared.full_name) is declared
        declared.check(declared.example)
    with pytest.raises(UnknownName, match="Did you mean"):
        find("metrics.overvieww")
