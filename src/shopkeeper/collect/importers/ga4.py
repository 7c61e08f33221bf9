"""GA4's export to BigQuery (tables ``events_YYYYMMDD``), extracted as JSON lines."""

from __future__ import annotations

from collections import Counter

from shopkeeper.collect import calls, documents
from shopkeeper.collect.calls import Reading
from shopkeeper.collect.ga4 import call
from shopkeeper.collect.request import Request, Result
from shopkeeper.core.errors import BadInput

ABOUT = "GA4's export to BigQuery, extracted as JSON lines: event_params, items, ecommerce"
NEEDS_MAPPING = False
_NAMES = (
    ("properties.products", "items"),
    ("properties.", "event_params."),
    ("context.campaign", "collected_traffic_source"),
)


def bring(request: Request) -> Result:
    """Read, check and load the file's events; nothing is written before all were judged.

    Raises:
        BadInput: a mapping was given, or the file holds nothing.
    """
    if request.mapping is not None:
        raise BadInput("GA4's export needs no mapping.", hint="Leave it out.", field="mapping")
    made: Counter[str] = Counter()
    reading = Reading(
        request.source(), lambda event: [call(event, made)], nobody=True, names=_NAMES
    )
    if request.file is None:
        return calls.bring(request, reading, calls.again(request))
    return calls.bring(request, reading, documents.units(request.file, _events))


def _events(body: object) -> list[object]:
    return body if isinstance(body, list) else [body]
