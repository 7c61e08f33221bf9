"""Amazon Personalize's shapes over HTTP: lists, ranking and events, on a shop with a past."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.stall import Row, sales, stock

from shopkeeper.recommend import beside

CATALOGUE: list[Row] = [
    {"item_id": f"p{n}", "title": f"P{n}", "price": 5.0, "stock": 9.0} for n in range(6)
]


@pytest.fixture
def served(serve: Any) -> Any:
    found = serve()
    lines: list[tuple[float, str | None, str, float | None]] = [
        (c % 5, f"c{c}", f"p{(c + step) % 6}", 5.0) for c in range(12) for step in range(2)
    ]
    stock(found.shop, sales(lines), CATALOGUE)
    return found


def test_recommendations_are_recorded_and_have_their_shape(served: Any) -> None:
    asked = {
        "campaignArn": "arn:aws:personalize:eu-west-1:1:campaign/home",
        "userId": "c1",
        "numResults": 3,
        "context": {"DEVICE": "phone"},
    }
    with served.client() as client:
        response = client.post("/personalize/recommendations", json=asked)
    assert response.status_code == 200, response.text
    told = response.json()
    assert set(told) == {"itemList", "recommendationId"}
    assert len(told["itemList"]) == 3
    assert set(told["itemList"][0]) == {"itemId", "score", "reason"}
    with served.shop.writer("test") as writer:
        writer.drain()
    rows = served.shop.query(lambda source: source.decisions()).sort_by("position")
    assert rows["decision_id"].unique().to_pylist() == [told["recommendationId"]]
    assert rows["chosen"].to_pylist() == [one["itemId"] for one in told["itemList"]]
    context = rows.to_pylist(maps_as_pydicts="strict")[0]["context"]
    assert (context["page"], context["DEVICE"]) == ("home", "phone")


def test_related_items_and_ranking(served: Any) -> None:
    with served.client() as client:
        related = client.post("/personalize/recommendations", json={"itemId": "p1"})
        ranking = client.post(
            "/personalize/personalize-ranking",
            json={"campaignArn": "r", "userId": "c1", "inputList": ["p5", "p4", "p3"]},
        )
    assert related.json()["itemList"][0]["reason"] == ["covisit.related"]
    assert {one["itemId"] for one in ranking.json()["personalizedRanking"]} == {"p5", "p4", "p3"}


def test_an_event_changes_the_next_list_and_counts_once(served: Any) -> None:
    put = {
        "trackingId": "t",
        "userId": "fresh",
        "sessionId": "s1",
        "eventList": [
            {
                "eventType": "View",
                "eventId": "e1",
                "itemId": "p2",
                "sentAt": served.shop.now().timestamp(),
                "properties": '{"page": "home"}',
            }
        ],
    }
    with served.client() as client:
        before = client.post("/personalize/recommendations", json={"userId": "fresh"}).json()
        assert before["itemList"][0]["reason"][0].startswith("popular")
        for _ in range(2):
            assert client.post("/personalize/events", json=put).status_code == 200
        after = client.post("/personalize/recommendations", json={"userId": "fresh"}).json()
    assert after["itemList"][0]["reason"] == ["covisit.looked"]
    assert served.shop.log.waiting(0)[0] == 3  # two recorded lists and one event


@pytest.mark.parametrize(
    ("path", "sent", "field"),
    [
        ("recommendations", {}, "userId"),
        ("recommendations", {"userId": "c1", "filterArn": "f"}, "filterArn"),
        ("recommendations", {"userId": "c1", "numResults": 1000}, "numResults"),
        ("personalize-ranking", {"campaignArn": "a", "userId": "c1", "inputList": []}, "inputList"),
        ("events", {"trackingId": "t", "sessionId": "s", "eventList": []}, "eventList"),
        (
            "events",
            {
                "trackingId": "t",
                "sessionId": "s",
                "eventList": [{"eventType": "View", "sentAt": 1.7e9, "properties": "{"}],
            },
            "eventList.0.properties",
        ),
    ],
)
def test_what_cannot_be_taken_is_refused_by_its_field(
    served: Any, path: str, sent: dict[str, Any], field: str
) -> None:
    with served.client() as client:
        response = client.post(f"/personalize/{path}", json=sent)
    assert response.status_code == 422
    assert response.json()["error"]["field"] == field


def test_keys_hold_here_as_everywhere(served: Any) -> None:
    asked = {"userId": "c1"}
    with served.client(None) as anyone, served.client("browser") as browser:
        assert anyone.post("/personalize/recommendations", json=asked).status_code == 401
        assert browser.post("/personalize/recommendations", json=asked).status_code == 403
    with served.client("nobody") as nobody:
        assert nobody.post("/personalize/recommendations", json=asked).status_code == 403
        put = {"trackingId": "t", "sessionId": "s", "eventList": [{"eventType": "V", "sentAt": 1}]}
        assert nobody.post("/personalize/events", json=put).status_code == 403


def test_a_servers_process_keeps_lists_fresh_beside_the_requests(served: Any) -> None:
    with served.client() as client:
        told = client.post("/v1/recommend/items", json={"customer_id": "c1"})
    assert told.status_code == 200
    assert beside.kept(served.shop)
    assert "lists" in {thread.name for thread in threading.enumerate()}
