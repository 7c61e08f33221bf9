"""Who may be reached, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contact.conftest import NOON, OPEN, World

from shopkeeper.contact import addresses
from shopkeeper.contact.eligibility import Ask, Why, counts, judge
from shopkeeper.contact.policy import Policy, Quiet, current
from shopkeeper.contact.quiet import is_quiet, next_allowed, zone_of
from shopkeeper.store.messages import Draft
from shopkeeper.store.reach import reading
from shopkeeper.store.suppressions import Cause, Suppressions

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Shanghai",
    "Asia/Kolkata",
)


def ask(world: World, **told: object) -> Ask:
    policy = Policy.model_validate(told.pop("rules", OPEN))
    base = Ask("marketing", "email", "email", policy, world.clock.now, "Asia/Shanghai")
    return replace(base, **told)  # type: ignore[arg-type]  # fields of Ask


def why(world: World, *customers: str, **told: object) -> list[str]:
    with reading(world.shop.database) as reach:
        known = Suppressions(world.shop.database)
        return [v.why.value for v in judge(reach, known, ask(world, **told), list(customers))]


def test_every_reason_is_found_and_the_first_of_several_is_told(world: World) -> None:
    for one in ("fine", "complained", "bounced", "manual", "gone", "held", "restricted"):
        world.customer(one)
    world.customer("silent", granted="")
    world.customer("refused")
    world.say("refused", "DENY", "email", days=2)
    world.customer("withdrew")
    world.say("withdrew", "REVOKED", "email", days=2)
    world.customer("nowhere", email="")
    world.customer("injected", email="a@example.com\r\nBcc: all@example.com")
    world.customer("elsewhere", time_zone="America/New_York")
    known = Suppressions(world.shop.database)
    known.add(Cause.COMPLAINT, address="complained@example.com", by="provider")
    known.add(Cause.UNSUBSCRIBE, customer_id="complained", channel="email", by="link")
    known.add(Cause.BOUNCE, address="bounced@example.com", channel="email", by="provider")
    known.add(Cause.MANUAL, customer_id="manual", channel="sms", by="person")
    assert why(world, "manual") == ["ok"]  # of another channel
    known.add(Cause.MANUAL, customer_id="manual", by="person")
    known.add(Cause.UNSUBSCRIBE, customer_id="gone", purpose="marketing", by="link")
    world.shop.restrictions.add(["restricted"], "asked to")
    expected = {
        "fine": "ok", "complained": "suppressed_complaint", "bounced": "suppressed_bounce",
        "manual": "suppressed_manual", "gone": "suppressed_unsubscribe", "silent": "no_consent",
        "refused": "consent_refused", "withdrew": "consent_withdrawn", "nowhere": "no_address",
        "injected": "invalid_address", "held": "control", "elsewhere": "quiet_hours",
        "restricted": "restricted", "nobody": "no_consent",
    }  # fmt: skip
    told = {"control": {"held"}, "rules": {**OPEN, "quiet": {}}}
    assert dict(zip(expected, why(world, *expected, **told), strict=True)) == expected
    found = counts(world.shop.database, ask(world, **told), list(expected))
    assert found == {Why(v): list(expected.values()).count(v) for v in expected.values()}


def test_a_grant_after_an_unsubscription_counts_again_but_not_after_a_complaint(
    world: World,
) -> None:
    world.customer("ann")
    known = Suppressions(world.shop.database)
    known.add(Cause.UNSUBSCRIBE, address="ann@example.com", channel="email", by="link")
    assert why(world, "ann") == ["suppressed_unsubscribe"]
    world.clock.now = datetime.now(UTC) + timedelta(hours=2)
    world.say("ann", "GRANT", "email", minutes=1)
    assert why(world, "ann") == ["ok"]
    known.add(Cause.COMPLAINT, address="ann@example.com", by="provider")
    assert why(world, "ann") == ["suppressed_complaint"]
    assert known.lift(address="ann@example.com") == 2
    assert why(world, "ann") == ["ok"]


def test_what_was_said_under_another_id_of_the_customer_counts(world: World) -> None:
    world.customer("ann", granted="")
    world.say("device-7", "GRANT", "email", days=3)
    assert why(world, "ann") == ["no_consent"]
    world.shop.people.identify("device-7", "ann", "login", NOON)
    assert why(world, "ann") == ["ok"]
    world.say("ann", "REVOKED", "email", days=2)
    assert why(world, "ann") == ["consent_withdrawn"]
    Suppressions(world.shop.database).add(Cause.MANUAL, customer_id="device-7", by="person")
    assert why(world, "ann") == ["suppressed_manual"]


def test_a_service_message_needs_no_consent_but_heeds_suppression_and_restriction(
    world: World,
) -> None:
    for one in ("silent", "bounced", "restricted"):
        world.customer(one, granted="", time_zone="America/New_York")
    Suppressions(world.shop.database).add(Cause.BOUNCE, address="bounced@example.com", by="p")
    Suppressions(world.shop.database).add(
        Cause.UNSUBSCRIBE, customer_id="silent", purpose="marketing", by="link"
    )
    world.shop.restrictions.add(["restricted"], "asked to")
    told = {"purpose": "service", "rules": {}}
    found = why(world, "silent", "bounced", "restricted", **told)
    assert found == ["ok", "suppressed_bounce", "restricted"]


def test_caps_count_over_all_campaigns_within_their_window_and_not_service(world: World) -> None:
    world.customer("ann")
    drafts = [
        ("email", "marketing", 1), ("sms", "marketing", 30), ("email", "service", 2),
        ("email", "marketing", 100),
    ]  # fmt: skip
    for number, (channel, purpose, hours) in enumerate(drafts):
        at = world.clock.now - timedelta(hours=hours)
        draft = Draft(f"s{number}", "ann", channel, purpose, {"text": "x"}, at)
        world.outbox.put([draft], now=at)
        (message,) = world.outbox.lease(channel, f"test-{number}", 1, at)
        with world.outbox.turn() as turn:
            turn.begin(message, "ann@example.com", 0, at)

    def capped(*caps: dict[str, object]) -> str:
        return why(world, "ann", rules={**OPEN, "caps": list(caps)})[0]

    assert capped({"most": 1, "days": 1}) == "capped"
    assert capped({"most": 2, "days": 1}) == "ok"
    assert capped({"most": 2, "days": 2}) == "capped"
    assert capped({"most": 2, "days": 2, "channel": "email"}) == "ok"
    assert capped({"most": 1, "days": 366, "channel": "sms"}) == "ok"  # of another channel
    assert capped({"most": 3, "days": 5}) == "capped"
    assert capped({"most": 4, "days": 5}) == "ok"


def test_a_cap_of_none_is_refused_rather_than_blocking_everything() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Policy.model_validate({"caps": [{"most": 0, "days": 1}]})


def test_the_rules_that_ship_hold_until_others_are_set(world: World) -> None:
    assert current(world.shop.database)[0] == 0
    version = world.rules(caps=[{"most": 9, "days": 9}])
    assert current(world.shop.database) == (version, Policy.model_validate({**OPEN, "caps": [
        {"most": 9, "days": 9}]}))  # fmt: skip


def test_quiet_hours_on_the_nights_when_clocks_change() -> None:
    berlin, quiet = ZoneInfo("Europe/Berlin"), Quiet(start=time(22), end=time(2, 30))
    spring = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)  # 01:59; a minute later it is 03:00
    assert next_allowed(spring, berlin, quiet) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    autumn = datetime(2026, 10, 24, 23, tzinfo=UTC)  # 01:00; 02:00 to 03:00 comes twice
    first = next_allowed(autumn, berlin, quiet)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    again = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time
    assert is_quiet(again, berlin, quiet)
    assert next_allowed(again, berlin, quiet) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    st.times(),
    st.times(),
)
def test_the_next_allowed_instant_is_the_first_that_is_not_quiet(
    name: str, at: datetime, start: time, end: time
) -> None:
    start, end = (t.replace(second=0, microsecond=0) for t in (start, end))
    if start == end:
        return
    at = at.replace(second=0, microsecond=0)
    quiet, zone = Quiet(start=start, end=end), ZoneInfo(name)
    step, expected = timedelta(minutes=1), at
    while is_quiet(expected, zone, quiet):
        expected += step
    assert next_allowed(at, zone, quiet) == expected


def test_a_zone_that_is_none_falls_back_to_the_shops() -> None:
    for name in ("", "Mars/Olympus", "../../etc/passwd", "\0", "x" * 500):
        assert zone_of(name, "Asia/Shanghai").key == "Asia/Shanghai"
    assert zone_of("Europe/Paris", "Asia/Shanghai").key == "Europe/Paris"


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("Ann.Li+shop@Example.COM", "Ann.Li+shop@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@例子.中国", "ann@xn--fsqu00a.xn--fiqs8s"),
        ("ann@localhost", ""),
        ("ann@@example.com", ""),
        ("ann@exam ple.com", ""),
        ("ann\n@example.com", ""),
        ("ann@example.com\n", ""),
        ("ann@example.com\r\nBcc: x@y.cn", ""),
        ("ann@example.com,bob@example.com", ""),
        ("<ann@example.com>", ""),
        (f"{'a' * 65}@example.com", ""),
    ],
)
def test_an_email_address_is_one_or_none(told: str, address: str) -> None:
    assert addresses.email(told) == address


@given(st.text(max_size=60))
def test_no_address_can_break_a_header(told: str) -> None:
    for kind in ("email", "phone", "openid"):
        found = addresses.normal(kind, told)
        assert not any(ord(c) < 33 or ord(c) > 126 for c in found)


def test_a_telephone_number_loses_what_is_between_its_digits() -> None:
    assert addresses.phone("+86 138-0013 8000") == "+8613800138000"
    assert addresses.phone("１３８００１３８０００") == ""
    assert addresses.phone("call me") == ""
