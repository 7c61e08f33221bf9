from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import narwhals as nw
import pytest
from tests.collect.conftest import SALES

from shopkeeper.collect import operations as collect
from shopkeeper.collect import stage
from shopkeeper.core.errors import BadInput, NotAllowed, NotFound, ShopkeeperError, UnknownName
from shopkeeper.core.operation import Actor, Context
from shopkeeper.shop import Shop

HEAD = "user,at,item,n,price,title,country\n"
KEY = Actor("key", "web", frozenset({"collect:*"}))
MAPPING = SALES + (
    '[items]\ncolumns = { title = "title", price = "price" }\n'
    '[[items.rules]]\nkind = "service"\nwhen = { item = { equals = "POST" } }\n'
    '[customers]\ncolumns = { country = "country" }\n'
)


def row(user: str = "u1", day: int = 5, item: str = "tea", n: str = "2", price: str = "9.5",
        title: str = "Green tea", country: str = "CN") -> str:  # fmt: skip
    return f"{user},2026-01-{day:02d} 10:00:00,{item},{n},{price},{title},{country}\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "mine.toml").write_text(MAPPING, "utf-8")
    return tmp_path


def bring(shop: Shop, files: Path, content: str, name: str = "sales.csv", **how: Any) -> Any:
    (files / name).write_text(content, "utf-8")
    how.setdefault("mapping", str(files / "mine.toml"))
    return collect.import_file(shop, str(files / name), **how)


def count(shop: Shop, table: str = "events") -> int:
    rows = shop.query(lambda s: getattr(s, table)().select(n=nw.len()))
    return int(rows["n"][0].as_py())


def test_an_import_fills_tables_catalogue_and_customers(shop: Shop, files: Path) -> None:
    content = HEAD + row() + row("u2", 6, price="11.5", title="Tea") + row("u1", 7, title="Tea")
    content += row("", 7, "POST", "1", "3", "Postage", "")
    receipt = bring(shop, files, content)
    assert (receipt.rows_read, receipt.new, receipt.duplicate, receipt.refused) == (4, 4, 0, 0)
    assert receipt.loaded == {"events": 4, "items": 2, "customers": 2}
    items = {item["item_id"]: item for item in shop.catalogue.items()}
    assert (items["tea"]["title"], items["tea"]["price"], items["tea"]["kind"]) == (
        "Tea", 9.5, "product",
    )  # fmt: skip
    assert items["POST"]["kind"] == "service"
    customer = shop.people.get("u1")
    assert (customer.country, str(customer.first_seen)) == ("CN", "2026-01-05 02:00:00+00:00")
    assert count(shop, "items") == 2
    assert count(shop, "customers") == 2
    assert [str(day) for day in (receipt.first_day, receipt.last_day)] == [
        "2026-01-05",
        "2026-01-07",
    ]


def test_a_second_import_of_the_same_file_is_all_duplicates(shop: Shop, files: Path) -> None:
    content = HEAD + row() * 3 + row("u2")
    bring(shop, files, content)
    again = bring(shop, files, content)
    assert (again.new, again.duplicate) == (0, 4)
    assert count(shop) == 4


def test_a_file_that_grew_brings_only_what_is_new(shop: Shop, files: Path) -> None:
    bring(shop, files, HEAD + row() * 2)
    grown = bring(shop, files, HEAD + row() * 3 + row("u2"))
    assert (grown.new, grown.duplicate) == (2, 2)
    assert count(shop) == 4


def test_a_dry_run_tells_the_same_and_writes_nothing(shop: Shop, files: Path) -> None:
    bring(shop, files, HEAD + row())
    before = collect.receipts(shop)
    dry = bring(shop, files, HEAD + row() + row("u2") + row(price="x"), dry_run=True)
    assert (dry.new, dry.duplicate, dry.refused, dry.dry_run) == (1, 1, 1, True)
    assert collect.receipts(shop) == before
    assert count(shop) == 1


