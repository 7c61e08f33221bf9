from __future__ import annotations

from pathlib import Path

import pytest
from tests.governance.conftest import ANN, BOB, NAMES, furnish
from tests.governance.test_governance_erase import confirmed, traces

from shopkeeper.core.settings import Settings
from shopkeeper.core.subject import Needles
from shopkeeper.governance.subjects import subjects
from shopkeeper.shop import Shop
from shopkeeper.store.erase import found


def test_a_customer_is_erased_from_postgresql_as_from_sqlite(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPKEEPER_DATABASE", postgres_url)
    made = Settings(name="Test shop", time_zone="Asia/Shanghai", currency="CNY")
    with Shop.create(tmp_path / "shop", made) as shop:
        furnish(shop)
        needles = Needles.of(*subjects(shop, [ANN]))
        before = set(found(shop.database, needles))
        assert {
            "customers.traits", "log.payload", "refused.raw", "jobs.result", "consent.customer_id",
            "identities.sent_id", "imports.source", "log_tail.subject",
        } <= before  # fmt: skip
        certificate = confirmed(shop, ANN)
        assert certificate.clean
        assert any("write-ahead log" in note for note in certificate.notes)
        assert found(shop.database, needles) == {}
        assert [row["customer_id"] for row in shop.people.all()] == [BOB]
    assert traces(tmp_path / "shop", *NAMES) == []
