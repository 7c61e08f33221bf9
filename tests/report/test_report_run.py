"""The report of real shops, read as a strict reader would."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from tests.report.conftest import HOSTILE
from tests.report.reading import Reading
from tests.stall import sales, stock

from shopkeeper.cli.arguments import values
from shopkeeper.core.errors import BadInput, Cancelled, NotAllowed
from shopkeeper.core.operation import Actor, Context, find
from shopkeeper.core.period import Period
from shopkeeper.core.settings import Language
from shopkeeper.customers.operations import rfm
from shopkeeper.metrics.operations import overview
from shopkeeper.report.operations import run
from shopkeeper.report.types import Report
from shopkeeper.shop import Shop

_KEY = Actor("key", "robot", frozenset({"*:*"}))


@pytest.fixture(scope="module")
def replies(full_shop: Shop) -> dict[Language, Report]:
    return {"en": run(full_shop, lang="en"), "zh": run(full_shop, lang="zh")}


@pytest.fixture(scope="module", params=["en", "zh"])
def lang(request: pytest.FixtureRequest) -> Language:
    answer: Language = request.param
    return answer


@pytest.fixture(scope="module")
def page(replies: dict[Language, Report], lang: Language) -> str:
    return Path(replies[lang].path).read_text("utf-8")


@pytest.fixture(scope="module")
def reading(page: str) -> Reading:
    return Reading(page)


def test_the_file_lies_in_the_shop_and_the_reply_says_what_it_tells(
    full_shop: Shop, replies: dict[Language, Report]
) -> None:
    reply = replies["zh"]
    path = Path(reply.path)
    assert path == full_shop.folder / "reports" / "report-zh-2024-07-29.html"
    assert path.stat().st_size == reply.bytes < 2_000_000
    assert (str(reply.first_day), str(reply.last_day)) == ("2024-05-01", "2024-07-29")
    assert reply.changed
    assert reply.next
    assert not list(path.parent.glob("*.part"))


def test_the_language_is_the_shops_first_unless_asked(full_shop: Shop) -> None:
    assert run(full_shop).language == "zh"


def test_the_page_is_well_formed_and_its_ids_are_unique(reading: Reading) -> None:
    assert reading.faults == []
    assert len(reading.ids) == len(set(reading.ids))


def test_every_anchor_leads_somewhere(
    reading: Reading, replies: dict[Language, Report], lang: Language
) -> None:
    anchors = [link[1:] for link in reading.links]
    assert set(anchors) <= set(reading.ids)
    lines = [*replies[lang].changed, *replies[lang].next]
    assert {line.section for line in lines} <= set(reading.ids)


def test_nothing_is_loaded_from_anywhere(page: str, reading: Reading) -> None:
    assert all(link.startswith("#") for link in reading.links)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", page.replace(_hostile_text(page), ""))
    assert not {"link", "iframe", "object", "embed", "form", "base"} & {
        t for t, _ in reading.elements
    }


def test_the_policy_lets_our_own_style_and_script_run_and_nothing_else(
    page: str, reading: Reading
) -> None:
    metas = [a for t, a in reading.elements if t == "meta" and a.get("http-equiv")]
    policy = metas[0]["content"] or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        blocks = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(blocks) == 1
        digest = base64.b64encode(hashlib.sha256(blocks[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert reading.styles == []  # a style attribute would be refused by the policy


def test_hostile_names_are_shown_and_not_run(page: str, reading: Reading) -> None:
    assert [t for t, _ in reading.elements].count("script") == 1
    assert "img" not in {t for t, _ in reading.elements}
    assert reading.handlers == []
    assert "alert(1)" in reading.text
    assert "<b>茶行</b>" in reading.text
    assert "<script>alert" not in page


def test_long_titles_are_clipped_and_kept_in_full(reading: Reading) -> None:
    titles = [a.get("title") or "" for _, a in reading.elements]
    assert any(t.startswith("i1 · Green tea very") and len(t) > 200 for t in titles)
    assert all(len(text) < 700 for text in reading.texts)


def test_every_drawing_has_a_title_and_a_description(reading: Reading) -> None:
    drawings = [a for t, a in reading.elements if t == "svg"]
    told = [a for a in drawings if a.get("role") == "img"]
    assert len(told) >= 7
    for attributes in told:
        assert set((attributes.get("aria-labelledby") or "").split()) <= set(reading.ids)
    assert all(a.get("aria-hidden") == "true" for a in drawings if a.get("role") != "img")


def test_headline_figures_are_those_that_metrics_and_segments_give(
    full_shop: Shop, reading: Reading, lang: Language
) -> None:
    figures = {f.metric: f for f in overview(full_shop, since=Period("90d")).figures}
    net = figures["net_revenue"].value
    assert net.kind == "exact"
    assert f"¥{net.value:,.2f}" in reading.text
    for one in rfm(full_shop, lang=lang).segments:
        assert (one.name in reading.texts) == (one.customers > 0)


def test_the_rows_behind_a_number_are_listed_and_its_command_is_right(
    full_shop: Shop, reading: Reading
) -> None:
    commands = [text for text in reading.texts if text.startswith("shopkeeper ")]
    assert len(commands) > 40
    for command in commands:
        _, capability, name, *rest = shlex.split(command)
        operation = find(f"{capability}.{name.replace('-', '_')}")
        given = dict(zip((w[2:] for w in rest if w.startswith("--")), _values(rest), strict=True))
        required = [n for n, f in operation.arguments.model_fields.items() if f.is_required()]
        if rest and not rest[0].startswith("--"):
            given[required[0]] = rest[0]
        operation.check(values(operation, given))  # as the command line reads them


def test_each_language_speaks_only_itself(
    reading: Reading, lang: Language, replies: dict[Language, Report]
) -> None:
    own = [t for t in reading.texts if not t.startswith(("shopkeeper ", "--since"))]
    if lang == "en":
        data = {"红茶", "掌"}
        chinese = [t for t in own if re.search(r"[一-鿿]", t) and not any(d in t for d in data)]
        assert [t for t in chinese if "茶行" not in t] == []
        return
    names = {"Green", "Cup", "Pot", "Tin", "Box", "Tray", "Tea", "Ware", "Lee", "Asia/Shanghai"}
    known = names | {"Shopkeeper", "RFM", "mail", "ads", "CN", "DE", "CNY", "alert", "userId"}
    words = [t for t in own if re.search(r"[A-Za-z]{3,}", t)]
    left = [t for t in words if not any(k in t for k in known) and "shopkeeper" not in t]
    assert [t for t in left if not re.fullmatch(r"[eo]\d[\d-]*|guest", t)] == []


def test_an_empty_shop_gets_a_friendly_page(shop: Shop, lang: Language) -> None:
    reply = run(shop, lang=lang)
    reading = Reading(Path(reply.path).read_text("utf-8"))
    assert reading.faults == []
    assert "shopkeeper import" in reading.text
    assert (reply.changed, reply.next, reply.first_day) == ((), (), None)


def test_a_shop_with_one_purchase_is_reported(shop: Shop, lang: Language) -> None:
    reply = run(stock(shop, sales([(0, "a", "x", 5.0)])), lang=lang)
    reading = Reading(Path(reply.path).read_text("utf-8"))
    assert reading.faults == []
    assert "¥5.00" in reading.text


def test_a_shop_without_amounts_is_reported(shop: Shop) -> None:
    lines = [(n * 0.5, f"c{n % 30}", f"i{n % 9}", None) for n in range(120)]
    reply = run(stock(shop, sales(lines)), lang="en")
    reading = Reading(Path(reply.path).read_text("utf-8"))
    assert reading.faults == []
    assert "recency and frequency alone" in reading.text


def test_a_period_without_data_says_so(shop: Shop) -> None:
    stock(shop, sales([(0, "a", "x", 5.0)]))
    reply = run(shop, since=Period("2019-01"), lang="en")
    assert Reading(Path(reply.path).read_text("utf-8")).faults == []


def test_the_owner_may_write_anywhere_others_only_into_reports(shop: Shop, tmp_path: Path) -> None:
    mine = tmp_path / "somewhere" / "mine.html"
    assert run(shop, out=str(mine)).path == str(mine)
    ctx = Context(shop, _KEY)
    inside = run(ctx, out="june.html")
    assert Path(inside.path) == (shop.folder / "reports" / "june.html").resolve()
    for out in ("../escape.html", "/tmp/escape.html", "a/../../x.html", "plain.txt", "."):
        with pytest.raises(BadInput, match="reports"):
            run(ctx, out=out)
    with pytest.raises(BadInput, match="folder"):
        run(shop, out=str(tmp_path))


def test_who_may_make_reports_reads_what_they_are_made_of_and_nothing_else(shop: Shop) -> None:
    writer = Context(shop, Actor("key", "robot", frozenset({"report:write"})))
    assert Path(run(writer).path).exists()
    with pytest.raises(NotAllowed, match="metrics"):
        overview(writer)
    with pytest.raises(NotAllowed, match="report"):
        run(Context(shop, Actor("key", "reader", frozenset({"*:read"}))))


def test_a_cancelled_job_leaves_no_file(full_shop: Shop) -> None:
    seen: list[str] = []

    def progress(done: float, total: float | None, message: str) -> None:
        seen.append(message)
        if done >= 3:
            raise Cancelled("stopped")

    path = full_shop.folder / "reports" / "cancelled.html"
    ctx = replace(Context(full_shop), progress=progress)
    with pytest.raises(Cancelled):
        run(ctx, out=str(path))
    assert len(seen) == 4
    assert not path.exists()


def _values(rest: list[str]) -> list[str]:
    return [rest[i + 1] for i, word in enumerate(rest) if word.startswith("--")]


def _hostile_text(page: str) -> str:
    assert HOSTILE not in page
    return "javascript:"
