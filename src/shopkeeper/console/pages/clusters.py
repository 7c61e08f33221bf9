"""Groups of customers who are alike, on a map, each with its name and what sets it apart."""

from __future__ import annotations

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.console import charts, figures, freshness, parts, segmenting
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit
from shopkeeper.customers.types import ClusterMap

_KINDS = ("tastes", "habits")


async def page(visit: Visit, _args: PageArguments) -> None:
    """The groups by what customers like, or by how they buy."""
    w = visit.w
    parts.link(w("predictions.back"), "/predictions", "back")
    parts.title(w("clusters.title"), w("clusters.lead"))
    with box("form-row"):
        choice = ui.toggle({kind: w(f"clusters.{kind}") for kind in _KINDS}, value=_KINDS[0])
        choice.props("no-caps unelevated dense")
        if visit.may("customers.cluster"):
            parts.plain_button(
                w("clusters.run"),
                lambda: visit.start("customers.cluster", by=str(choice.value)),
                icon="refresh",
            )
    await freshness.line(visit, box(), "clusters")
    holder = box("stack")
    choice.on_value_change(lambda change: _map(visit, holder, str(change.value)))
    await _map(visit, holder, _KINDS[0])


async def _map(visit: Visit, holder: Element, by: str) -> None:
    w, n = visit.w, visit.n

    def draw(reply: ClusterMap) -> None:
        if reply.missing is not None:
            parts.empty(w("clusters.none"), figures.why_not(visit, reply.missing), "bubble_chart")
            return
        stability = f"{reply.stability or 0:.2f}"
        text(w("clusters.count", customers=n.count(reply.customers), stability=stability), "lead")
        names = {one.id: f"{one.id} {one.name}" for one in reply.clusters}
        points: dict[str, list[tuple[float, float, str]]] = {name: [] for name in names.values()}
        for dot in reply.dots:
            points[names[dot.cluster]].append((dot.x, dot.y, dot.customer_id))
        with parts.panel(w("clusters.map"), lead=w("clusters.map_lead")):
            charts.dots(points, w("clusters.map"))
        with box("panels"):
            for one in reply.clusters:
                lead = w(
                    "clusters.size", customers=n.count(one.customers), share=n.share(one.share)
                )
                with parts.panel(names[one.id], lead=lead):
                    for reason in one.reasons:
                        text(reason.text)
                    told = f'score "cluster_{by}" = {one.id.removeprefix("C")}'
                    segmenting.offer(visit, names[one.id], definition=told)

    await visit.fill(holder, lambda: visit.run("customers.clusters", by=by, lang=visit.lang), draw)
