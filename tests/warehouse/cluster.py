"""Servers for the tests of the engine spark: Sail from its wheel, and Apache Spark with two workers."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, holds: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError(f"{what} did not happen in {seconds} s")
        time.sleep(0.1)


def listens(port: int) -> bool:
    with socket.socket() as asked:
        return not asked.connect_ex((LOOPBACK, port))


class Sail:
    """A Sail server; it can be killed and started again at the same address."""

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._port = free_port()
        self.url = f"sc://{LOOPBACK}:{self._port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "pysail", "spark", "server", "--port", str(self._port)]
        self._process = subprocess.Popen(
            command,
            env={**os.environ, "SAIL_MODE": self._mode},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for("Sail's start", lambda: listens(self._port))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Cluster:
    """Apache Spark: a standalone master, two workers of one core, and the Connect server."""

    def __init__(self, home: Path, folder: Path) -> None:
        self._home, self._folder = home, folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._ui, self._master_ui, self._connect = free_port(), free_port(), free_port()
        self.url = f"sc://{LOOPBACK}:{self._connect}"
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        master = free_port()
        deploy = "org.apache.spark.deploy"
        self._launch(
            "master", "spark-class", f"{deploy}.master.Master", "--host", LOOPBACK,
            "--port", str(master), "--webui-port", str(self._master_ui),
        )  # fmt: skip
        wait_for("the master's start", lambda: listens(self._master_ui))
        address = f"spark://{LOOPBACK}:{master}"
        self.workers = [
            self._launch(
                f"worker{n}", "spark-class", f"{deploy}.worker.Worker", "--host", LOOPBACK,
                "--cores", "1", "--memory", "1g", "--webui-port", str(free_port()),
                "--work-dir", str(self._folder / f"work{n}"), address,
            )
            for n in (1, 2)
        ]  # fmt: skip
        wait_for("both workers' start", lambda: self._alive() == 2)
        conf = {
            "spark.connect.grpc.binding.address": LOOPBACK,
            "spark.connect.grpc.binding.port": str(self._connect),
            "spark.ui.port": str(self._ui),
            "spark.executor.memory": "600m",
            "spark.driver.memory": "900m",
            "spark.sql.shuffle.partitions": "8",
            "spark.local.dir": str(self._folder / "local"),
        }
        self._launch(
            "connect", "spark-submit", "--master", address,
            "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
            *(part for item in conf.items() for part in ("--conf", "=".join(item))),
            "spark-internal",
        )  # fmt: skip
        wait_for("the Connect server's start", lambda: listens(self._connect))

    def executors(self) -> dict[str, dict[str, Any]]:
        """The live executors that run tasks, by id."""
        base = f"http://{LOOPBACK}:{self._ui}/api/v1/applications"
        application = _json(base)[0]["id"]
        found = _json(f"{base}/{application}/executors")
        return {e["id"]: e for e in found if e["id"] != "driver"}

    def busy(self) -> bool:
        """Whether both executors are at work at this moment."""
        with suppress(OSError, IndexError):
            running = [e["activeTasks"] for e in self.executors().values()]
            return len(running) == 2 and all(running)
        return False

    def kill(self, worker: int) -> None:
        """End one worker and the executor that it started, as a power cut would."""
        process = self.workers[worker]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in reversed(self._processes):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _alive(self) -> int:
        with suppress(OSError):  # the page is there a moment after the port
            return int(_json(f"http://{LOOPBACK}:{self._master_ui}/json/")["aliveworkers"])
        return 0

    def _launch(self, name: str, script: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(self._home / "bin" / script), *arguments],
                env={**os.environ, "SPARK_HOME": str(self._home), "SPARK_LOCAL_IP": LOOPBACK},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(process)
        return process


@contextmanager
def spark(home: Path, folder: Path) -> Iterator[Cluster]:
    """A cluster of two workers that ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(home, folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def missing_for_spark() -> str:
    """Why Apache Spark cannot run here; empty if it can."""
    java = shutil.which("java")
    if java is None:
        return "Apache Spark needs Java 17, and there is no java here"
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found.group(1)) < 17:
        return f"Apache Spark needs Java 17, and here is {said.splitlines()[:1]}"
    return ""


def spark_home(environment: Path) -> Path | str:
    """The folder of Apache Spark 4 in an environment of its own, made if missing; or why not."""
    python = environment / "bin" / "python"
    find = "import pyspark, pathlib; print(pathlib.Path(pyspark.__file__).parent)"
    for attempt in ("there", "made"):
        if python.exists():
            found = subprocess.run(
                [python, "-c", find], capture_output=True, text=True, check=False
            )
            if not found.returncode:
                return Path(found.stdout.strip())
        if attempt == "there":
            subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "pyspark>=4.2,<5"]
            done = subprocess.run(pip, capture_output=True, text=True, check=False)
            if done.returncode:
                return f"pyspark cannot be installed: {done.stderr.strip()[-200:]}"
    return "pyspark does not load in its own environment"


def _json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as reply:
        return json.load(reply)
