"""The RFM scores and segment, as ``customers.rfm`` defines them."""

from __future__ import annotations

import narwhals as nw

from shopkeeper.customers import rfm
from shopkeeper.customers.traits.scene import Scene
from shopkeeper.warehouse.source import Frame

OPTIONAL = True
_NAMES = {"rfm_segment": "segment", "r_score": "r", "f_score": "f", "m_score": "m"}


def frames(scene: Scene) -> list[Frame]:
    """Scores by fifths of all buyers: of a few customers asked for alone there are none."""
    if scene.about:
        return []
    return [rfm.table(scene.events(), scene.as_of).select("customer_id", **_NAMES)]


def columns(scene: Scene) -> dict[str, nw.Expr]:
    """The traits."""
    if scene.about:
        kinds = {"rfm_segment": nw.String}
        return {name: nw.lit(None, kinds.get(name, nw.Int64)) for name in _NAMES}
    return {name: nw.col(name) for name in _NAMES}
