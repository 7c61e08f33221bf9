"""What the server tells about itself, and what it never does."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from shopkeeper.server.observe import logs, state, traces
from shopkeeper.server.observe.names import SERVES
from shopkeeper.shop.shop import Shop

SECRETS = ("zhang.wei@example.com", "u-4711", "13800138000", "bearer-secret", "张伟")
SAID = " ".join(SECRETS)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Logs as production writes them; asked for, the lines so far."""
    hooks = sys.excepthook, threading.excepthook
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.delenv(logs.TRACE, raising=False)
    stream = io.StringIO()
    logs.configure("test", to=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("shopkeeper").setLevel(logging.NOTSET)
    sys.excepthook, threading.excepthook = hooks


def _fail() -> None:
    try:
        raise KeyError(SAID)
    except KeyError as error:
        raise ValueError(f"customer {SAID}") from error


def test_a_log_line_has_fields_and_no_text_that_came_from_data(lines: Any) -> None:
    ours = logs.logger("worker")
    ours.warning("a chore failed", chore="snapshot", customer=SAID, rows=7, error=ValueError(SAID))
    try:
        _fail()
    except ValueError:
        ours.exception("a job failed", job="0123")
        logging.getLogger("shopkeeper.store").exception("lost %s of %d", SAID, 3)
        logging.getLogger("sqlalchemy.pool").exception(f"cannot bind {SAID}")  # noqa: G004 - as libraries do
        sys.excepthook(*sys.exc_info())
    chore, job, template, library, uncaught = lines()
    assert (chore["event"], chore["chore"], chore["rows"]) == ("a chore failed", "snapshot", 7)
    assert (chore["error"], chore["level"], chore["part"]) == ("ValueError", "warning", "test")
    assert job["error"] == "ValueError from KeyError"
    assert any("_fail" in frame for frame in job["frames"])
    assert template["event"] == "lost %s of %d"
    assert library["event"] == "a message of a library"
    assert library["where"].startswith("sqlalchemy.pool, test_server_observe.py:")
    assert uncaught["level"] == "critical"
    for line in (chore, job, template, library, uncaught):
        assert not [s for s in SECRETS if s in json.dumps(line, ensure_ascii=False)]


def test_on_a_terminal_the_same_is_readable(monkeypatch: pytest.MonkeyPatch, lines: Any) -> None:
    stream = io.StringIO()
    monkeypatch.setenv(logs.KIND, "text")
    logs.configure("api", to=stream)
    logs.logger("api").warning("request", route="/v1/track", status=503, customer=SAID)
    said = stream.getvalue()
    assert "request" in said
    assert "status=503" in said
    assert "{" not in said
    assert not [s for s in SECRETS if s in said]


def test_requests_leave_no_personal_data_in_the_log(slowjobs: None, serve: Any, lines: Any) -> None:
    served = serve()
    with served.client() as client:
        client.post(f"/v1/nothing/{SECRETS[1]}", json={"name": SAID})
        client.post(
            "/v1/track", json={"event": "x", "userId": SECRETS[1], "properties": {"a": SAID}}
        )
        client.post(f"/v1/slowjobs/explode?who={SECRETS[0]}", json={}, headers={"X-Who": "u-4711"})
    written = lines()
    failed = [line for line in written if line["event"] == "request"]
    assert [line["status"] for line in failed] == [500]
    assert failed[0]["route"] == "/v1/slowjobs/explode"
    everything = json.dumps(written, ensure_ascii=False)
    assert not [s for s in (*SECRETS, ".token") if s in everything]


def _figures(text: str) -> dict[str, float]:
    return {
        sample.name + "".join(f"|{v}" for v in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_count_requests_intake_commits_and_what_waits(serve: Any) -> None:
    served = serve()
    with served.client("sender") as client:
        before = _figures(client.get("/metrics").text)
        event = {"type": "track", "messageId": "m1", "event": "Product Viewed", "userId": "u-4711"}
        assert client.post("/v1/batch", json={"batch": [event, {"type": "?"}]}).status_code == 200
        assert client.post("/v1/track", json=event).status_code == 200
        text = client.get("/metrics").text
    after = _figures(text)

    def grew(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert grew("shopkeeper_http_requests_total|/v1/batch|200") == 1
    assert grew("shopkeeper_http_request_seconds_count|/v1/track") == 1
    assert grew("shopkeeper_intake_messages_total|accepted") == 2
    assert grew("shopkeeper_intake_messages_total|duplicate") == 1
    assert grew("shopkeeper_intake_messages_total|refused") == 1
    assert grew("shopkeeper_intake_group_rows_count") == 2
    assert grew("shopkeeper_intake_commit_seconds_count") == 2
    assert after["shopkeeper_log_backlog_rows"] == 1
    assert 0 <= after["shopkeeper_log_delay_seconds"] < 30
    assert after["shopkeeper_intake_waiting_rows"] == 0
    assert after["shopkeeper_jobs|queued"] == 0
    assert after["shopkeeper_delta_files|events"] == 0
    assert after["shopkeeper_resident_bytes|api"] > 10_000_000
    assert after["shopkeeper_worker_alive"] == 0
    assert "u-4711" not in text
    with served.shop.writer("a test") as writer:
        writer.drain()
    with served.client("sender") as client:
        drained = _figures(client.get("/metrics").text)
    assert drained["shopkeeper_log_backlog_rows"] == drained["shopkeeper_log_delay_seconds"] == 0
    assert drained["shopkeeper_delta_files|events"] == 1


def test_metrics_are_for_this_machine_or_a_key_that_may_observe(shared: Any) -> None:
    through = {"X-Forwarded-For": "203.0.113.7"}
    _, secret = shared.shop.keys.create("prometheus", ("observe:read",), "server")
    with shared.client(None) as anyone, shared.client("sender") as sender:
        assert anyone.get("/metrics").status_code == 200
        assert anyone.get("/metrics", headers=through).status_code == 401
        refused = sender.get("/metrics", headers=through)
        assert refused.status_code == 403
        assert "observe:read" in refused.json()["error"]["hint"]
    with shared.client(secret) as prometheus:
        assert prometheus.get("/metrics", headers=through).status_code == 200


def test_readiness_looks_at_store_disk_and_worker(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve()
    with served.client(None) as client:
        assert client.get("/ready").json() == {"status": "degraded"}
        with served.shop.writer(SERVES):
            assert client.get("/ready").json() == {"status": "ready"}
        with served.shop.writer("an import"):
            assert client.get("/ready").json() == {"status": "degraded"}
        monkeypatch.setattr(state, "LEAST_FREE", 10**18)
        full = client.get("/ready")
        assert full.status_code == 503
        assert "disk" in full.json()["error"]["message"]


def test_processes_of_one_server_add_up_their_figures(tmp_path: Path, until: Any) -> None:
    Shop.create(tmp_path / "shop").close()
    command = [
        sys.executable,
        "-m",
        "shopkeeper.cli.main",
        "--shop",
        str(tmp_path / "shop"),
        "serve",
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [*command, "--port", "0", "--no-console", "--api-workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[4]
            for _ in range(20):  # each on a connection of its own, so that both take some
                assert httpx2.get(f"{url}/health", timeout=60).status_code == 200

            def look() -> dict[str, float] | None:
                found = _figures(httpx2.get(f"{url}/metrics", timeout=60).text)
                wanted = (
                    "shopkeeper_worker_chore_seconds_count|move the intake log",
                    "shopkeeper_http_requests_total|/health|200",
                    "shopkeeper_resident_bytes|worker",
                )
                # A request is counted when it is over: its answer may be here before.
                return (
                    found if all(found.get(n) for n in wanted) and found[wanted[1]] > 19 else None
                )

            found = until(look, 60)
            assert found["shopkeeper_http_requests_total|/health|200"] == 20
            assert found["shopkeeper_worker_alive"] == 1
            assert found["shopkeeper_resident_bytes|worker"] > 10_000_000
        finally:
            server.send_signal(signal.SIGTERM)
            _, errors = server.communicate(timeout=30)
    assert server.returncode == 0
    assert errors == ""


class _Collector(BaseHTTPRequestHandler):
    """Takes what an OTLP exporter sends."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Quiet."""


def test_traces_go_to_the_collector_that_the_environment_names_without_personal_data(
    slowjobs: None, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = HTTPServer(("127.0.0.1", 0), _Collector)
    collector.taken = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=collector.serve_forever)
    thread.start()
    try:
        monkeypatch.setenv(traces.ENDPOINT, f"http://127.0.0.1:{collector.server_port}")
        traces.start("api")
        served = serve()
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        with served.client() as client:
            client.get("/health", headers={"traceparent": parent})
            client.post("/v1/track", json={"userId": SECRETS[1], "event": "x"})
            client.post(f"/v1/slowjobs/explode?who={SECRETS[0]}", json={})
        traces.stop()
    finally:
        collector.shutdown()
        thread.join()
        collector.server_close()
    taken: list[tuple[str, bytes]] = collector.taken  # type: ignore[attr-defined]
    assert {path for path, _ in taken} == {"/v1/traces"}
    spans: dict[str, Any] = {}
    for _, body in taken:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                spans |= {span.name: span for span in scope.spans}
    assert {"GET /health", "POST /v1/slowjobs/explode", "POST /v1/track"} <= set(spans)
    assert spans["GET /health"].trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    codes = {a.key: a.value for a in spans["POST /v1/slowjobs/explode"].attributes}
    assert codes["http.response.status_code"].int_value == 500
    everything = b"".join(body for _, body in taken)
    assert not [s for s in SECRETS if s.encode() in everything]
    assert b".token" not in everything


def test_without_an_endpoint_no_trace_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(traces.ENDPOINT, raising=False)
    traces.start("api")
    with traces.span("x") as noted:
        noted["a"] = 1
    assert not traces._started


def test_no_log_call_of_the_server_builds_its_text_from_values() -> None:
    """The rule that a message is constant holds because each call gives a literal."""
    source = Path(logs.__file__).parents[2]
    calls = re.compile(r"\blog\.(?:debug|info|warning|error|exception|critical|log)\(([^)]*)")
    wrong = []
    for path in source.rglob("*.py"):
        for found in calls.finditer(path.read_text("utf-8")):
            first = found[1].strip()
            if first.startswith(('f"', "f'", "str(")):
                wrong.append(f"{path.name}: {first[:60]}")
    assert not wrong