def test_refused_rows_are_kept_listed_and_imported_with_a_corrected_mapping(
    shop: Shop, files: Path
) -> None:
    content = HEAD + row() + row("u2", price='"9,5"') + row("u2", price='"9,5"')
    first = bring(shop, files, content)
    assert (first.new, first.refused) == (1, 2)
    page = collect.refused(shop, first.import_id, limit=1)
    assert (page.rows[0].row, page.rows[0].field, page.rows[0].reason) == (
        3, "price", "it is not a number",
    )  # fmt: skip
    assert '"u2"' in page.rows[0].raw
    assert page.next_after is not None
    rest = collect.refused(shop, first.import_id, after=page.next_after)
    assert [r.row for r in rest.rows] == [4]
    (files / "comma.toml").write_text(MAPPING + '[file]\ndecimal = ","\n', "utf-8")
    retried = collect.retry(shop, first.import_id, mapping=str(files / "comma.toml"))
    assert (retried.rows_read, retried.new, retried.refused) == (2, 2, 0)
    assert count(shop) == 3
    assert not collect.refused(shop, first.import_id, waiting=True).rows
    whole = bring(shop, files, content, mapping=str(files / "comma.toml"))
    assert (whole.new, whole.duplicate) == (0, 2)  # 9.5 is no number with a decimal comma
    with pytest.raises(BadInput, match="No refused row"):
        collect.retry(shop, first.import_id)


def test_refused_rows_are_imported_with_corrected_values(shop: Shop, files: Path) -> None:
    first = bring(shop, files, HEAD + row(price="free") + row("u2", price="gift") + "torn\n")
    numbers = [r.number for r in collect.refused(shop, first.import_id).rows]
    retried = collect.retry(shop, first.import_id, values={numbers[0]: {"price": "0"}})
    assert (retried.new, retried.refused) == (1, 2)
    waiting = collect.refused(shop, first.import_id, waiting=True).rows
    assert [r.number for r in waiting] == numbers[1:]
    with pytest.raises(BadInput, match="no refused row 9999"):
        collect.retry(shop, first.import_id, values={9999: {"price": "0"}})


