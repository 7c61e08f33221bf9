"""The scripted endpoint as anybody uses it: a command, and HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.language.doubles import ask

from shopkeeper.core.errors import ModelBusy
from shopkeeper.language.opening import open_backend
from shopkeeper.language.types import FREE

SCRIPT = '[[rule]]\nmatch = "茶"\nreply = "香"\n\n[[rule]]\nreply = { label = "good" }\n'


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    script = tmp_path / "script.toml"
    script.write_text(SCRIPT, "utf-8")
    command = [sys.executable, "-m", "shopkeeper.cli.main", "serve-scripted", str(script)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    yield server.stdout.readline().strip()
    server.terminate()
    server.communicate(timeout=60)


def test_it_answers_by_its_script_and_misbehaves_on_order(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert url.startswith("http://127.0.0.1:")
    root = url.removesuffix("/v1")
    monkeypatch.setenv("SHOPKEEPER_OPENAI_URL", url)
    backend = open_backend("openai:scripted", {"scripted": FREE})
    assert backend.complete(ask("这茶")).text == "香"
    assert backend.complete(ask("mug")).text == '{"label": "good"}'
    ordered = httpx2.post(f"{root}/orders", json=[{"do": "busy", "after": 7}, {"do": "good"}])
    assert ordered.json() == {"waiting": 2}
    with pytest.raises(ModelBusy) as raised:
        backend.complete(ask("这茶"))
    assert raised.value.after == 7
    assert backend.complete(ask("这茶")).text == "香"
    assert len(httpx2.get(f"{root}/asked").json()) == 4
    refused = httpx2.post(f"{root}/orders", json=[{"do": "explode"}])
    assert refused.status_code == 422
    assert "explode" in refused.text or "do" in refused.text
    backend.close()
