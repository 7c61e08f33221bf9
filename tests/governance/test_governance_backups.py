"""Backups in the shop's folder: told in every certificate, and removed when their term ends."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.governance.conftest import ANN, NOW, World
from tests.governance.test_governance_erase import confirmed, traces
from tests.governance.test_governance_rights import swept

from shopkeeper.governance.operations import verify_erasure
from shopkeeper.server.backup import keep
from shopkeeper.shop import Shop

SCRIPT = Path(__file__).parents[2] / "deploy" / "sweep.sh"


def test_a_certificate_says_what_backups_hold_and_until_when(world: World) -> None:
    shop = world.shop
    made = keep.create(shop, shop.folder / "backups")
    certificate = confirmed(shop, ANN)
    assert certificate.clean  # everywhere but in the backup, which is told
    [told] = certificate.backups
    assert told.name == made.name
    assert abs(told.made_at - datetime.now(UTC)) < timedelta(minutes=5)
    assert told.until == told.made_at + timedelta(days=90)
    assert any("listed with their term" in note for note in certificate.notes)
    assert verify_erasure(shop, [ANN]).backups == (told,)
    assert traces(shop.folder / "backups", ANN)
    keep.verify(shop.folder / "backups" / made.name)  # a backup is never changed


def test_what_is_no_backup_there_is_searched(world: World) -> None:
    folder = world.shop.folder / "backups" / "by-hand"
    folder.mkdir(parents=True)
    (folder / "copy.txt").write_text(ANN)
    assert "backups/by-hand/copy.txt" in {f.where for f in verify_erasure(world.shop, [ANN]).found}


def test_the_sweep_removes_backups_past_their_term_but_the_newest(world: World) -> None:
    shop = world.shop
    first = keep.create(shop, shop.folder / "backups").name
    old = f"20200101T000000Z-{first[-4:]}"
    (shop.folder / "backups" / first).rename(shop.folder / "backups" / old)
    assert swept(shop) == {}  # it is the newest
    new = keep.create(shop, shop.folder / "backups").name
    assert swept(shop) == {f"backups/{old}": 1}
    with Shop.open(shop.folder, now=lambda: NOW + timedelta(days=100)) as later:
        assert not [place for place in swept(later) if place.startswith("backups/")]
    assert [path.name for path in (shop.folder / "backups").iterdir()] == [new]


def test_the_shipped_schedule_asks_for_the_plan_and_confirms_it_as_the_owner(world: World) -> None:
    folder = world.shop.folder
    (folder / "exports" / "old.json").write_text("{}")
    os.utime(folder / "exports" / "old.json", (0, 0))
    world.shop.close()
    place = {"SHOPKEEPER": str(Path(sys.executable).with_name("shopkeeper")), "SHOP": str(folder)}
    done = subprocess.run(
        ["sh", str(SCRIPT)], env=os.environ | place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "exports/old.json" in done.stdout
    assert not (folder / "exports" / "old.json").exists()
