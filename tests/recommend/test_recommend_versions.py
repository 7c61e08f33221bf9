"""Versions: gate, promotion, roll-back, shadow run; new items; the night; the page of an evaluation."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from tests.recommend.test_recommend_release import _catalogue, _rows
from tests.stall import stock

from shopkeeper.core.errors import Conflict, NotFound, UnknownName
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.recommend.fitting import fit_mixture, heads
from shopkeeper.recommend.gate import Judged, judged, verdict
from shopkeeper.recommend.goods import goods
from shopkeeper.recommend.heads.base import past
from shopkeeper.recommend.model import catalogue, learned, with_catalogue
from shopkeeper.recommend.operations import (
    evaluate,
    fit,
    items,
    promote,
    roll_back,
    shadow,
    versions,
)
from shopkeeper.recommend.registry import FILE, newest_good, read
from shopkeeper.recommend.serving import folder
from shopkeeper.server import nightly
from shopkeeper.shop import Shop


@pytest.fixture
def stalled(shop: Shop) -> Shop:
    return stock(shop, _rows(), _catalogue())


def test_a_better_version_serves_and_the_one_before_can_be_taken_back(stalled: Shop) -> None:
    with pytest.raises(NotFound):
        roll_back(stalled)
    first = fit(stalled)
    assert (first.serves, first.gain) == (True, None)
    second = fit(stalled)
    assert second.serves
    assert isinstance(second.gain, Estimate)
    assert second.gain.low <= 0 <= second.gain.high  # the same data twice
    told = versions(stalled)
    assert told.serving == second.version
    assert [(v.version, v.status) for v in told.versions] == [
        (second.version, "serving"),
        (first.version, "before"),
    ]
    assert all(v.ndcg10 is not None and "covisit" in v.heads for v in told.versions)
    assert roll_back(stalled).serving == first.version
    assert items(stalled, "c1", k=2).model == first.version
    assert promote(stalled, str(second.version)).serving == second.version
    assert items(stalled, "c1", k=2).model == second.version
    with pytest.raises(UnknownName):
        promote(stalled, "20200101T000000000000")


def test_a_version_that_is_held_waits_and_answers_in_the_shadow(stalled: Shop) -> None:
    with pytest.raises(NotFound):
        shadow(stalled)
    first = fit(stalled, hold=True)
    assert first.serves  # nothing served before
    second = fit(stalled, hold=True)
    assert not second.serves
    assert items(stalled, "c1", k=2).model == first.version
    told = shadow(stalled, customers=60)
    assert (told.serving, told.candidate, told.customers) == (first.version, second.version, 60)
    assert isinstance(told.agreement, Estimate)
    assert told.agreement.value > 0.99  # of the same data
    assert isinstance(told.gain_by_serving, Estimate)
    assert told.gain_by_serving.high <= 1e-6
    newest = versions(stalled).versions[0]
    assert newest.shadow == told


def test_the_gate_refuses_what_is_surely_worse(stalled: Shop) -> None:
    fit(stalled)
    history = with_catalogue(learned(stalled)[0], catalogue(stalled))
    known = goods(history.item_ids, catalogue(stalled))
    found = fit_mixture(history, known, lambda _: None, heads())
    assert found is not None
    told = judged(found, history)
    note = read(folder(stalled)).notes[str(versions(stalled).serving)]
    assert told.note["ndcg10"] == pytest.approx(note["ndcg10"])
    serving = newest_good(folder(stalled))
    assert verdict(told, serving, note, history).passed
    blind = Judged(np.zeros(len(told.ndcg)), told.cases, told.since, told.until)
    refused = verdict(blind, serving, note, history)
    assert (refused.passed, refused.paired) == (False, False)
    assert refused.gain is not None
    assert refused.gain.high < 0
    # A version that had learned before the window began answers the same choices.
    older = {**note, "until": told.since - 1}
    assert verdict(blind, serving, older, history).paired
    assert not verdict(blind, serving, older, history).passed
    assert verdict(replace(told), None, {}, history).passed


def test_a_refused_version_serves_only_by_force(stalled: Shop) -> None:
    first, second = fit(stalled), fit(stalled, hold=True)
    path = folder(stalled) / FILE
    text = path.read_text("utf-8").replace('"passed": true', '"passed": false')
    path.write_text(text, "utf-8")
    with pytest.raises(Conflict, match="refused"):
        promote(stalled, str(second.version))
    assert versions(stalled).serving == first.version
    assert promote(stalled, str(second.version), force=True).serving == second.version


def test_a_broken_registry_lets_a_whole_version_serve(stalled: Shop) -> None:
    told = fit(stalled)
    (folder(stalled) / FILE).write_text("{", "utf-8")
    assert items(stalled, "c1", k=2).model == told.version


def test_a_new_item_lives_at_once_by_its_words_and_one_sold_out_goes(stalled: Shop) -> None:
    fit(stalled)
    before = {slot.item_id: slot for slot in items(stalled, "c2", k=100).slots}
    assert "new-rod" not in before
    stalled.catalogue.upsert_items(
        [{"item_id": "new-rod", "kind": "product", "title": "钓鱼 3 特价", "price": 8.0}]
    )
    gone = next(iter(before))
    row = next(row for row in _catalogue() if row["item_id"] == gone)
    stalled.catalogue.upsert_items([{"kind": "product"} | row | {"stock": 0.0}])
    with stalled.writer("test") as writer:
        writer.snapshot()
    after = {slot.item_id: slot for slot in items(stalled, "c2", k=100, lang="zh").slots}
    other = {slot.item_id: slot for slot in items(stalled, "c1", k=100).slots}
    assert gone not in after
    new = after["new-rod"]
    assert new.head == "text"
    assert new.reasons[0].code.startswith("text.")
    assert (new.probability or 0) > 3 * (other["new-rod"].probability or 0)


def test_a_grown_head_says_the_same_of_the_items_it_knew(stalled: Shop) -> None:
    history = with_catalogue(learned(stalled)[0], catalogue(stalled))
    known = goods(history.item_ids, catalogue(stalled))
    new = goods(history.item_ids[:2], catalogue(stalled))  # twins of the first two
    queries = past(history)[0].part(0, 8)
    for name, head in heads().items():
        fitted = head.fit(history, known)
        one, other = fitted.affinities(queries), fitted.grown(new).affinities(queries)
        dense = [a if isinstance(a, np.ndarray) else a.toarray() for a in (one, other)]
        size = len(history.item_ids)
        assert dense[1].shape == (8, size + 2), name
        np.testing.assert_allclose(dense[1][:, :size], dense[0], rtol=1e-4, err_msg=name)


def test_the_night_queues_each_job_once(shop: Shop) -> None:
    names = nightly.queue(shop)
    assert "recommend.fit" in names
    assert nightly.queue(shop) == []
    job = next(job for job in shop.jobs.list() if job.operation == "recommend.fit")
    assert (job.actor, job.arguments) == (nightly.ACTOR, {})
    late = shop.now() + timedelta(days=1)
    assert nightly._latest(late) - nightly._latest(late - timedelta(days=1)) == timedelta(days=1)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_of_an_evaluation_shows_plots_and_loads_nothing(
    stalled: Shop, lang: Language
) -> None:
    told = evaluate(stalled, weeks=1, most=100, lang=lang)
    assert told.report is not None
    page = (stalled.folder / told.report).read_text("utf-8")
    assert page.count("<svg") == 8  # quality, two kinds of groups and reliability, by two protocols
    assert page.count("<table>") == 12
    assert not re.search(r"(src|href)=|url\(", page)
    assert ("NDCG@10 by model" in page) == (lang == "en")
    assert not isinstance(told.by_week, CannotSay)
