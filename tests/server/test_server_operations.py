"""Every operation over HTTP: its schema, its key, its scope, its arguments, and errors of one shape."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from shopkeeper.core import discovery
from shopkeeper.core.operation import READ, of
from shopkeeper.shop.shop import Shop

EVERY = [(c, o) for c in discovery.capabilities() for o in of(c)]
SHAPE = {"code", "message", "hint", "field", "retryable"}


@pytest.fixture
def served(shared: Any) -> Any:
    return shared


def _error(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert set(response.json()["error"]) == SHAPE
    error: dict[str, Any] = response.json()["error"]
    return error


def test_every_operation_answers_only_to_a_key_with_its_scope(served: Any) -> None:
    keys = (None, "nobody", "browser", "reader")
    with ExitStack() as stack:
        anyone, nobody, browser, reader = (stack.enter_context(served.client(k)) for k in keys)
        for capability, name in EVERY:
            path = f"/v1/{capability}/{name}"
            response = anyone.post(path, json={})
            assert _error(response, 401)["code"] == "NotSignedIn"
            assert "www-authenticate" in response.headers
            assert _error(nobody.post(path, json={}), 403)["code"] == "NotAllowed"
            assert "browser" in _error(browser.post(path, json={}), 403)["message"]
            if of(capability)[name].effect > READ:
                assert "write" in _error(reader.post(path, json={}), 403)["hint"]


def test_every_operation_refuses_unknown_arguments_and_says_what_was_meant(served: Any) -> None:
    with served.client() as client:
        for capability, name in EVERY:
            known = list(of(capability)[name].arguments.model_fields)
            wrong = f"{known[0]}s" if known else "nonsense"
            error = _error(client.post(f"/v1/{capability}/{name}", json={wrong: 1}), 422)
            assert error["code"] == "UnknownName"
            assert error["field"] == wrong
            assert not known or known[0] in error["hint"]


def test_every_operation_stands_in_openapi_with_arguments_reply_and_example(served: Any) -> None:
    with served.client(None) as client:
        document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for capability, name in EVERY:
        operation = of(capability)[name]
        described = document["paths"][f"/v1/{capability}/{name}"]["post"]
        content = described["requestBody"]["content"]["application/json"]
        properties = _resolved(content["schema"], schemas).get("properties", {})
        assert set(properties) == set(operation.arguments.model_fields)
        assert content["examples"]["example"]["value"] == operation.example
        success = described["responses"]["202" if operation.job else "200"]
        assert success["content"]["application/json"]["schema"]
        assert described["responses"]["default"]
        assert described["security"]
        assert described["summary"]


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    if "allOf" in schema:
        schema = schema["allOf"][0]
    found: dict[str, Any] = (
        schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    )
    return found


def test_an_operation_answers_with_its_reply(served: Any) -> None:
    with served.client() as client:
        reply = client.post("/v1/keys/show").json()
        assert {key["name"] for key in reply["keys"]} >= {"owner", "browser"}
        created = client.post("/v1/keys/create", json={"name": "fresh"})
        assert created.status_code == 200
        assert created.json()["secret"]
        audited = client.post("/v1/audit/entries", json={}).json()
        assert "keys.create" in str(audited)
        assert created.json()["secret"] not in str(audited)


def test_a_key_works_as_bearer_and_as_user_name_of_basic(served: Any) -> None:
    with served.client(None) as client:
        for auth in ((served.keys["owner"], ""), ("", served.keys["owner"])):
            assert client.post("/v1/keys/show", auth=auth).status_code == 200
        for header in ("Basic %%%", "Basic AAAA", "Bearer", "Digest x", "Bearer \xe9"):
            headers = {"Authorization": header.encode("latin-1")}
            assert client.post("/v1/keys/show", headers=headers).status_code == 401


def test_a_revoked_key_stops_working_within_seconds(served: Any, until: Callable[..., Any]) -> None:
    _, secret = served.shop.keys.create("leaver", ("*:read",), "server")
    with served.client() as owner, served.client(secret) as reader:
        assert reader.post("/v1/keys/show").status_code == 200
        assert owner.post("/v1/keys/revoke", json={"key": "leaver"}).status_code == 200
        began = time.monotonic()
        until(lambda: reader.post("/v1/keys/show").status_code == 401, seconds=5)
        assert time.monotonic() - began < 4


def test_the_body_never_says_who_asks(served: Any) -> None:
    with served.client(None) as client:
        body = {"actor": "owner", "api_key": served.keys["owner"], "writeKey": served.keys["owner"]}
        assert client.post("/v1/keys/show", json=body).status_code == 401


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{oops", "not valid JSON"),
        (b"[1]", "list, not an object"),
        (b'"x"', "str, not an object"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
def test_a_broken_body_is_refused_in_words(served: Any, body: bytes, said: str) -> None:
    with served.client() as client:
        assert said in _error(client.post("/v1/keys/show", content=body), 422)["message"]


def test_what_is_not_there_says_what_is_near(served: Any) -> None:
    with served.client() as client:
        assert "/v1/keys/show" in _error(client.post("/v1/keys/shwo"), 404)["hint"]
        assert _error(client.get("/nothing"), 404)["code"] == "NotFound"
        response = client.get("/v1/keys/show")
        assert "POST" in _error(response, 405)["hint"]
        assert _error(client.post("/v1/jobs/show", json={"job_id": "none"}), 404)


def test_an_error_inside_tells_nothing_of_the_inside(slowjobs: None, serve: Any) -> None:
    with serve().client() as client:
        response = client.post("/v1/slowjobs/explode")
        error = _error(response, 500)
        assert error["code"] == "Internal"
        assert "secret" not in response.text
        assert "Traceback" not in response.text
        assert response.headers["x-content-type-options"] == "nosniff"


def test_every_answer_carries_security_headers_and_operations_no_cors(served: Any) -> None:
    origin = {"Origin": "https://evil.example"}
    with served.client() as client:
        for response in (
            client.post("/v1/keys/show", headers=origin),
            client.get("/nothing", headers=origin),
            client.options("/v1/keys/show", headers=origin),
            client.get("/health", headers=origin),
        ):
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["x-frame-options"] == "DENY"
            assert response.headers["cache-control"] == "no-store"
            assert "access-control-allow-origin" not in response.headers
            assert "server" not in response.headers


def test_health_and_readiness_need_no_key(served: Any) -> None:
    with served.client(None) as client:
        assert client.get("/health").json()["status"] == "ok"
        assert client.get("/ready").json() == {"status": "degraded"}  # no worker runs


def test_a_job_answers_202_and_can_be_watched_and_cancelled(slowjobs: None, serve: Any) -> None:
    served = serve()
    with served.client() as client, served.client("reader") as reader:
        response = client.post("/v1/slowjobs/count", json={"to": 5})
        assert response.status_code == 202
        job = response.json()
        assert job["status"] == "queued"
        shown = client.post("/v1/jobs/show", json={"job_id": job["job_id"]}).json()
        assert shown["arguments"] == {"to": 5}
        assert shown["actor"] == "owner"
        listed = reader.post("/v1/jobs/listing", json={"status": "queued"}).json()["jobs"]
        assert [j["job_id"] for j in listed] == [job["job_id"]]
        assert reader.post("/v1/jobs/cancel", json={"job_id": job["job_id"]}).status_code == 403
        ended = client.post("/v1/jobs/cancel", json={"job_id": job["job_id"]}).json()
        assert ended["status"] == "cancelled"
        wrong = client.post("/v1/slowjobs/count", json={"to": "many"})
        assert _error(wrong, 422)["field"] == "to"


def test_jobs_of_a_capability_are_hidden_from_keys_without_its_scope(
    slowjobs: None, serve: Any
) -> None:
    served = serve()
    _, only_jobs = served.shop.keys.create("only-jobs", ("jobs:*",), "server")
    with served.client() as owner, served.client(only_jobs) as other:
        job = owner.post("/v1/slowjobs/count", json={"to": 5}).json()
        assert other.post("/v1/jobs/listing", json={}).json() == {"jobs": []}
        for call in ("show", "cancel"):
            answer = other.post(f"/v1/jobs/{call}", json={"job_id": job["job_id"]})
            assert _error(answer, 403)


def test_too_many_waiting_jobs_are_refused(slowjobs: None, serve: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("shopkeeper.server.routes.MOST_QUEUED", 2)
    with serve().client() as client:
        codes = [client.post("/v1/slowjobs/count").status_code for _ in range(3)]
        assert codes == [202, 202, 503]


def test_a_job_done_by_the_worker_is_seen_over_http(processes: Any, until: Any) -> None:
    with Shop.open(processes.folder) as shop:
        _, secret = shop.keys.create("owner", ("*:*",), "server")
    processes.start("api")
    processes.start("worker")
    headers = {"Authorization": f"Bearer {secret}"}
    url = f"http://127.0.0.1:{processes.port}"
    with httpx2.Client(base_url=url, headers=headers, timeout=20) as client:
        job = client.post("/v1/slowjobs/count", json={"to": 20, "pause": 0.05}).json()
        seen: list[Any] = []

        def ended() -> bool:
            shown = client.post("/v1/jobs/show", json={"job_id": job["job_id"]}).json()
            seen.append(shown)
            return bool(shown["status"] == "done")

        until(ended)
        assert seen[-1]["result"]["count"] == 20
        assert any(s["status"] == "running" and s["total"] == 20 for s in seen)
    assert processes.stop() == [0, 0]
