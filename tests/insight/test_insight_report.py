"""The report's part about what customers say: read first, told in their words, never run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from tests.report.reading import Reading

from shopkeeper.core.errors import NotAllowed
from shopkeeper.core.operation import Actor, Context, Operation, find
from shopkeeper.core.schema import TEXTS
from shopkeeper.core.settings import Language, Settings
from shopkeeper.insight import operations as insight
from shopkeeper.report.operations import run
from shopkeeper.shop.shop import Shop
from shopkeeper.simulate import operations as simulate
from shopkeeper.warehouse.arrow import arrow_schema

HOSTILE = "质量太差了</td><script>alert('read me')</script><img src=x onerror=alert(2)>，希望能改进"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A simulated shop in which somebody wrote a script into the newest reviews."""
    folder = tmp_path_factory.mktemp("said") / "shop"
    with Shop.create(folder, Settings(time_zone="Asia/Shanghai", currency="CNY")) as shop:
        simulate.build(shop, seed=11, events=20_000)
        days = shop.span()
        assert days is not None
        rows = [
            {
                "text_id": f"hostile{n}",
                "kind": "review",
                "author_role": "customer",
                "customer_id": f"h{n}",
                "time": datetime.combine(days.end, datetime.min.time(), UTC),
                "day": days.end,
                "body": HOSTILE,
                "source": "test",
            }
            for n in range(60)
        ]
        with shop.writer("test") as writer:
            writer.load(TEXTS.name, pa.Table.from_pylist(rows, schema=arrow_schema(TEXTS)))
        yield shop


@pytest.fixture(scope="module", params=["en", "zh"])
def written(told: Shop, request: pytest.FixtureRequest) -> str:
    lang: Language = request.param
    return Path(run(told, lang=lang).path).read_text("utf-8")


def test_the_run_reads_new_texts_and_finds_themes_first(told: Shop, written: str) -> None:
    assert insight.sentiment(told).whole is not None
    again = insight.read(told)
    assert sum(one.read for one in again.tasks) == 0
    themes = insight.themes(told, lang="en").themes
    reading = Reading(written)
    assert {"said-themes", "said-praise", "said-objections", "said-wishes"} <= {
        one.removeprefix("group-") for one in reading.ids
    }
    assert themes
    assert {"figure-said-negative", "figure-said-positive", "figure-said-neutral"} <= set(
        reading.ids
    )


def test_scripts_in_reviews_are_shown_and_never_run(written: str) -> None:
    reading = Reading(written)
    assert reading.faults == []
    assert [tag for tag, _ in reading.elements].count("script") == 1
    assert "img" not in {tag for tag, _ in reading.elements}
    assert reading.handlers == []
    assert "alert('read me')" in reading.text  # it is quoted, as text
    assert "<script>alert" not in written


def test_quotes_are_verbatim_and_bear_the_ids_of_their_texts(told: Shop, written: str) -> None:
    voices = insight.voices(told, k=5)
    reading = Reading(written)
    bodies = {
        row["text_id"]: row["body"]
        for row in told.query(lambda s: s.texts().select("text_id", "body")).to_pylist()
    }
    quotes = [q for voice in (*voices.praise, *voices.objections) for q in voice.quotes]
    shown = [q for q in quotes if q.text_id in reading.texts]
    assert shown
    for quote in shown:
        assert quote.text in bodies[quote.text_id]
        assert " ".join(quote.text.split())[:60] in reading.text


def test_the_commands_work(written: str) -> None:
    commands = [t for t in Reading(written).texts if t.startswith("shopkeeper insight")]
    assert len(commands) > 8
    for command in commands:
        _, capability, name, *rest = shlex.split(command)
        operation = find(f"{capability}.{name.replace('-', '_')}")
        named = [i for i, word in enumerate(rest) if word.startswith("--")]
        given = {rest[i][2:]: rest[i + 1] for i in named}
        if rest and not rest[0].startswith("--"):
            given["theme_id"] = rest[0]
        operation.check(given)


def test_chinese_words_around_the_quotes(told: Shop) -> None:
    page = Path(run(told, lang="zh").path).read_text("utf-8")
    assert "客户在说什么" in page
    assert not re.search(r"Texts that blame|In their words", page)


def test_a_shop_without_texts_says_what_would_fill_the_section(shop: Shop) -> None:
    simulate.build(shop, seed=3, events=3_000, scenario="quiet")
    days = shop.span()
    assert days is not None
    page = Path(run(shop, lang="en").path).read_text("utf-8")
    if insight.sentiment(shop).whole is None:
        assert "bring in reviews" in page
    assert Reading(page).faults == []


def test_who_may_not_see_insight_sees_it_in_a_report_and_nowhere_else(told: Shop) -> None:
    """Decision 0015: a report shows what it declares to read, to whoever may make one."""
    maker = Context(told, Actor("key", "robot", frozenset({"report:write"})))
    page = Path(run(maker, lang="en", out="robot.html").path).read_text("utf-8")
    assert "figure-said-negative" in Reading(page).ids
    for asked in (insight.sentiment, insight.voices, insight.themes):
        with pytest.raises(NotAllowed, match=rf"robot may not run insight\.{asked.name}"):
            asked(maker)
    onlooker = Context(told, Actor("key", "onlooker", frozenset({"insight:read", "report:read"})))
    with pytest.raises(NotAllowed, match=r"report:write"):
        run(onlooker, lang="en", out="onlooker.html")
    assert not (told.folder / "reports" / "onlooker.html").exists()


def test_without_the_declaration_the_report_may_not_read_what_customers_say(told: Shop) -> None:
    others = [one for one in run.reads if one != "insight"]
    undeclared = Operation(run.function, run.effect, {}, job=True, reads=others)
    maker = Context(told, Actor("key", "robot", frozenset({"report:write"})))
    with pytest.raises(NotAllowed, match="insight"):
        undeclared(maker, lang="en", out="undeclared.html")
    assert not (told.folder / "reports" / "undeclared.html").exists()
