from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from shopkeeper.core.errors import BadInput, Conflict, LeaseHeld, NotFound
from shopkeeper.core.operation import OWNER
from shopkeeper.core.settings import FILE, Settings
from shopkeeper.shop import Shop
from shopkeeper.store.log import Entry


def _event(event_id: str, user: str) -> Entry:
    now = datetime.now(UTC)
    micros = int(now.timestamp() * 1_000_000)
    row = {"event_id": event_id, "user_id": user, "name": "view_item", "time": micros, "received_at": micros,
           "day": str(now.date()), "source": "test"}  # fmt: skip
    return Entry(event_id, user, "", now, "events", orjson.dumps(row))


def _ids(shop: Shop, live: bool | list[str]) -> set[str]:
    table = shop.query(lambda source: source.events().select("event_id"), live=live)
    return set(table["event_id"].to_pylist())


def test_a_shop_is_made_once_and_opened_again(tmp_path: Path) -> None:
    settings = Settings(name="茶", time_zone="Asia/Shanghai", currency="CNY")
    folder = tmp_path / "s? 茶 #1%20"
    with Shop.create(folder, settings):
        pass
    with pytest.raises(Conflict, match="a shop"):
        Shop.create(folder)
    assert (folder / "shop.sqlite").exists()
    with Shop.open(folder) as shop:
        assert shop.settings == settings
        assert shop.span() is None


def test_opening_what_is_no_shop_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="shopkeeper init"):
        Shop.open(tmp_path)
    assert not (tmp_path / FILE).exists()


def test_an_accepted_event_counts_at_once_where_live_is_asked(shop: Shop) -> None:
    shop.log.append([[_event("a", "u1"), _event("b", "u2")]])
    assert _ids(shop, live=False) == set()
    assert _ids(shop, live=True) == {"a", "b"}
    assert _ids(shop, live=["u1"]) == {"a"}
    with shop.writer("test") as writer:
        writer.drain()
    shop.log.append([[_event("c", "u1")]])
    assert _ids(shop, live=False) == {"a", "b"}
    assert _ids(shop, live=["u1"]) == {"a", "b", "c"}


def test_a_second_process_is_refused_with_the_name_of_the_first(shop: Shop) -> None:
    code = (
        "import sys; from shopkeeper.shop import Shop\n"
        f"shop = Shop.open({str(shop.folder)!r})\n"
        "with shop.writer('the night import'):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with pytest.raises(LeaseHeld, match=rf"the night import.*{first.pid}"), shop.writer("mine"):
            pass
    finally:
        first.kill()
        first.communicate()
    with shop.writer("mine") as writer:  # the first one is dead: no waiting
        assert writer.drain() == 0


def test_threads_of_one_process_share_the_writer(shop: Shop) -> None:
    entered = threading.Barrier(3)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with shop.writer("thread") as writer:
                entered.wait(10)
                writer.drain()
        except BaseException as error:  # noqa: BLE001 (told to the test)
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with shop.writer("again"):
        pass


def test_what_is_audited_tells_how_it_ended_and_no_personal_data(shop: Shop) -> None:
    with shop.audited(OWNER, "collect.import_file", {"path": "/home/ann/orders.csv"}):
        pass
    with pytest.raises(BadInput), shop.audited(OWNER, "keys.revoke", {"id": "k1"}):
        raise BadInput("no such key")
    assert shop.audit.verify().ok
    entries = shop.audit.entries(limit=10)
    assert "ann" not in str(entries)
    assert "BadInput" in str(entries)
    assert "done" in str(entries)
