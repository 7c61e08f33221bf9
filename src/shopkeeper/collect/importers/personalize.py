"""Amazon Personalize's data sets as CSV: interactions, items and users, told apart by their header."""

from __future__ import annotations

from dataclasses import replace

from shopkeeper.collect.formats import csv
from shopkeeper.collect.importers import table
from shopkeeper.collect.mapping import EventOptions, FileOptions, Mapping
from shopkeeper.collect.request import Request, Result
from shopkeeper.core.errors import BadInput

ABOUT = "Amazon Personalize's CSVs: interactions, items or users, by their header"
NEEDS_MAPPING = False
_FILE = FileOptions(format="csv", time_formats=("epoch_s",))
_EVENTS = {"USER_ID": "user_id", "ITEM_ID": "item_id", "TIMESTAMP": "time", "EVENT_TYPE": "name",
           "EVENT_VALUE": "value"}  # fmt: skip
_ITEMS = {"ITEM_ID": "item_id", "PRICE": "price", "PRODUCT_DESCRIPTION": "description",
          "CREATION_TIMESTAMP": "available_from"}  # fmt: skip
_USERS = {"USER_ID": "customer_id", "LANGUAGE": "language", "COUNTRY": "country"}


def bring(request: Request) -> Result:
    """Read, check and load the file's rows. Columns that are none of Personalize's are kept as text.

    Raises:
        BadInput: a mapping was given, or the header is of none of the three.
    """
    if request.file is None:
        return table.bring(request)
    if request.mapping is not None:
        raise BadInput("Personalize's CSVs need no mapping.", hint="Leave it out.", field="mapping")
    probe = Mapping(columns={"time": "TIMESTAMP"}, event=EventOptions(name="view"), file=_FILE)
    columns = csv.read(request.file, probe).columns
    return table.bring(replace(request, mapping=mapping(columns)))


def mapping(columns: tuple[str, ...]) -> Mapping:
    """What these columns are of ours.

    Raises:
        BadInput: they are of none of the three data sets.
    """
    given = frozenset(columns)
    if {"USER_ID", "ITEM_ID", "TIMESTAMP"} <= given:
        typed = "EVENT_TYPE" in given
        return Mapping(
            name="personalize-interactions",
            notes=() if typed else ("The file has no EVENT_TYPE: its rows count as view_item.",),
            columns=_given(_EVENTS, given),
            extra=_rest(columns, _EVENTS),
            event=EventOptions(name=None if typed else "view_item"),
            file=_FILE,
        )
    if "ITEM_ID" in given and "USER_ID" not in given:
        return _items(columns)
    if "USER_ID" in given and "ITEM_ID" not in given:
        return Mapping(
            name="personalize-users",
            target="customers",
            columns=_given(_USERS, given),
            extra=_rest(columns, _USERS),
            file=_FILE,
        )
    raise BadInput(
        f"The header is of none of Personalize's data sets: {', '.join(columns[:20])}.",
        hint="interactions: USER_ID, ITEM_ID, TIMESTAMP; items: ITEM_ID …; users: USER_ID …",
        field="path",
    )


def _items(columns: tuple[str, ...]) -> Mapping:
    given = frozenset(columns)
    ours = _given(_ITEMS, given)
    known = dict(_ITEMS)
    if "CATEGORY_L1" in given:  # the deeper levels may be empty: they stay columns of their own
        ours["category"] = "CATEGORY_L1"
        known["CATEGORY_L1"] = "category"
    return Mapping(
        name="personalize-items",
        target="items",
        columns=ours,
        constants={"kind": "product"},
        extra=_rest(columns, known),
        file=_FILE,
    )


def _given(names: dict[str, str], given: frozenset[str]) -> dict[str, str]:
    return {ours: theirs for theirs, ours in names.items() if theirs in given}


def _rest(columns: tuple[str, ...], known: dict[str, str]) -> tuple[str, ...]:
    return tuple(name for name in columns if name not in known)
