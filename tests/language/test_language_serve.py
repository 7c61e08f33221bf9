"""Against the real `transformers serve`, which serves a tiny Llama that the test makes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from pydantic import BaseModel

pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("accelerate", reason="the extra `train` is not installed")

from tests.language import tiny

from shopkeeper.core.errors import BadReply
from shopkeeper.language.guard import Rules, guard
from shopkeeper.language.opening import open_backend
from shopkeeper.language.types import FREE, Message, Request

pytestmark = pytest.mark.slow


class Form(BaseModel):
    label: str


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def url(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    (home / "hub").mkdir()  # without it the list of models is an error of the server
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(weights)]
    environment = os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        _wait(f"http://127.0.0.1:{port}/health", server, home / "log")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(30)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 240
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()[-3000:]
        try:
            if httpx2.get(url, timeout=2).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.5)
    pytest.fail(log.read_text()[-3000:])


def test_a_real_server_answers_through_all_the_guards(
    url: str, weights: Path, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPKEEPER_OPENAI_URL", url)
    guarded = guard(open_backend(f"openai:{weights}", {str(weights): FREE}), rules)
    turns = (Message("system", "Answer."), Message("user", "物流很快"))
    reply = guarded.complete(Request(turns, "reading", max_tokens=16, timeout=120))
    assert reply.tokens_in > 0
    assert 0 < reply.tokens_out <= 17
    assert not reply.cached
    assert guarded.complete(Request(turns, "reading", max_tokens=16)).text == reply.text
    (line,) = rules.ledger.of("2026-11")
    assert (line.calls, line.tokens_in) == (1, reply.tokens_in)
    # It takes a schema and does not look at it; random weights do not find it by chance.
    with pytest.raises(BadReply) as raised:
        guarded.complete(Request(turns, "forms", Form, max_tokens=16, timeout=120))
    assert raised.value.tokens_out
    guarded.close()
