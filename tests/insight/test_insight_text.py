"""One text with what was read in it, and what the customers of one segment say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import narwhals as nw
import pyarrow as pa
import pytest

from shopkeeper.core.errors import NotFound, UnknownName
from shopkeeper.core.operation import Actor, Context
from shopkeeper.core.period import Period
from shopkeeper.core.schema import MEMBERSHIPS
from shopkeeper.core.settings import Settings
from shopkeeper.core.types import CannotSay
from shopkeeper.customers.operations import members
from shopkeeper.governance.operations import restrict, unrestrict
from shopkeeper.insight import operations as insight
from shopkeeper.report.operations import segment_voices
from shopkeeper.shop.shop import Shop
from shopkeeper.simulate import operations as simulate
from shopkeeper.warehouse.arrow import arrow_schema

ALL = Period("all")
SINCE = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A simulated shop whose texts are read and whose themes are known."""
    folder = tmp_path_factory.mktemp("told") / "shop"
    with Shop.create(folder, Settings(time_zone="Asia/Shanghai", currency="CNY")) as shop:
        simulate.build(shop, seed=5, events=20_000)
        insight.read(shop)
        insight.update_themes(shop)
        yield shop


def test_a_text_comes_with_its_author_its_item_and_what_was_read_in_it(told: Shop) -> None:
    quote = next(
        one
        for voice in insight.voices(told, since=ALL).objections
        for one in voice.quotes
        if one.item_id
    )
    found = insight.text(told, text_id=quote.text_id)
    assert quote.text in found.body
    assert (found.item_id, found.day) == (quote.item_id, quote.day)
    assert found.item
    assert found.customer_id
    tasks = {one.task for one in found.readings}
    assert {"sentiment", "aspects"} <= tasks
    for one in found.readings:
        if one.task == "aspects" and one.span:
            assert one.span in f"{found.title}\n{found.body}"
    chinese = insight.text(told, text_id=quote.text_id, lang="zh")
    moods = [[o.name for o in t.readings if o.task == "sentiment"] for t in (found, chinese)]
    assert moods[0][0] in ("negative", "neutral", "positive")
    assert moods[1][0] in ("差评", "中评", "好评")


def test_a_theme_of_a_text_is_named(told: Shop) -> None:
    line = insight.themes(told, since=ALL, lang="en").themes[0]
    found = insight.text(told, text_id=line.quotes[0].text_id)
    [theme] = [one for one in found.readings if one.task == "theme"]
    assert (theme.label, theme.name) == (line.theme_id, line.name)


def test_a_text_of_who_is_restricted_names_nobody(told: Shop) -> None:
    text_id = insight.voices(told, since=ALL).praise[0].quotes[0].text_id
    author = insight.text(told, text_id=text_id).customer_id
    assert author is not None
    restrict(told, author)
    assert insight.text(told, text_id=text_id).customer_id is None
    unrestrict(told, author)
    assert insight.text(told, text_id=text_id).customer_id == author
    with pytest.raises(NotFound, match="no-such"):
        insight.text(told, text_id="no-such")


def _authors(shop: Shop, text_ids: set[str]) -> set[str]:
    rows = shop.query(
        lambda source: source.texts().filter(nw.col("text_id").is_in(sorted(text_ids)))
    )
    return set(rows["customer_id"].to_pylist())


def test_an_rfm_segment_speaks_for_its_members_alone(told: Shop) -> None:
    inside = {row.customer_id for row in members(told, "champions", limit=1000).rows}
    assert inside
    reply = segment_voices(told, "champions", since=ALL, k=20)
    assert reply.members == len(inside)
    said = reply.voices
    assert said.people
    quoted = {q.text_id for v in (*said.praise, *said.objections) for q in v.quotes}
    assert quoted
    assert _authors(told, quoted) <= inside
    assert said.people < insight.voices(told, since=ALL).people
    robot = Context(told, Actor("key", "robot", frozenset({"report:read"})))
    assert segment_voices(robot, "champions", since=ALL).members == len(inside)


def test_a_stored_segment_is_who_is_in_it_now(told: Shop) -> None:
    some = [row.customer_id for row in members(told, "champions", limit=3).rows]
    rows = [
        {"customer_id": c, "segment": "S1", "version": 1, "reasons": "{}", "valid_from": SINCE}
        for c in some
    ]
    left = rows[0] | {"valid_to": datetime(2025, 2, 1, tzinfo=UTC)}
    with told.writer("test") as writer:
        for row in (rows, [left]):
            table = pa.Table.from_pylist(row, schema=arrow_schema(MEMBERSHIPS))
            writer.load(MEMBERSHIPS.name, table, check_duplicates=False)
    assert segment_voices(told, "S1", since=ALL).members == len(some) - 1
    with pytest.raises(UnknownName, match="champion"):
        segment_voices(told, "champion")


def test_an_empty_segment_says_so(tmp_path: Path) -> None:
    with Shop.create(tmp_path / "empty") as shop:
        reply = segment_voices(shop, "champions")
        assert reply.members == 0
        assert isinstance(reply.voices.cannot_say, CannotSay)
