from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.language.doubles import ask

from shopkeeper.core.errors import BadInput, CannotAnswer, MissingExtra, NotFound, UnknownName
from shopkeeper.language.backends import openai, transformers
from shopkeeper.language.opening import kinds, open_backend, price_of, ready
from shopkeeper.language.types import FREE, Backend, Price

REMOTE = "https://models.example/v1"


def test_the_kinds_are_the_files() -> None:
    assert kinds() == ["house", "openai", "scripted", "transformers"]


def test_an_unknown_kind_says_what_is_near() -> None:
    with pytest.raises(UnknownName, match="'openai'"):
        open_backend("opena:gpt")


@pytest.mark.parametrize("spec", ["openai", "openai:", "scripted: ", "transformers"])
def test_a_missing_name_says_how_to_write_it(spec: str) -> None:
    with pytest.raises(BadInput, match="does not say which model") as raised:
        open_backend(spec)
    assert re.search(r"Write \w+:<\w+>\.", raised.value.hint)


def test_the_house_writes_nothing_and_says_what_would() -> None:
    house = open_backend("house")
    assert isinstance(house, Backend)
    with pytest.raises(CannotAnswer, match="reading") as raised:
        house.complete(ask())
    assert "openai:" in raised.value.hint
    assert not raised.value.retryable
    house.close()
    with pytest.raises(BadInput):
        open_backend("house:big")


@pytest.mark.parametrize(
    ("environment", "field", "said"),
    [
        ({}, "OPENAI_API_KEY", "no key for api.openai.com"),
        ({"SHOPKEEPER_OPENAI_URL": REMOTE}, "SHOPKEEPER_OPENAI_KEY", "no key for models.example"),
        # OpenAI's own key is not sent to another house
        ({"SHOPKEEPER_OPENAI_URL": REMOTE, "OPENAI_API_KEY": "k"}, "SHOPKEEPER_OPENAI_KEY", "no key"),
        ({"OPENAI_BASE_URL": "http://far.example/v1", "OPENAI_API_KEY": "k"}, "OPENAI_BASE_URL", "not https"),
        ({"OPENAI_BASE_URL": "http://10.0.0.8/v1", "OPENAI_API_KEY": "k"}, "OPENAI_BASE_URL", "not https"),
        ({"OPENAI_BASE_URL": "ftp://models.example"}, "OPENAI_BASE_URL", "cannot be read"),
        ({"OPENAI_BASE_URL": "https://[::1"}, "OPENAI_BASE_URL", "cannot be read"),
        ({"OPENAI_BASE_URL": "https://u:p@models.example/v1"}, "OPENAI_BASE_URL", "more than"),
        ({"OPENAI_BASE_URL": "https://models.example/v1?key=k"}, "OPENAI_BASE_URL", "more than"),
        ({"OPENAI_API_KEY": "k y"}, "OPENAI_API_KEY", "no key has"),
        ({"OPENAI_API_KEY": "“k”"}, "OPENAI_API_KEY", "no key has"),
    ],
    ids=lambda value: None if not isinstance(value, str) else re.sub(r"\W+", "-", value),
)  # fmt: skip
def test_an_endpoint_that_cannot_be_used_names_the_variable(
    environment: dict[str, str], field: str, said: str
) -> None:
    with pytest.raises(BadInput, match=said) as raised:
        openai.endpoint(environment)
    assert raised.value.field == field
    assert raised.value.hint
    assert "u:p@" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/v1", "http://localhost:11434/v1/", "http://[::1]:1/v1"]
)
def test_an_endpoint_on_this_machine_needs_no_key_and_counts_as_away_unless_said(url: str) -> None:
    found = openai.endpoint({"SHOPKEEPER_OPENAI_URL": url})
    assert found.remote  # it may forward what it gets
    assert not found.url.endswith("/")
    local = openai.endpoint({"SHOPKEEPER_OPENAI_URL": url, "SHOPKEEPER_OPENAI_LOCAL": "1"})
    assert not local.remote
    far = {
        "SHOPKEEPER_OPENAI_URL": REMOTE,
        "SHOPKEEPER_OPENAI_KEY": "k",
        "SHOPKEEPER_OPENAI_LOCAL": "1",
    }
    assert openai.endpoint(far).remote


def test_a_key_is_never_shown() -> None:
    found = openai.endpoint({"OPENAI_API_KEY": "sk-secret"})
    assert "sk-secret" not in repr(found)
    assert found.own


def test_prices_are_the_owners_for_endpoints_and_nothing_for_local_ones(tmp_path: Path) -> None:
    declared = {"m": Price(1, 2)}
    assert price_of("openai:m", declared) == Price(1, 2)
    assert price_of("openai:n", declared) is None
    assert price_of("transformers:/x", declared) == FREE
    assert price_of("house", declared) == FREE
    script = tmp_path / "s.toml"
    script.write_text('price = [3, 4]\n[[rule]]\nreply = "x"\n')
    assert price_of(f"scripted:{script}", {}) == Price(3, 4)
    assert price_of(f"scripted:{script}", {str(script): Price(0, 0)}) == FREE


def test_readiness_asks_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHOPKEEPER_OPENAI_URL", "http://127.0.0.1:9/v1")
    assert ready("openai:m").ok
    monkeypatch.setenv("SHOPKEEPER_OPENAI_URL", "http://far.example/v1")
    assert "not https" in ready("openai").says
    assert not ready(f"scripted:{tmp_path}/none.toml").ok
    assert ready("house").ok


def test_a_folder_without_weights_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no weights"):
        open_backend(f"transformers:{tmp_path}")


def test_without_torch_the_pip_command_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "x.safetensors").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "shopkeeper.language.engines.transformers", raising=False)
    with pytest.raises(MissingExtra, match=r"pip install 'shopkeeper\[train\]'"):
        open_backend(f"transformers:{tmp_path}")
    found = importlib.util.find_spec
    monkeypatch.setattr(
        transformers, "find_spec", lambda name: None if name == "torch" else found(name)
    )
    assert "shopkeeper[train]" in ready(f"transformers:{tmp_path}").says


def test_opening_the_light_kinds_loads_nothing_heavy(tmp_path: Path) -> None:
    script = tmp_path / "s.toml"
    script.write_text('[[rule]]\nreply = "x"\n')
    code = (
        "import sys\n"
        "from shopkeeper.language.opening import kinds, open_backend, ready\n"
        f"[ready(kind) for kind in kinds()]; open_backend('house'); open_backend('scripted:{script}')\n"
        "print(sorted({'torch', 'transformers', 'pydantic_ai', 'openai', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
