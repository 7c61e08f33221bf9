"""Rows of numbers as Arrow columns of the EVENTS table."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shopkeeper.core.schema import EVENTS
from shopkeeper.core.seeds import derive
from shopkeeper.simulate.effects import ARMS
from shopkeeper.simulate.lands import DEVICES, VISIT_CHANNELS
from shopkeeper.simulate.population import LAND_NAMES
from shopkeeper.simulate.rows import LISTS, NAMES, NOTES, Rows, scrambled
from shopkeeper.simulate.setting import Setting
from shopkeeper.warehouse.arrow import arrow_schema

SOURCE: Final = "simulate"
_HEX: Final = np.frombuffer(b"0123456789abcdef", np.uint8)
_POSITIONS = tuple(str(n) for n in range(1, 21))
_PERCENTS = tuple(f"{n / 100:.2f}" for n in range(101))


def hexadecimal(numbers: NDArray[Any], width: int, prefix: str = "") -> NDArray[np.uint8]:
    """The numbers as rows of ``width`` hexadecimal letters after the prefix."""
    letters = np.empty((len(numbers), len(prefix) + width), np.uint8)
    letters[:, : len(prefix)] = np.frombuffer(prefix.encode(), np.uint8)
    rest = numbers.astype(np.uint64)
    for place in range(width - 1, -1, -1):
        letters[:, len(prefix) + place] = _HEX[(rest & np.uint64(15)).astype(np.intp)]
        rest >>= np.uint64(4)
    return letters


def strings(letters: NDArray[np.uint8], given: NDArray[np.bool_] | None = None) -> pa.StringArray:
    """Rows of letters as strings of equal length; null where not ``given``."""
    count, width = letters.shape
    lengths = np.full(count, width, np.int64) if given is None else given * width
    offsets = np.zeros(count + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    kept = letters if given is None else letters[given]
    mask = None
    if given is not None:
        mask = pa.py_buffer(np.packbits(given, bitorder="little").tobytes())
    return pa.StringArray.from_buffers(
        count, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(kept)), mask
    )


def user_ids(numbers: NDArray[Any]) -> pa.StringArray:
    """Customers' ids from their numbers; null below 0."""
    numbers = np.asarray(numbers)
    given = numbers >= 0
    letters = np.empty((len(numbers), 8), np.uint8)
    letters[:, 0] = ord("c")
    rest = np.maximum(numbers, 0).astype(np.int64)
    for place in range(7, 0, -1):
        letters[:, place] = ord("0") + rest % 10
        rest //= 10
    return strings(letters, given)


def order_ids(seed: int, numbers: NDArray[Any]) -> pa.StringArray:
    """Orders' ids from their numbers; null below 0."""
    return _opaque(seed, "orders", "o", numbers)


def _opaque(seed: int, label: str, prefix: str, numbers: NDArray[Any]) -> pa.StringArray:
    letters = hexadecimal(scrambled(seed, label, np.asarray(numbers)), 16, prefix)
    return strings(letters, np.asarray(numbers) >= 0)


def anonymous_ids(numbers: NDArray[np.uint64]) -> pa.StringArray:
    """Visitors' ids from their numbers; null at 0."""
    return strings(hexadecimal(numbers, 16), np.asarray(numbers != 0))


