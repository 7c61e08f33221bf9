"""Rows that an import refused, as imports keep them: erased with the customer, however short the id."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.governance.test_governance_erase import confirmed

from shopkeeper.collect import operations as collect
from shopkeeper.governance.operations import verify_erasure
from shopkeeper.shop import Shop

ROWS = "用户,时间,商品,单价\n{id},2026-01-05,i1,9\n{id},2026-01-05,i2,x\n{id}0,2026-01-05,i3,x\n"
MAPPING = """
[columns]
user_id = "用户"
time = "时间"
item_id = "商品"
price = "单价"

[event]
name = "purchase"
"""


@pytest.mark.parametrize("customer", ["17", "会员17"])
def test_refused_rows_of_a_file_go_with_the_customer(
    shop: Shop, tmp_path: Path, customer: str
) -> None:
    (tmp_path / "sales.csv").write_text(ROWS.format(id=customer), "utf-8")
    (tmp_path / "sales.toml").write_text(MAPPING, "utf-8")
    receipt = collect.import_file(shop, str(tmp_path / "sales.csv"), str(tmp_path / "sales.toml"))
    assert (receipt.new, receipt.refused) == (1, 2)
    assert "store: refused.raw" in {one.where for one in verify_erasure(shop, [customer]).found}
    assert confirmed(shop, customer).clean
    left = [row.raw for row in shop.imports.refused(receipt.import_id)]
    assert [raw is not None and f"{customer}0" in raw for raw in left] == [False, True]
