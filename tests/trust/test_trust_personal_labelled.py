from collections.abc import Callable

import pytest
from tests.trust.scoring import score, sentences

from shopkeeper.trust.personal.recogniser import recognisers

FLOORS = {  # kind: least precision, least recall, on each half
    "name": (0.90, 0.85),
    "address": (0.90, 0.85),
    "wechat": (0.90, 0.85),
    "license": (0.80, 0.75),
}
REST = (0.90, 0.90)


@pytest.mark.parametrize("part", ["dev", "test"])
def test_precision_and_recall_of_every_kind_reach_their_floors(
    part: str, record_property: Callable[[str, object], None]
) -> None:
    table, low = [], []
    for kind, mine in score(sentences(part)).items():
        table.append(f"{kind:14} precision {mine.precision:.3f} recall {mine.recall:.3f}")
        precision, recall = FLOORS.get(kind, REST)
        if mine.precision < precision or mine.recall < recall:
            low += [table[-1], *mine.wrong]
    record_property("table", table)
    assert not low, "\n".join(low)


def test_the_set_is_large_and_holds_every_kind_and_its_look_alikes_in_both_languages() -> None:
    both = [*sentences("dev"), *sentences("test")]
    labelled = {span[0] for one in both for span in one.spans}
    assert labelled == {one.kind for one in recognisers()} | {"order_number"}
    assert len(both) >= 600
    assert sum(not one.spans for one in both) >= 200
    assert {one.language for one in both} == {"zh", "en"}
    assert len({one.text for one in both}) == len(both)


def test_the_halves_have_the_same_kinds_and_no_sentence_in_common() -> None:
    dev, test = sentences("dev"), sentences("test")
    assert {one.text for one in dev}.isdisjoint(one.text for one in test)
    assert score(dev).keys() == score(test).keys()


def test_the_spans_lie_inside_their_sentences_and_do_not_overlap() -> None:
    for one in [*sentences("dev"), *sentences("test")]:
        last = 0
        for _, start, end in one.spans:
            assert last <= start < end <= len(one.text), one.id
            last = end