class Columns:
    """Turns rows of one world into record batches of the EVENTS schema."""

    def __init__(self, setting: Setting) -> None:
        self._schema = arrow_schema(EVENTS)
        self._names = pa.array(NAMES)
        self._items = pa.array(setting.catalogue.ids)
        self._queries = pa.array(setting.queries.phrases)
        self._channels = pa.array(VISIT_CHANNELS)
        self._campaigns = pa.array(setting.campaigns)
        self._experiments = pa.array(setting.experiments, pa.string())
        self._variants = pa.array([arm.variant_id for arm in ARMS])
        self._currency = setting.currency
        self._seed = setting.seed
        self._mark = np.uint64((derive(setting.seed, "events") & 0xFFFFF) << 44)
        self._first = setting.clock.epoch_day(0)
        self._properties = _Properties()

    def batch(self, rows: Rows) -> pa.RecordBatch:
        """The rows, in their order, as one record batch."""
        priced = ~np.isnan(rows["price"])
        time = rows["time"].astype(np.int64)
        columns = {
            "event_id": strings(hexadecimal(self._event_numbers(rows), 16)),
            "user_id": user_ids(rows["customer"]),
            "anonymous_id": anonymous_ids(rows["anonymous"]),
            "name": self._names.take(pa.array(rows["name"])),
            "time": _times(time),
            "received_at": _times(time + rows["lag"].astype(np.int64) * 1_000),
            "day": pa.array(rows["day"].astype(np.int32)).cast(pa.date32()),
            "item_id": _named(self._items, rows["item"]),
            "quantity": _number(rows["quantity"]),
            "price": _number(rows["price"]),
            "value": _number(rows["value"]),
            "cost": _number(rows["cost"]),
            "currency": _named(pa.array([self._currency]), np.where(priced, 0, -1)),
            "order_id": order_ids(self._seed, rows["order"]),
            "session_id": _opaque(self._seed, "sessions", "s", rows["session"]),
            "query": _named(self._queries, rows["query"]),
            "channel": _named(self._channels, rows["channel"]),
            "campaign_id": _named(self._campaigns, rows["campaign"]),
            "experiment_id": _named(self._experiments, rows["experiment"]),
            "variant_id": _named(self._variants, rows["variant"]),
            "propensity": _number(rows["propensity"]),
            "properties": self._properties.of(rows),
            "source": _named(pa.array([SOURCE]), np.zeros(len(rows), np.int8)),
        }
        absent = pa.nulls(len(rows), pa.string())
        arrays = [columns.get(name, absent) for name in EVENTS.names]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _event_numbers(self, rows: Rows) -> NDArray[np.uint64]:
        """20 bits of the seed, 16 of the day, 28 of the row: unique within a world."""
        day = (rows["day"] - self._first).astype(np.uint64) << np.uint64(28)
        numbers: NDArray[np.uint64] = self._mark | day | rows["number"].astype(np.uint64)
        return numbers


class _Properties:
    """The map column: keys and values by number, taken from two short lists."""

    _keys: Final = ("device", "country", "list", "position", "discount", "rating", "reason")

    def __init__(self) -> None:
        self._key_names = [*self._keys, "delivery_days"]
        parts = (DEVICES, LAND_NAMES, LISTS, _POSITIONS, _PERCENTS, [v for _, v in NOTES])
        self._starts = np.cumsum([0, *map(len, parts)])[:-1]
        self._values = pa.array([value for part in parts for value in part])
        self._note_keys = np.array([self._key_names.index(key) for key, _ in NOTES], np.int8)
        self._key_array = pa.array(self._key_names)

    def of(self, rows: Rows) -> pa.MapArray:
        codes = np.empty((len(rows), 6), np.int16)
        position, discount = rows["position"], rows["discount"]
        for place, code in enumerate(
            (
                rows["device"],
                rows["country"],
                rows["list"],
                np.where(position > 0, position - 1, -1),
                np.where(discount > 0, discount, -1),
                rows["note"],
            )
        ):
            codes[:, place] = np.where(code >= 0, code + self._starts[place], -1)
        keys = np.empty(codes.shape, np.int8)
        keys[:, :5] = np.arange(5)
        keys[:, 5] = self._note_keys[np.maximum(rows["note"], 0)]
        given = codes >= 0
        offsets = np.zeros(len(rows) + 1, np.int32)
        np.cumsum(given.sum(axis=1), out=offsets[1:])
        return pa.MapArray.from_arrays(
            pa.array(offsets),
            self._key_array.take(pa.array(keys[given])),
            self._values.take(pa.array(codes[given])),
        )


def _named(names: pa.Array, codes: NDArray[Any]) -> pa.Array:
    return names.take(pa.array(np.asarray(codes), mask=np.asarray(codes) < 0))


def _number(values: NDArray[Any]) -> pa.Array:
    own = np.ascontiguousarray(values)
    return pa.array(own, mask=np.isnan(own))


def _times(microseconds: NDArray[np.int64]) -> pa.Array:
    return pa.array(np.ascontiguousarray(microseconds)).view(pa.timestamp("us", tz="UTC"))
