"""Designs that nobody can mean are refused with the field that is wrong, and none makes anything fail."""

from __future__ import annotations

from typing import Any

import pytest
from tests.campaigns.conftest import Stage

from shopkeeper.campaigns.operations import draft
from shopkeeper.core.errors import BadInput, ShopkeeperError

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"name": "   "}, "name"),
        ({"name": "a\r\nBcc: all@example.com"}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "x" * 10_000}, "name"),
        ({"budget": -1, "cost_per_message": 1}, "budget"),
        ({"budget": float("inf"), "cost_per_message": 1}, "budget"),
        ({"budget": 5}, "design"),
        ({"budget": 1, "cost_per_message": 1e-320}, "cost_per_message"),
        ({"cost_per_message": float("nan")}, "cost_per_message"),
        ({"hold_out": 5e-324}, "hold_out"),
        ({"hold_out": 0.6}, "hold_out"),
        ({"starts_at": "9999-12-31T23:59:59Z", "local_time": True}, "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "starts_at"),
        ({"starts_at": "2027-01-02T00:00:00Z", "ends_at": "2027-01-01T00:00:00Z"}, "design"),
        ({"starts_at": "2027-01-02T00:00:00"}, "design"),
        ({"templates": [{"template_id": "W1"}, {"template_id": "W1", "version": 1}]}, "design"),
        ({"templates": [{"template_id": "W1", "version": 10**25}]}, "version"),
        ({"templates": []}, "templates"),
        ({"segment_id": "S999"}, "segment"),
        ({"primary": "happiness"}, "metric"),
        ({"window_days": 0}, "window_days"),
    ],
)
def test_a_careless_design_names_its_field(stage: Stage, told: dict[str, Any], field: str) -> None:
    segment, template = stage.segment(), stage.template()
    design = {"name": "C", "segment_id": segment, "templates": [{"template_id": template}]}
    with pytest.raises(ShopkeeperError) as refused:
        draft(stage.shop, {**design, **told})  # type: ignore[arg-type]
    assert field in f"{refused.value.field} {refused.value.message}"
    if field != "segment":
        assert isinstance(refused.value, BadInput)
