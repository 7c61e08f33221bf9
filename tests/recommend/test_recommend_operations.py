"""The operations of `recommend` on real shops."""

import pytest
from tests.stall import Row, accept, event, sales, stock

from shopkeeper.core.errors import NotFound
from shopkeeper.recommend.lists import slates, sold_out, titles
from shopkeeper.recommend.operations import items, popular, related
from shopkeeper.shop import Shop

CATALOGUE: list[Row] = [
    {"item_id": "camera", "title": "Camera", "price": 500.0, "stock": 3.0},
    {"item_id": "lens", "title": "Lens", "price": 200.0, "stock": 2.0},
    {"item_id": "bag", "title": "Bag", "price": 40.0, "stock": 0.0},
    {"item_id": "tea", "title": "茶", "price": 9.0},
    {"item_id": "cup", "title": "Cup", "price": 5.0, "stock": 9.0},
    {"item_id": "post", "title": "Postage", "kind": "service"},
]


def _rows() -> list[Row]:
    lines: list[tuple[float, str | None, str, float | None]] = []
    for n in range(8):
        lines += [(n, f"p{n}", "camera", 500.0), (n + 1, f"p{n}", "lens", 200.0)]
        lines += [(n + 2, f"p{n}", "bag", 40.0), (n + 2, f"p{n}", "post", 3.0)]
        lines += [(n, f"t{n}", "tea", 9.0), (n + 1, f"t{n}", "cup", 5.0), (n, f"t{n}", "post", 3.0)]
    lines += [(9, f"x{n}", "tea", 9.0) for n in range(6)]
    lines += [(9, "new", "camera", 500.0)]
    return sales(lines)


def test_a_customer_gets_what_goes_with_their_purchase_and_why(shop: Shop) -> None:
    reply = items(stock(shop, _rows(), CATALOGUE), "new", k=3)
    first = reply.slots[0]
    assert (first.item_id, first.title, first.price, first.head) == (
        "lens",
        "Lens",
        200.0,
        "covisit",
    )
    assert first.reasons[0].code == "covisit.bought"
    assert first.reasons[0].evidence == {"item_id": "camera", "day": "2024-03-10"}
    assert "Camera" in first.reasons[0].text
    assert [slot.rank for slot in reply.slots] == [1, 2, 3]
    assert [slot.item_id for slot in reply.slots[1:]] == ["tea", "cup"]
    assert reply.slots[1].reasons[0].code == "popular.purchase"


def test_owned_sold_out_and_service_items_are_never_offered(shop: Shop) -> None:
    stock(shop, _rows(), CATALOGUE)
    reply = items(shop, "new", k=10)
    assert {slot.item_id for slot in reply.slots} == {"lens", "tea", "cup"}
    assert reply.missing is not None
    assert "post" not in {slot.item_id for slot in popular(shop, k=10).slots}
    assert [slot.item_id for slot in sold_out(shop, 20, "en")] == ["bag"]


def test_an_accepted_event_counts_in_the_next_live_answer(shop: Shop) -> None:
    stock(shop, _rows(), CATALOGUE)
    before = items(shop, "stranger", k=3)
    assert {slot.head for slot in before.slots} == {"popular"}
    assert before.slots[0].item_id == "tea"
    accept(shop, event(9999, 9.5, "view_item", "stranger", "camera"))
    after = items(shop, "stranger", k=3)
    assert (after.slots[0].item_id, after.slots[0].head) == ("lens", "covisit")
    assert after.slots[0].reasons[0].code == "covisit.looked"
    assert items(shop, "stranger", k=3, live=False).slots == before.slots


def test_a_live_event_of_a_merged_visitor_counts_for_the_customer(shop: Shop) -> None:
    stock(shop, _rows(), CATALOGUE)
    now = shop.now()
    shop.people.identify("device", "stranger", "test", now)
    with shop.writer("test") as writer:
        writer.snapshot()
    accept(shop, event(9999, 9.5, "view_item", "device", "camera"))
    assert items(shop, "stranger", k=1).slots[0].item_id == "lens"


def test_popularity_says_how_many_customers_in_thirty_local_days(shop: Shop) -> None:
    reply = popular(stock(shop, _rows(), CATALOGUE), k=2, lang="zh")
    assert [slot.item_id for slot in reply.slots] == ["tea", "camera"]
    assert reply.basis == "purchase"
    assert reply.slots[0].reasons[0].evidence["customers"] == 14
    assert "14 位顾客" in reply.slots[0].reasons[0].text


def test_what_is_related_leaves_out_what_cannot_be_sold(shop: Shop) -> None:
    reply = related(stock(shop, _rows(), CATALOGUE), "camera")
    assert [slot.item_id for slot in reply.slots] == ["lens"]
    assert reply.title == "Camera"
    with pytest.raises(NotFound, match="camra"):
        related(shop, "camra")


def test_a_known_item_that_nobody_chose_has_no_relatives_yet(shop: Shop) -> None:
    stock(shop, _rows(), [*CATALOGUE, {"item_id": "fresh", "title": "Fresh"}])
    reply = related(shop, "fresh")
    assert reply.slots == ()
    assert reply.missing is not None


def test_lists_for_many_equal_the_lists_for_each(shop: Shop) -> None:
    stock(shop, _rows(), CATALOGUE)
    people = ["new", "p3", "t1", "nobody"]
    many = slates(shop, people, 3, "en")
    assert [slate.customer_id for slate in many] == ["new", "p3", "t1"]
    for slate in many:
        alone = items(shop, slate.customer_id, k=3, live=False)
        assert [s.item_id for s in slate.slots] == [s.item_id for s in alone.slots]
        assert [s.score for s in slate.slots] == pytest.approx([s.score for s in alone.slots])


def test_lines_of_nobody_known_teach_but_get_no_list(shop: Shop) -> None:
    rows = [
        event(2 * n + side, n, "purchase", None, item, order_id=f"g{n}", value=1.0, quantity=1.0)
        for n in range(6)
        for side, item in enumerate(("camera", "lens"))
    ]
    stock(shop, rows, CATALOGUE)
    assert related(shop, "camera").slots[0].item_id == "lens"
    assert popular(shop).slots[0].reasons[0].evidence["customers"] == 0


def test_without_a_catalogue_every_item_may_be_offered(shop: Shop) -> None:
    stock(shop, _rows())
    assert {slot.item_id for slot in popular(shop, k=10).slots} >= {"bag", "post", "tea"}
    assert titles(shop) == {}


def test_an_empty_shop_says_what_is_missing(shop: Shop) -> None:
    for reply in (popular(shop), items(shop, "a")):
        assert reply.slots == ()
        assert reply.missing is not None
        assert "purchase" in reply.missing.needed
