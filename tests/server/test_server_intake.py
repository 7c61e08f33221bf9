"""Segment's calls over HTTP: durable before answered, good events taken, bad ones named."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx2
import narwhals as nw
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopkeeper.server.intake import CALLS

VIEW = {"type": "track", "event": "Product Viewed", "properties": {"product_id": "mug"}}
GOOD: dict[str, dict[str, Any]] = {
    "track": {"userId": "u1", "event": "Product Viewed", "properties": {"product_id": "mug"}},
    "identify": {"userId": "u1", "anonymousId": "a1", "traits": {"city": "上海"}},
    "page": {"anonymousId": "a1", "name": "Home"},
    "screen": {"anonymousId": "a1", "name": "Home"},
    "group": {"userId": "u1", "groupId": "g1", "traits": {"plan": "gold"}},
    "alias": {"userId": "u1", "previousId": "a2"},
    "batch": {"batch": [{**VIEW, "userId": "u1"}]},
}


@pytest.fixture
def served(serve: Any) -> Any:
    return serve()


def _error(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"code", "message", "hint", "field", "retryable"}
    return error


def _event_ids(served: Any) -> list[str]:
    rows = served.shop.query(lambda source: source.events().select(nw.col("event_id")), live=True)
    ids: list[str] = rows.column("event_id").to_pylist()
    return sorted(ids)


def test_there_is_a_good_example_for_each_call() -> None:
    assert set(GOOD) == set(CALLS)


@pytest.mark.parametrize("call", CALLS)
def test_each_call_is_answered_once_its_rows_are_in_the_log(shared: Any, call: str) -> None:
    before = shared.shop.log.last()
    with shared.client("sender") as client:
        response = client.post(f"/v1/{call}", json=GOOD[call])
    assert response.status_code == 200
    taken = response.json()
    assert taken["success"] is True
    assert taken["accepted"] == 1
    assert taken["refused"] == []
    if call == "alias":
        assert "a2" in str(list(shared.shop.state.rows("identities")))
    else:
        assert shared.shop.log.last() > before


@pytest.mark.parametrize("call", CALLS)
def test_each_call_needs_a_key_with_the_right_to_send(shared: Any, call: str) -> None:
    before = shared.shop.log.last()
    with shared.client(None) as anyone, shared.client("reader") as reader:
        assert _error(anyone.post(f"/v1/{call}", json=GOOD[call]), 401)
        assert "intake:write" in _error(reader.post(f"/v1/{call}", json=GOOD[call]), 403)["hint"]
    assert shared.shop.log.last() == before


def test_an_acknowledged_event_stands_in_a_live_answer_at_once(served: Any) -> None:
    with served.client("sender") as client:
        for number in range(3):
            client.post("/v1/track", json={**GOOD["track"], "messageId": f"m{number}"})
            rows = served.shop.query(
                lambda source: source.events().select(nw.col("event_id")), live=["u1"]
            )
            assert rows.num_rows == number + 1


def test_a_batch_takes_the_good_events_and_names_the_bad_ones(served: Any) -> None:
    events: list[Any] = [{**VIEW, "userId": "u", "messageId": f"m{n}"} for n in range(8)]
    events[1] = {**events[1], "timestamp": "yesterday-ish"}
    events[2] = "not an object"
    events[3] = {**events[3], "type": "sing"}
    events[4] = {**events[4], "userId": {"id": 1}}
    events[5] = {k: v for k, v in events[5].items() if k != "userId"}
    events[6] = {**events[6], "properties": {"note": "x" * 40_000}}
    with served.client("sender") as client:
        taken = client.post("/v1/batch", json={"batch": events}).json()
    assert taken["accepted"] == 2
    assert [refused["field"] for refused in taken["refused"]] == [
        "batch[1].timestamp",
        "batch[2]",
        "batch[3].type",
        "batch[4].userId",
        "batch[5].userId",
        "batch[6]",
    ]
    assert all(refused["message"] for refused in taken["refused"])
    assert "bytes" in taken["refused"][-1]["message"]
    assert _event_ids(served) == ["m0", "m7"]


def test_sending_again_adds_nothing_and_says_so(served: Any) -> None:
    batch = {"batch": [{**VIEW, "userId": "u", "messageId": f"m{n}"} for n in range(5)]}
    with served.client("sender") as client:
        first, second = (client.post("/v1/batch", json=batch).json() for _ in range(2))
    assert (first["accepted"], first["duplicate"]) == (5, 0)
    assert (second["accepted"], second["duplicate"]) == (5, 5)
    assert len(_event_ids(served)) == 5


def test_a_call_of_which_nothing_could_be_taken_is_an_error_that_lists_all(shared: Any) -> None:
    with shared.client("sender") as client:
        error = _error(client.post("/v1/track", json={"userId": "u", "event": 5}), 422)
        assert error["field"] == "event"
        response = client.post("/v1/batch", json={"batch": [{}, {"type": "track"}]})
        assert _error(response, 422)["field"] == "batch[0].type"
        assert len(response.json()["refused"]) == 2
        assert client.post("/v1/batch", json={"batch": []}).json()["accepted"] == 0


@pytest.mark.parametrize("body", [{}, {"batch": None}, {"batch": "x"}, {"batch": {"a": 1}}])
def test_a_batch_that_is_no_list_is_refused(shared: Any, body: dict[str, Any]) -> None:
    with shared.client("sender") as client:
        assert _error(client.post("/v1/batch", json=body), 422)["field"] == "batch"


@pytest.mark.parametrize("body", [b"{", b"[]", b"nul", b"\xff", b'{"a":' * 2000])
def test_broken_json_is_refused_in_words(shared: Any, body: bytes) -> None:
    with shared.client("sender") as client:
        assert _error(client.post("/v1/batch", content=body), 422)["field"] == "body"


def test_sizes_are_those_of_segment(shared: Any) -> None:
    event = {**VIEW, "userId": "u"}
    with shared.client("sender") as client:
        large = {**event, "context": {"note": "x" * 32_000}}
        assert _error(client.post("/v1/track", json=large), 413)
        many = [{**event, "properties": {"note": "y" * 5_000}} for _ in range(100)]
        assert _error(client.post("/v1/batch", json={"batch": many}), 413)
        assert client.post("/v1/batch", json={"batch": many[:90]}).status_code == 200
        calls = [{"type": "page", "anonymousId": "a"} for _ in range(1001)]
        assert "1000" in _error(client.post("/v1/batch", json={"batch": calls}), 413)["message"]
        packed = gzip.compress(json.dumps({"batch": many}).encode())
        assert len(packed) < 10_000
        headers = {"Content-Encoding": "gzip"}
        assert _error(client.post("/v1/batch", content=packed, headers=headers), 413)
        packed = gzip.compress(json.dumps({"batch": many[:90]}).encode())
        assert client.post("/v1/batch", content=packed, headers=headers).status_code == 200


def test_a_browser_key_may_only_track_and_never_money_or_identity(served: Any) -> None:
    purchase = {
        "anonymousId": "a",
        "event": "Order Completed",
        "properties": {"order_id": "o", "revenue": 5, "products": [{"product_id": "p"}]},
    }
    with served.client("browser") as browser:
        assert browser.post("/v1/track", json={**VIEW, "anonymousId": "a"}).status_code == 200
        assert "revenue" in _error(browser.post("/v1/track", json=purchase), 422)["message"]
        for call in ("identify", "alias", "group"):
            assert "browser" in _error(browser.post(f"/v1/{call}", json=GOOD[call]), 422)["message"]
        mixed = [{**VIEW, "anonymousId": "a"}, {**purchase, "type": "track"}]
        taken = browser.post("/v1/batch", json={"batch": mixed}).json()
        assert taken["accepted"] == 1
        assert taken["refused"][0]["field"] == "batch[1].event"
        forged = {**VIEW, "anonymousId": "a", "userId": "the-boss", "messageId": "forged"}
        assert browser.post("/v1/track", json=forged).status_code == 200
    rows = served.shop.query(
        lambda source: source.events().select(nw.col("event_id"), nw.col("user_id")), live=True
    )
    assert set(rows.column("user_id").to_pylist()) == {None}
    with served.client("sender") as server:
        assert server.post("/v1/track", json=purchase).status_code == 200


def test_any_site_may_send_events_and_nothing_else(shared: Any) -> None:
    origin = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    with shared.client("browser") as client:
        asked = client.options("/v1/track", headers=origin)
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-origin"] == "*"
        assert "authorization" in asked.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in asked.headers
        for body in ({**VIEW, "anonymousId": "a"}, {}):  # an error must be readable there too
            answered = client.post("/v1/track", json=body, headers=origin)
            assert answered.headers["access-control-allow-origin"] == "*"
        assert client.options("/v1/keys/show", headers=origin).status_code == 405


def test_a_full_queue_answers_503_with_a_time_to_come_back(serve: Any) -> None:
    served = serve(waiting_events=1000)
    with served.client("sender") as client:
        client.timeout = 0.4
        # The log cannot be written while this transaction is open: what comes in has to wait.
        with served.shop.database.begin():
            events = [{**VIEW, "userId": "u"} for _ in range(400)]
            for _ in range(3):  # one is being written, two wait: 800 of 1,000
                with pytest.raises(httpx2.ReadTimeout):
                    client.post("/v1/batch", json={"batch": events})
            response = client.post("/v1/batch", json={"batch": events})
            assert _error(response, 503)["retryable"] is True
            assert int(response.headers["retry-after"]) >= 1
            assert client.get("/health").status_code == 200
            assert client.get("/ready").status_code == 503
        client.timeout = 20
        assert client.post("/v1/track", json=GOOD["track"]).status_code == 200
        assert client.get("/ready").status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                (
                    *("type", "userId", "anonymousId", "event", "properties", "traits"),
                    *("timestamp", "context", "messageId", "sentAt", "products", "campaign"),
                )
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(calls=st.lists(JSON, max_size=4), kind=st.sampled_from([*CALLS]))
def test_no_body_whatever_makes_the_server_fail(shared: Any, calls: list[Any], kind: str) -> None:
    body: Any = {"batch": calls} if kind == "batch" else (calls[:1] or [{}])[0]
    with shared.client("sender") as client:
        try:
            sent = orjson.dumps(body)
        except TypeError:  # integers beyond 64 bits, lone surrogates: not JSON that orjson writes
            sent = json.dumps(body).encode()
        response = client.post(f"/v1/{kind}", content=sent)
    assert response.status_code in (200, 422), response.text
    assert response.json()