def test_an_import_that_fails_leaves_the_tables_as_they_were(
    shop: Shop, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(shop, files, HEAD + row())
    real = stage.Stage.rows

    def torn(self: stage.Stage, *args: Any) -> Iterator[Any]:
        for batch in real(self, *args):
            yield batch.slice(0, 1)
            raise OSError("the disk is gone")

    monkeypatch.setattr(stage.Stage, "rows", torn)
    with pytest.raises(OSError, match="disk"):
        bring(shop, files, HEAD + row("u2") + row("u3"), name="more.csv")
    assert count(shop) == 1
    assert collect.receipts(shop).receipts[0].status == "failed"
    monkeypatch.undo()
    assert bring(shop, files, HEAD + row("u2") + row("u3"), name="more.csv").new == 2


def test_a_file_that_breaks_off_in_the_middle_leaves_the_tables_as_they_were(
    shop: Shop, files: Path
) -> None:
    packed = gzip.compress((HEAD + "".join(row(f"u{i}") for i in range(5000))).encode())
    (files / "cut.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(BadInput, match="gzip"):
        collect.import_file(shop, str(files / "cut.csv.gz"), mapping=str(files / "mine.toml"))
    assert count(shop) == 0


def test_items_and_customers_have_targets_of_their_own(shop: Shop, files: Path) -> None:
    (files / "items.toml").write_text(
        'target = "items"\nextra = ["colour"]\n[columns]\nitem_id = "id"\ntitle = "t"\nprice = "p"\n'
        '[constants]\nkind = "product"\n'
    )
    content = "id,t,p,colour\na,Tea,9,green\nb,Pot,,\na,Tea,9,green\na,Coffee,9,\n,x,1,\n"
    how = {"name": "items.csv", "mapping": str(files / "items.toml")}
    receipt = bring(shop, files, content, **how)
    assert (receipt.new, receipt.duplicate, receipt.refused) == (2, 1, 2)
    assert next(shop.catalogue.items())["attributes"] == {"colour": "green"}
    assert bring(shop, files, content, **how).new == 0
    (files / "people.toml").write_text(
        'target = "customers"\nextra = ["plan"]\n[columns]\ncustomer_id = "id"\nfirst_seen = "since"\n'
    )
    how = {"name": "people.csv", "mapping": str(files / "people.toml")}
    receipt = bring(shop, files, "id,since,plan\nu1,2020-05-01,gold\n", **how)
    assert receipt.new == 1
    assert shop.people.get("u1").traits == {"plan": "gold"}


def test_texts_have_a_target_of_their_own(shop: Shop, files: Path) -> None:
    (files / "texts.toml").write_text(
        'target = "texts"\n[columns]\ntime = "at"\nbody = "words"\nrating = "stars"\n'
        '[constants]\nkind = "review"\n'
    )
    content = "at,words,stars\n2026-01-05,很好喝,5\n2026-01-05,=1+1 bad,9\n2026-01-05,,3\n"
    receipt = bring(shop, files, content, name="t.csv", mapping=str(files / "texts.toml"))
    assert (receipt.new, receipt.refused) == (1, 2)
    assert count(shop, "texts") == 1


def context(shop: Shop) -> Context:
    return Context(shop, KEY)


@pytest.mark.parametrize(
    "path", ["../secret.csv", "/etc/passwd", "link.csv", "sub/../../secret.csv", "~/secret.csv"]
)
def test_over_the_network_only_the_inbox_is_read(shop: Shop, path: str) -> None:
    inbox = shop.folder / "inbox"
    (inbox / "sub").mkdir(parents=True)
    (shop.folder / "secret.csv").write_text(HEAD + row())
    (inbox / "link.csv").symlink_to(shop.folder / "secret.csv")
    with pytest.raises((NotAllowed, NotFound)) as caught:
        collect.import_file(context(shop), path, mapping="online-retail")
    assert "inbox" in str(caught.value)
    assert not collect.receipts(shop).receipts


def test_over_the_network_files_and_mappings_in_the_inbox_are_read(shop: Shop) -> None:
    inbox = shop.folder / "inbox"
    inbox.mkdir(exist_ok=True)
    (inbox / "sales.csv").write_text(HEAD + row())
    (inbox / "mine.toml").write_text(MAPPING)
    assert collect.import_file(context(shop), "sales.csv", mapping="mine.toml").new == 1
    with pytest.raises(NotAllowed):
        collect.import_file(context(shop), "sales.csv", mapping="/etc/hosts.toml")


def test_a_path_that_is_no_file_is_named(shop: Shop, files: Path) -> None:
    (files / "empty.csv").write_text("")
    for name, error in (("", BadInput), ("missing.csv", NotFound), ("empty.csv", BadInput)):
        with pytest.raises(error):
            collect.import_file(shop, str(files / name), mapping="online-retail")
    with pytest.raises(BadInput, match="NUL"):
        collect.import_file(shop, "a\x00b", mapping="online-retail")


def test_an_unknown_importer_or_mapping_names_the_near_one(shop: Shop, files: Path) -> None:
    with pytest.raises(UnknownName, match="segmnt") as caught:
        bring(shop, files, HEAD + row(), importer="segmnt")
    assert "'segment'" in caught.value.hint
    with pytest.raises(BadInput, match="needs a mapping"):
        bring(shop, files, HEAD + row(), mapping="")


def test_receipts_and_mappings_are_listed(shop: Shop, files: Path) -> None:
    receipt = bring(shop, files, HEAD + row())
    assert collect.receipt(shop, receipt.import_id) == receipt
    assert [r.import_id for r in collect.receipts(shop).receipts] == [receipt.import_id]
    listed = collect.mappings(shop)
    assert {"online-retail", "sequences", "amazon-items"} <= {m.name for m in listed.mappings}
    assert set(listed.importers) == {
        "ga4", "jsonld", "personalize", "segment", "shopify", "table",
    }  # fmt: skip
    with pytest.raises(NotFound):
        collect.receipt(shop, "none")


def test_progress_can_stop_an_import(shop: Shop, files: Path) -> None:
    (files / "sales.csv").write_text(HEAD + row())

    class Stopped(ShopkeeperError):
        pass

    def stop(done: float, total: float | None, message: str) -> None:
        raise Stopped(message)

    with pytest.raises(Stopped):
        collect.import_file(
            Context(shop, progress=stop), str(files / "sales.csv"), mapping=str(files / "mine.toml")
        )
    assert count(shop) == 0
