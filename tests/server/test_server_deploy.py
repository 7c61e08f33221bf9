"""What is shipped for running Shopkeeper: units, a compose file and an image that fit the command line."""

from __future__ import annotations

import configparser
import importlib
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.testing

from shopkeeper.cli import tree
from shopkeeper.cli.main import app
from shopkeeper.core.settings import PREFIX, Settings

yaml: Any = importlib.import_module("yaml")  # which has no types
DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "CapabilityBoundingSet": "",
    "UMask": "0077",
    "User": "shopkeeper",
}


def _unit(path: Path) -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read(path, "utf-8")
    return found


def _understood(words: list[str]) -> None:
    """The command line knows this command and each of its options."""
    group = tree.attach(app)
    options = [word for word in words if word.startswith("--")]
    commands = [word for word in words if re.fullmatch(r"[a-z]+", word)]
    depth = 2 if commands[0] == "backup" else 1
    asked = [*commands[:depth], "--help"]
    shown = typer.testing.CliRunner().invoke(app, asked)
    assert shown.exit_code == 0, shown.output
    assert commands[0] in group.commands
    for option in options:
        assert option in shown.output, option


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_a_unit_is_hardened_and_starts_a_command_that_exists(path: Path) -> None:
    service = _unit(path)["Service"]
    assert {name: service.get(name) for name in HARDENED} == HARDENED
    words = shlex.split(service["ExecStart"])
    if words == ["/opt/shopkeeper/sweep.sh"]:  # the shipped script: governance has its test
        assert os.access(DEPLOY / "sweep.sh", os.X_OK)
        return
    assert words[0].endswith("/shopkeeper")
    _understood(words[1:])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for path in DEPLOY.glob("systemd/*"):
        text = path.read_text("utf-8").replace(
            "/opt/shopkeeper/bin/shopkeeper", shutil.which("true") or ""
        )
        text = text.replace("/opt/shopkeeper/sweep.sh", shutil.which("true") or "")
        (tmp_path / path.name).write_text(text, "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) not in done.stderr, done.stderr


def test_the_compose_file_runs_every_part_as_the_command_line_knows_it() -> None:
    composed: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services = composed["services"]
    assert {"api", "console", "worker", "postgres"} <= set(services)
    for name, service in services.items():
        volumes = {v.partition(":")[0] for v in service["volumes"]}
        assert volumes <= set(composed["volumes"])
        if name == "postgres":
            continue
        _understood(service["command"])
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"]
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), "a proxy that ends TLS stands in front"


def test_the_example_names_settings_that_exist() -> None:
    text = (DEPLOY / "shopkeeper.env.example").read_text("utf-8")
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    known |= {"SHOPKEEPER_LOG", "OTEL_EXPORTER_OTLP_ENDPOINT", "POSTGRES_PASSWORD"}
    assert set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)) <= known


def test_the_image_starts_as_a_user_without_rights() -> None:
    lines = (DEPLOY / "Dockerfile").read_text("utf-8").splitlines()
    users = [line for line in lines if line.startswith("USER")]
    assert users == ["USER shopkeeper"]
    start = next(line for line in lines if line.startswith("CMD"))
    _understood(yaml.safe_load(start.removeprefix("CMD")))
