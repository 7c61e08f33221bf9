"""Anonymising: who somebody was is found nowhere, what they did counts as before."""

from __future__ import annotations

import pytest
from tests.governance.conftest import ANN, BOB, NAMES, NOW, TABLET, World
from tests.governance.test_governance_erase import traces

from shopkeeper.core.errors import Conflict, NotAllowed
from shopkeeper.core.operation import Actor, Context
from shopkeeper.core.period import Period
from shopkeeper.core.subject import ANONYMISED
from shopkeeper.governance.operations import anonymise, certificates, erase, sweep, verify_erasure
from shopkeeper.governance.types import Certificate
from shopkeeper.metrics import operations as metrics
from shopkeeper.shop import Shop

ALL = Period("all")


def confirmed(shop: Shop, *who: str) -> Certificate:
    asked = anonymise(shop, list(who))
    assert asked.plan is not None
    done = anonymise(shop, list(who), confirm=asked.plan.hash)
    assert done.certificate is not None
    return done.certificate


def counts(shop: Shop) -> list[object]:
    """Every figure that a shop shows of its customers and orders."""
    figures = metrics.overview(shop, since=ALL).figures
    told: list[object] = [(one.metric, one.value) for one in figures]
    told.append(metrics.retention(shop, cycle="month", start="activity").cohorts)
    told.append(metrics.cohorts(shop, cycle="week").cohorts)
    told.append(metrics.stickiness(shop, since=ALL).days)
    told.append(metrics.funnel(shop, since=ALL, steps=("view_item", "purchase")).steps)
    told.append(metrics.breakdown(shop, "revenue", "item_id", since=ALL).groups)
    return told


def test_every_count_is_as_before_and_the_identity_is_nowhere(world: World) -> None:
    shop = world.shop
    world.move()
    before = counts(shop)
    events = {one["event_id"]: one for one in world.events()}
    certificate = confirmed(shop, ANN)
    assert (certificate.clean, certificate.after, certificate.kind) == (True, (), "anonymised")
    assert counts(shop) == before
    after = {one["event_id"]: one for one in world.events()}
    assert set(after) == set(events)
    mine = [one for one in after.values() if str(one["customer_id"]).startswith(ANONYMISED)]
    assert (
        len({one["customer_id"] for one in mine}) == 1
    )  # several ids of hers are one customer still
    hers = {key for key, one in events.items() if one["customer_id"] == ANN}
    assert {one["event_id"] for one in mine} == hers
    for one in mine:
        old = events[one["event_id"]]
        for column in (
            "name",
            "time",
            "day",
            "item_id",
            "order_id",
            "quantity",
            "value",
            "channel",
        ):
            assert one[column] == old[column]
        assert (one["anonymous_id"], one["query"], one["properties"]) == (None, None, None)
    [kept] = certificate.kept
    assert kept.rows == len(mine)
    assert certificates(shop).certificates[0].kind == "anonymised"
    assert verify_erasure(shop, [ANN]).clean
    shop.close()
    assert traces(shop.folder, *NAMES) == []
    assert traces(shop.folder, BOB)


def test_texts_traits_and_consent_go_and_others_keep_theirs(world: World) -> None:
    shop = world.shop
    confirmed(shop, ANN)
    texts = shop.query(lambda source: source.texts().select("body", "customer_id")).to_pylist()
    assert not any("Ann" in row["body"] for row in texts)
    traits = shop.query(lambda source: source.traits().select("customer_id")).to_pylist()
    assert {row["customer_id"] for row in traits} <= {BOB}
    assert shop.people.get(BOB).traits["email"] == "bob@example.cn"
    assert shop.consent.may(BOB, "marketing", "email")
    tablet = [one["customer_id"] for one in world.events() if one["anonymous_id"] == TABLET]
    assert set(tablet) == {BOB}


def test_the_term_of_orders_does_not_take_the_pseudonym(world: World) -> None:
    confirmed(world.shop, ANN)
    plan = sweep(world.shop).plan
    assert plan is not None
    assert not any("pseudonyms" in step.where for step in plan.steps)
    old = next(one for one in world.events() if one["order_id"] == "A-0")
    assert str(old["user_id"]).startswith(ANONYMISED)
    assert (NOW - old["time"]).days > world.shop.settings.keep_orders_days


def test_a_plan_to_erase_confirms_no_anonymising_and_a_key_confirms_none(world: World) -> None:
    other = erase(world.shop, [ANN]).plan
    mine = anonymise(world.shop, [ANN]).plan
    assert other is not None
    assert mine is not None
    assert {step.what for step in mine.steps} != {step.what for step in other.steps}
    with pytest.raises(Conflict, match="no longer"):
        anonymise(world.shop, [ANN], confirm=other.hash)
    key = Context(world.shop, Actor("server", "shop", frozenset({"*:*"})))
    with pytest.raises(NotAllowed, match="only a person"):
        anonymise(key, [ANN], confirm=mine.hash)
    assert world.shop.people.get(ANN)


def test_who_was_anonymised_can_be_erased_no_more(world: World) -> None:
    confirmed(world.shop, ANN)
    pseudonym = next(
        str(one["user_id"]) for one in world.events() if str(one["user_id"]).startswith(ANONYMISED)
    )
    assert world.shop.people.customer_of(ANN) is None
    assert world.shop.audit.verify().ok
    assert pseudonym not in str(certificates(world.shop))
