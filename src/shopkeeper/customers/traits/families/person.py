"""Who a customer is, as they told; and what makes an account one to doubt."""

from __future__ import annotations

import narwhals as nw

from shopkeeper.core.events import ROBOT_EVENTS, ROBOT_EVENTS_A_DAY
from shopkeeper.customers.traits.scene import Scene
from shopkeeper.warehouse.source import Frame

_BIRTHDAYS = ("birthday", "birth_date", "birthdate", "date_of_birth", "生日")
_TEST_STARTS = ("test-", "test_", "qa-", "qa_", "demo-", "demo_")
_TEST_TRAITS = ("is_test", "test", "internal", "test_account", "测试账号")
_TRUE = ("true", "1", "yes", "是")
_DATE = 10  # characters of 2026-11-22


def frames(scene: Scene) -> list[Frame]:
    """Language and country; the birthday and the mark of a test account, where they were told."""
    person = scene.theirs(scene.source.customers().select("customer_id", "language", "country"))
    told = scene.resolved(scene.source.traits().select("customer_id", "name", "value", "time"))
    birthdays = told.filter(nw.col("name").str.to_lowercase().is_in(_BIRTHDAYS))
    birthday = birthdays.group_by("customer_id").agg(nw.col("value").max().alias("birthday"))
    tests = told.filter(
        nw.col("name").str.to_lowercase().is_in(_TEST_TRAITS),
        nw.col("value").str.to_lowercase().is_in(_TRUE),
    )
    return [person, birthday, tests.group_by("customer_id").agg(nw.len().alias("told_test"))]


def columns(scene: Scene) -> dict[str, nw.Expr]:
    """The traits, ``doubt`` among them: bot, test, refunds or birthday, in this order."""
    birthday, today = nw.col("birthday").str.slice(0, _DATE), scene.as_of.isoformat()
    known = birthday.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    future = known & (birthday > today)
    year = nw.when(known & ~future).then(birthday.str.slice(0, 4)).cast(nw.Int64)
    later = nw.when(birthday.str.slice(5, 5) > today[5:]).then(nw.lit(1)).otherwise(nw.lit(0))
    name = nw.col("customer_id").str.to_lowercase()
    starts = name.str.starts_with(_TEST_STARTS[0])
    for one in _TEST_STARTS[1:]:
        starts = starts | name.str.starts_with(one)
    busy = nw.coalesce(nw.col("events_a_day"), nw.lit(0.0)) >= ROBOT_EVENTS_A_DAY
    bot = busy & (nw.col("events") >= ROBOT_EVENTS) & (nw.col("orders") == 0)
    doubt: nw.Expr = nw.when(nw.coalesce(future, nw.lit(False))).then(nw.lit("birthday"))
    doubt = nw.when(nw.coalesce(nw.col("net_revenue"), nw.lit(0.0)) < 0).then(
        nw.lit("refunds")
    ).otherwise(doubt)  # fmt: skip
    doubt = nw.when(starts | ~nw.col("told_test").is_null()).then(nw.lit("test")).otherwise(doubt)
    return {
        "language": nw.col("language"),
        "country": nw.col("country"),
        "age": scene.as_of.year - year - later,
        "doubt": nw.when(bot).then(nw.lit("bot")).otherwise(doubt),
    }
