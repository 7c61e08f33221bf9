from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel
from tests.language.doubles import ask

from shopkeeper.core.errors import BadInput, ModelBusy, ModelFailed, NotFound
from shopkeeper.language.opening import open_backend
from shopkeeper.language.types import Backend

SCRIPT = """
[[rule]]
match = "could not be used"
reply = { label = "bad" }

[[rule]]
purpose = "reading"
match = "坏了|broke"
reply = { label = "bad" }

[[rule]]
match = "hm"
reply = "undecided"

[[rule]]
match = "wait"
error = "busy"

[[rule]]
match = "stop"
error = "failed"

[[rule]]
purpose = "reading"
reply = { label = "good" }
"""


class Form(BaseModel):
    label: Literal["good", "bad"]


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    path = tmp_path / "script.toml"
    path.write_text(SCRIPT, "utf-8")
    return open_backend(f"scripted:{path}")


@pytest.mark.parametrize(
    ("text", "label"), [("It broke", "bad"), ("杯子坏了", "bad"), ("Lovely", "good"), ("hm", "bad")]
)
def test_the_first_rule_that_fits_answers(backend: Backend, text: str, label: str) -> None:
    replies = [backend.complete(ask(text, schema=Form)) for _ in range(2)]
    assert [one.value for one in replies] == [Form.model_validate({"label": label})] * 2
    assert replies[0].tokens_in == replies[1].tokens_in > 0


def test_errors_are_part_of_the_script(backend: Backend) -> None:
    with pytest.raises(ModelBusy):
        backend.complete(ask("wait"))
    with pytest.raises(ModelFailed):
        backend.complete(ask("stop"))
    with pytest.raises(ModelFailed, match="No rule"):
        backend.complete(ask("Lovely", purpose="other"))


def test_a_script_may_be_json(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text('{"rule": [{"reply": "从来没有"}]}', "utf-8")
    assert open_backend(f"scripted:{path}").complete(ask()).text == "从来没有"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[rule]]\nmatch = '('\nreply = 'x'", "not a regular expression"),
        ("[[rule]]\nmatch = 'x'", "either a reply or an error"),
        ("[[rule]]\nreply = 'x'\nerror = 'busy'", "either a reply or an error"),
        ("rule = []", "at least 1"),
        ("[[rules]]\nreply = 'x'", "rule"),
        ("price = [-1, 0]\n[[rule]]\nreply = 'x'", "price"),
        ("[[rule]", "cannot be read"),
    ],
    ids=["pattern", "neither", "both", "none", "misspelt", "price", "toml"],
)
def test_a_wrong_script_says_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "script.toml"
    path.write_text(text)
    with pytest.raises(BadInput, match=said):
        open_backend(f"scripted:{path}")


def test_a_script_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_backend(f"scripted:{tmp_path}/none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="UTF-8"):
        open_backend(f"scripted:{tmp_path}/binary.toml")
