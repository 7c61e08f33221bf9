"""How much and how often: sizes as sent and as inflated, slow bodies, rates, and wrong keys."""

from __future__ import annotations

import contextlib
import gzip
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

CALL = "/v1/keys/show"


def _json(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    return error


def test_a_large_body_is_refused_by_its_declared_length(serve: Any) -> None:
    with serve(call_bytes=2000).client() as client:
        response = client.post(CALL, content=b" " * 2001)
        assert _json(response, 413)["code"] == "TooLarge"
        assert response.headers["connection"] == "close"
        assert client.post(CALL, content=b" " * 1999).status_code == 200


def test_a_large_body_is_refused_while_it_streams(serve: Any) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 10_000
            yield b" " * 10_000

    with serve(call_bytes=2000).client() as client:
        # The server may close before it has read all that is sent: then writing fails.
        with contextlib.suppress(httpx2.WriteError, httpx2.RemoteProtocolError):
            assert _json(client.post(CALL, content=endless()), 413)["code"] == "TooLarge"
        assert sent < 50_000_000


def test_gzip_is_read_and_a_gzip_bomb_is_refused_before_it_inflates(serve: Any) -> None:
    headers = {"Content-Encoding": "gzip"}
    with serve(call_bytes=100_000).client() as client:
        small = gzip.compress(b"{}" + b" " * 50_000)
        assert client.post(CALL, content=small, headers=headers).status_code == 200
        bomb = gzip.compress(b" " * 200_000_000, 9)[:90_000]
        began = time.monotonic()
        assert _json(client.post(CALL, content=bomb, headers=headers), 413)["code"] == "TooLarge"
        assert time.monotonic() - began < 1
        for wrong in (b"not gzip", small[:-5]):
            assert (
                "gzip" in _json(client.post(CALL, content=wrong, headers=headers), 422)["message"]
            )
        other = {"Content-Encoding": "br"}
        assert "br" in _json(client.post(CALL, content=small, headers=other), 422)["message"]


def test_more_behind_a_gzip_stream_is_refused_and_not_ignored(serve: Any) -> None:
    headers = {"Content-Encoding": "gzip"}
    with serve().client() as client:
        members = gzip.compress(b"{}") + gzip.compress(b" " * 10_000_000)
        response = client.post(CALL, content=members, headers=headers)
        assert "one whole gzip" in _json(response, 422)["message"]


def test_a_body_that_never_comes_is_given_up(serve: Any) -> None:
    served = serve(body_seconds=0.3)
    port = int(served.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(
            f"POST {CALL} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
            f"Authorization: Bearer {served.keys['owner']}\r\n\r\n".encode()
            + b"{"
        )
        began = time.monotonic()
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"TooSlow"' in answer
        assert time.monotonic() - began < 5


def test_a_key_over_its_rate_is_told_when_to_come_back(serve: Any) -> None:
    served = serve(calls_per_minute=5)
    with served.client() as client, served.client("reader") as other:
        codes = [client.post(CALL).status_code for _ in range(7)]
        assert codes == [200] * 5 + [429] * 2
        response = client.post(CALL)
        error = _json(response, 429)
        assert error["retryable"] is True
        assert 1 <= int(response.headers["retry-after"]) <= 60
        assert other.post(CALL).status_code == 200  # one key's rate is not another's


def test_one_visitor_cannot_use_up_a_browser_keys_rate(serve: Any) -> None:
    event = {"anonymousId": "a", "event": "Product Viewed"}
    with serve(visitor_calls_per_minute=3).client("browser") as client:
        codes = [client.post("/v1/track", json=event).status_code for _ in range(5)]
        assert codes == [200] * 3 + [429] * 2
        assert "retry-after" in client.post("/v1/track", json=event).headers


def test_an_address_that_tries_keys_is_slowed_down_while_known_keys_still_work(serve: Any) -> None:
    served = serve(failures_per_minute=4)
    with served.client("sk_wrong") as thief, served.client() as owner:
        assert owner.post(CALL).status_code == 200
        codes = [thief.post(CALL).status_code for _ in range(6)]
        assert codes == [401] * 4 + [429] * 2
        assert "retry-after" in thief.post(CALL).headers
        assert owner.post(CALL).status_code == 200


@pytest.mark.parametrize("length", ["-1", "abc", "1e9"])
def test_a_nonsense_length_is_refused(serve: Any, length: str) -> None:
    served = serve()
    port = int(served.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(
            f"POST {CALL} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")
