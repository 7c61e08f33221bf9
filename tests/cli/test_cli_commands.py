"""The command line as a whole: what is typed, what comes out, with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from shopkeeper.cli import derive, main, options, tree
from shopkeeper.core import discovery
from shopkeeper.core.errors import BadInput
from shopkeeper.core.operation import READ, Context, Operation, of, operation
from shopkeeper.core.types import Value

EVERY = [(c, o) for c in discovery.capabilities() for o in of(c)]


class Rule(Value):
    name: str
    least: int = 1


class Echo(Value):
    path: str
    k: int
    tags: tuple[str, ...]
    mode: str
    strict: bool
    rule: Rule | None
    words: str


_SAMPLE = types.ModuleType("sampled.sample.operations")
vars(_SAMPLE).update(Rule=Rule, Echo=Echo, Literal=Literal)


def _sample() -> Operation[Any, Any]:
    def echo_all(
        ctx: Context,
        path: str,
        k: int = 3,
        tags: tuple[str, ...] = (),
        mode: Literal["fast", "slow"] = "fast",
        strict: bool = False,
        rule: Rule | None = None,
    ) -> Echo:
        """What was asked for.

        Args:
            path: where it is,
                on this machine.
            k: how many.
        """
        if path == "interrupt":
            raise KeyboardInterrupt
        if path == "refuse":
            raise BadInput("the path \x1b[2J is wrong", hint="use [bold]another[/]", field="path")
        words = "\x1b]0;owned\x07 [red]x[/]"
        return Echo(path=path, k=k, tags=tags, mode=mode, strict=strict, rule=rule, words=words)

    echo_all.__module__ = _SAMPLE.__name__
    return operation(effect=READ, example={"path": "x"})(echo_all)


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    monkeypatch.setitem(sys.modules, _SAMPLE.__name__, _SAMPLE)
    monkeypatch.delenv(options.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    built = tree.attach(main.app)
    built.add_command(derive.command(_sample()))
    yield built
    options.remember(None, as_json=False)


@pytest.fixture
def made(root: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    assert main.run(root, ["init", str(tmp_path), "--name", "mugs"]) == 0
    capsys.readouterr()
    return root


@pytest.mark.parametrize(("capability", "name"), EVERY)
def test_every_operation_has_a_command_with_help(
    root: Any, capsys: pytest.CaptureFixture[str], capability: str, name: str
) -> None:
    assert main.run(root, [tree.dashed(capability), tree.dashed(name), "--help"]) == 0
    text = capsys.readouterr().out
    assert of(capability)[name].summary.split()[0] in text
    for argument in of(capability)[name].arguments.model_fields:
        assert argument.replace("_", "-") in text or argument in text


@pytest.mark.parametrize("capability", discovery.capabilities())
def test_every_capability_lists_its_commands(
    root: Any, capsys: pytest.CaptureFixture[str], capability: str
) -> None:
    assert main.run(root, [tree.dashed(capability), "--help"]) == 0
    text = capsys.readouterr().out
    for name in of(capability):
        assert tree.dashed(name) in text


def test_the_front_page_lists_every_capability_and_says_what_each_does(
    root: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(root, ["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for capability in discovery.capabilities():
        found = [
            line.split(maxsplit=1)
            for line in lines
            if line.split()[:1] == [tree.dashed(capability)]
        ]
        assert len(found) == 1, capability
        assert len(found[0]) == 2, f"{capability}: its folder's docstring is missing"


def test_arguments_of_every_kind_reach_the_operation(
    made: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ["echo-all", "a path", "--k", "7", "--tags", "x", "--tags", "y", "--mode", "slow"]
    typed += ["--strict", "--rule", '{"name": "r", "least": 2}', "--json"]
    assert main.run(made, typed) == 0
    reply = json.loads(capsys.readouterr().out)
    assert reply["path"] == "a path"
    assert reply["k"] == 7
    assert reply["tags"] == ["x", "y"]
    assert reply["mode"] == "slow"
    assert reply["strict"] is True
    assert reply["rule"] == {"name": "r", "least": 2}


@pytest.mark.parametrize("typed", [["--tags", "x", "--tags", "y"], ["--tags", '["x", "y"]']])
def test_a_list_is_repeated_or_written_as_json(
    made: Any, capsys: pytest.CaptureFixture[str], typed: list[str]
) -> None:
    assert main.run(made, ["echo-all", "p", "--json", *typed]) == 0
    assert json.loads(capsys.readouterr().out)["tags"] == ["x", "y"]


def test_global_options_work_before_the_command_too(
    made: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert main.run(made, ["--shop", str(tmp_path), "--json", "echo-all", "p"]) == 0
    assert json.loads(capsys.readouterr().out)["k"] == 3
    options.remember(None, as_json=False)
    monkeypatch.setenv(options.VARIABLE, str(tmp_path))
    assert main.run(made, ["echo-all", "p"]) == 0


def test_help_shows_the_docstring_of_each_argument(
    root: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(root, ["echo-all", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "where it is, on this machine." in text
    assert "fast|slow" in text
    assert "Args:" not in text


def test_a_wrong_argument_is_named_with_an_example(
    made: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(made, ["echo-all", "p", "--k", "many"]) == 1
    error = capsys.readouterr().err
    assert "k:" in error
    assert "Traceback" not in error


def test_wrong_json_in_an_argument_says_how_to_write_it(
    made: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(made, ["echo-all", "p", "--rule", "{oops"]) == 1
    assert "--rule is not valid JSON" in capsys.readouterr().err


def test_an_error_is_a_message_and_a_hint_without_control_characters(
    made: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(made, ["echo-all", "refuse"]) == 1
    error = capsys.readouterr().err
    assert "the path \\x1b[2J is wrong" in error
    assert "→ use [bold]another[/]" in error
    assert "\x1b" not in error


def test_an_error_with_json_is_the_one_shape(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(made, ["echo-all", "refuse", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    error = json.loads(captured.err)["error"]
    assert set(error) == {"code", "message", "hint", "field", "retryable"}
    assert error["code"] == "BadInput"
    assert error["field"] == "path"


def test_hostile_data_is_printed_without_being_obeyed(
    made: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(made, ["echo-all", "p"]) == 0
    out = capsys.readouterr().out
    assert "\\x1b]0;owned\\x07 [red]x[/]" in out


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["srve"], "Did you mean 'serve'?"),
        (["serve", "--prt", "1"], "--port"),
        (["echo-all"], "Missing option '--path'"),
        (["echo-all", "p", "--modus", "fast"], "--mode"),
        (["echo-all", "p", "more"], "more"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_was_meant(
    root: Any, capsys: pytest.CaptureFixture[str], typed: list[str], said: str
) -> None:
    assert main.run(root, typed) == 2
    assert said in capsys.readouterr().err
    assert main.run(root, [*typed, "--json"]) == 2
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "Usage"


def test_ctrl_c_ends_without_a_traceback(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(made, ["echo-all", "interrupt"]) == 130
    assert "Stopped" in capsys.readouterr().err


def test_a_missing_shop_says_how_to_make_one(
    root: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(root, ["--shop", str(tmp_path / "none"), "echo-all", "p"]) == 1
    assert "shopkeeper init" in capsys.readouterr().err


def test_init_refuses_a_wrong_time_zone_and_a_second_shop(
    root: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(root, ["init", str(tmp_path / "a"), "--time-zone", "Asia/Shangai"]) == 1
    assert "Asia/Shanghai" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
    assert main.run(root, ["init", str(tmp_path / "a")]) == 0
    assert main.run(root, ["init", str(tmp_path / "a")]) == 1


def test_doctor_says_what_is_well_and_what_is_not(
    made: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(made, ["doctor", "--json"]) == 0
    checks = {c["check"]: c for c in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["writer"]["says"] == "free"
    assert main.run(made, ["doctor", "--shop", str(tmp_path / "none"), "--json"]) == 1


def test_starting_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['shopkeeper', '--help']\n"
        "from shopkeeper.cli import main\n"
        "try: main.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'duckdb', 'pyarrow', 'sqlalchemy', 'fastapi', 'numpy', 'dbos', 'rich.table'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    assert "Usage: shopkeeper" in done.stdout
    assert done.stderr.strip() == "[]"


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    command = f"{sys.executable} -m shopkeeper.cli.main --help | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_with_pytorch_loaded_the_interpreter_ends_without_a_word() -> None:
    """DuckDB's binding lists what it believes to have leaked, once the command is over."""
    code = (
        "import atexit, os, sys, types\n"
        "sys.modules['torch'] = types.ModuleType('torch')\n"
        "atexit.register(lambda: os.write(2, b'leaked 27 instances'))\n"
        "from shopkeeper.cli.main import main\n"
        "sys.argv = ['shopkeeper', *sys.argv[1:]]\n"
        "main()\n"
    )
    good, bad = (
        subprocess.run([sys.executable, "-c", code, word], capture_output=True, text=True)
        for word in ("version", "no-such-command")
    )
    assert (good.returncode, good.stderr) == (0, "")
    assert bad.returncode == 2
    assert "no-such-command" in bad.stderr  # what the command itself said is there
    assert "leaked" not in bad.stderr


@pytest.mark.parametrize(("told", "found"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_that_wait_sleep_unless_the_environment_says_otherwise(
    told: str | None, found: str
) -> None:
    code = (
        "import atexit, os, sys\n"
        "from shopkeeper.cli.main import main\n"
        "assert 'numpy' not in sys.modules\n"  # what reads the environment is loaded later
        "atexit.register(lambda: print(os.environ['OMP_WAIT_POLICY']))\n"
        "sys.argv = ['shopkeeper', 'version']\n"
        "main()\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    environment |= {"OMP_WAIT_POLICY": told} if told else {}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.stdout.split()[-1] == found
