"""SIGKILL of the launcher at random moments: nobody is missed, nobody gets two, no control is reached."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.campaigns.conftest import Stage
from tests.contact.conftest import Clock

from shopkeeper.core.settings import Settings
from shopkeeper.shop import Shop

CUSTOMERS, KILLS = 600, 8


@pytest.mark.slow
def test_nobody_is_missed_or_doubled_over_kills(tmp_path: Path) -> None:
    folder, clock, rng = tmp_path / "shop", Clock(), random.Random(5)
    Shop.create(folder, Settings(time_zone="Asia/Shanghai", currency="CNY")).close()
    with Shop.open(folder, now=clock) as shop:
        stage = Stage(shop, clock)
        stage.rules(caps=[{"most": 1, "days": 1}])
        people = stage.people(CUSTOMERS, "file")
        told = stage.template({"text": "Tea."}, channel="file")
        made = stage.confirmed(stage.segment(*people), told, hold_out=0.2)
        killed = 0
        while True:
            command = [sys.executable, "-m", "tests.campaigns.launcher"]
            process = subprocess.Popen(
                [*command, str(folder), clock().isoformat()], stdout=subprocess.PIPE, text=True
            )
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            if killed < KILLS:
                time.sleep(rng.uniform(0.0, 0.4))
                process.kill()
                killed += 1
            said = process.stdout.read()
            process.wait()
            process.stdout.close()
            stage.send("file")
            if said == "done\n":
                break
        arms = stage.exposed(made.campaign_id)
        assert set(arms) == set(people)
        treated = {one for one, arm in arms.items() if arm == "A"}
        letters = (folder / "outgoing" / "letters.jsonl").read_text().splitlines()
        assert len(letters) == len(treated)
        assert {one.customer_id for one in stage.outbox.page({}, CUSTOMERS)} == treated
        counts = stage.counts(made.campaign_id)
        assert counts == {"queued": len(treated), "control": CUSTOMERS - len(treated)}
