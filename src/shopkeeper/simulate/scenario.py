"""Scenario files: how large the shop is, when it runs, and what happens in it. Read strictly."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import available_timezones

from shopkeeper.core.errors import BadInput, NotFound, UnknownName
from shopkeeper.simulate.fields import Reader
from shopkeeper.simulate.kinds import KINDS, Kind
from shopkeeper.simulate.lands import COUNTRIES, DEVICES, RATES, VISIT_CHANNELS
from shopkeeper.simulate.products import Catalogue, catalogue

_FOLDER = Path(__file__).parent / "scenarios"
_LARGEST = 2_000_000  # bytes: a scenario is a page, not a data set
_FIRST, _LAST = date(2015, 1, 1), date(2035, 12, 31)
_PER_CUSTOMER = 40
_MOST = 200
DEFAULT_TIME_ZONE: Final = "Asia/Shanghai"
DEFAULT_CURRENCY: Final = "CNY"
BROWSER_EVENTS: Final = (
    "search",
    "view_item_list",
    "view_item",
    "add_to_cart",
    "begin_checkout",
    "identify",
)
SERVER_EVENTS: Final = ("purchase", "order_delivered", "refund", "review")


@dataclass(frozen=True)
class Happening:
    """One planted happening. Empty targets mean all; days are local, both included."""

    kind: str
    start: date
    end: date
    size: float
    items: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    aspect: str = ""
    discount: float = 0.0
    name: str = ""

    @property
    def rule(self) -> Kind:
        return KINDS[self.kind]

    def holds(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True)
class Scenario:
    """What a world is made of. ``time_zone`` and ``currency`` are empty where the shop decides."""

    name: str = "default"
    description: str = ""
    first_day: date = date(2024, 7, 1)
    days: int = 365
    customers: int = 5_000
    events: int = 200_000
    time_zone: str = ""
    currency: str = ""
    language: str = "zh"
    languages: Mapping[str, float] = field(default_factory=lambda: {"zh": 0.7, "en": 0.3})
    countries: Mapping[str, float] = field(default_factory=dict)
    new_customers: float = 0.5
    visitors: float = 0.25
    reviews: float = 0.12
    chats: float = 0.08
    max_texts: int = 60_000
    happenings: tuple[Happening, ...] = ()

    @property
    def last_day(self) -> date:
        return self.first_day + timedelta(days=self.days - 1)


def names() -> list[str]:
    """The scenarios that come with Shopkeeper."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load(name: str | Path, *, size: int | None = None) -> Scenario:
    """The shipped scenario of this name, or the one in this ``.toml`` file.

    Args:
        name: ``default`` or a path that ends in ``.toml``.
        size: a number of events to aim at, in place of the file's; customers follow in proportion.

    Raises:
        BadInput: says which key is wrong and why. NotFound: there is no such file.
    """
    return parse(text(name), size=size)


def text(name: str | Path) -> str:
    """The text of a scenario file, as it stands."""
    path = Path(name)
    if path.suffix != ".toml":
        if str(name) not in names():
            raise UnknownName("scenario", str(name), names(), field="scenario")
        path = _FOLDER / f"{name}.toml"
    if not path.is_file():
        raise NotFound(
            f"There is no scenario file {str(path)!r}.",
            hint=f"Give the path of a .toml file or one of: {', '.join(names())}.",
            field="scenario",
        )
    if path.stat().st_size > _LARGEST:
        raise BadInput(f"{path} is larger than a scenario.", hint="Check the path.")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text.", hint="Save it as UTF-8.") from error


def parse(source: str, *, size: int | None = None) -> Scenario:
    """The scenario that this TOML text describes."""
    try:
        values = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"The scenario is not valid TOML: {error}.", hint="Correct it.") from error
    listed = values.pop("happening", [])
    known = tuple(Scenario.__dataclass_fields__)
    read = Reader(values, "scenario", [*(k for k in known if k != "happenings"), "happening"])
    goods = catalogue()
    settings = _sizes(read, size) | _period(read) | _mixes(read)
    scenario = Scenario(**settings)
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise BadInput(
            "'happening' is not a list of tables.",
            hint="Write [[happening]] above each.",
            field="happening",
        )
    if len(listed) > _MOST:
        raise BadInput(f"A scenario holds at most {_MOST} happenings.", hint="Take out some.")
    happenings = tuple(
        _happening(one, number, scenario, goods) for number, one in enumerate(listed, 1)
    )
    _check_launches(happenings, goods)
    return Scenario(**settings, happenings=happenings)


def _sizes(read: Reader, size: int | None) -> dict[str, Any]:
    given = read.whole("events", None, 1_000, 100_000_000)
    customers = read.whole("customers", None, 10, 5_000_000)
    if size is not None:
        if not 1_000 <= size <= 100_000_000:
            raise BadInput(
                f"events is {size}, not from 1,000 to 100,000,000.",
                hint="Ask for 200000.",
                field="events",
            )
        if customers and given:
            customers = max(10, round(customers * size / given))
        elif customers:
            customers = max(10, round(size / _PER_CUSTOMER))
        given = size
    if given is None:
        given = _PER_CUSTOMER * (customers or 5_000)
    return {
        "name": read.words("name", "unnamed", 80),
        "description": read.words("description", "", 2_000),
        "events": given,
        "customers": customers or max(10, given // _PER_CUSTOMER),
        "max_texts": read.whole("max_texts", 60_000, 0, 1_000_000),
        "new_customers": read.number("new_customers", 0.5, 0.0, 1.0),
        "visitors": read.number("visitors", 0.25, 0.0, 0.9),
        "reviews": read.number("reviews", 0.12, 0.0, 1.0),
        "chats": read.number("chats", 0.08, 0.0, 1.0),
    }


def _period(read: Reader) -> dict[str, Any]:
    first = read.day("first_day", date(2024, 7, 1), _FIRST, _LAST)
    days = read.whole("days", 365, 7, 1_830) or 365
    if first + timedelta(days=days - 1) > _LAST:
        raise BadInput(
            f"The scenario ends after {_LAST}.",
            hint="Start earlier or take fewer days.",
            field="days",
        )
    zone = read.words("time_zone", "", 60)
    if zone and zone not in available_timezones():
        raise UnknownName("time zone", zone, available_timezones(), field="time_zone")
    currency = read.words("currency", "", 3)
    if currency and currency not in RATES:
        raise UnknownName("currency of the simulation", currency, RATES, field="currency")
    return {"first_day": first, "days": days, "time_zone": zone, "currency": currency}


def _mixes(read: Reader) -> dict[str, Any]:
    languages = read.shares("languages", {"zh": 0.7, "en": 0.3}, ("zh", "en"), "language")
    main = read.one_of("language", max(languages, key=lambda k: languages[k]), ("zh", "en"))
    countries = read.shares("countries", {}, COUNTRIES, "country")
    return {"languages": languages, "language": main, "countries": countries}


def _happening(
    values: Mapping[str, Any], number: int, scenario: Scenario, goods: Catalogue
) -> Happening:
    where = f"happening {number}"
    if "kind" not in values:
        raise BadInput(
            f"{where} has no 'kind'.", hint=f"One of: {', '.join(sorted(KINDS))}.", field="kind"
        )
    if values["kind"] not in KINDS:
        raise UnknownName("kind of happening", str(values["kind"]), KINDS, field=f"{where}.kind")
    kind = KINDS[values["kind"]]
    _keys(values, where, kind)
    read = Reader(values, where, list(values))
    start = read.day("start", None, scenario.first_day, scenario.last_day)
    end = read.day("end", scenario.last_day, scenario.first_day, scenario.last_day)
    if end < start:
        raise BadInput(
            f"{where} ends ({end}) before it starts ({start}).", hint="Swap them.", field="end"
        )
    size = read.number("size", kind.default, kind.low, kind.high, f" ({kind.size})")
    items, categories = _goods(read, kind, goods)
    return Happening(
        kind=kind.name,
        start=start,
        end=end,
        size=size,
        items=items,
        categories=categories,
        countries=read.several("country", tuple(COUNTRIES), "country"),
        languages=read.several("language", ("zh", "en"), "language"),
        devices=read.several("device", DEVICES, "device"),
        channels=read.several("channel", VISIT_CHANNELS, "channel"),
        events=read.several("events", (*BROWSER_EVENTS, *SERVER_EVENTS), "event of the simulation"),
        aspect=_aspect(read, items, goods),
        discount=read.number("discount", 0.0, 0.0, 0.8),
        name=read.words("name", "", 60) or f"{kind.name}-{start}",
    )


def _check_launches(happenings: tuple[Happening, ...], goods: Catalogue) -> None:
    """Nothing can happen to an item that is never sold."""
    launched = {i for h in happenings if h.kind == "new_launch" for i in h.items}
    for number, one in enumerate(happenings, 1):
        for item in one.items:
            if goods.products[goods.index[item]].upcoming and item not in launched:
                raise BadInput(
                    f"happening {number}: {item} is not sold in this scenario.",
                    hint=f"Plant a new_launch of {item} first, or choose another item.",
                    field="item",
                )


def _keys(values: Mapping[str, Any], where: str, kind: Kind) -> None:
    common = ("kind", "start", "end", "size", "name", "note")
    allowed = {*common, *kind.targets, *kind.extras}
    every = {*common, *(k for one in KINDS.values() for k in (*one.targets, *one.extras))}
    for key in values:
        if key not in every:
            raise UnknownName(f"key of {where}", key, allowed, field=f"{where}.{key}")
        if key not in allowed:
            raise BadInput(
                f"{where}: {key!r} does not apply to {kind.name}.",
                hint=f"{kind.name} takes: {', '.join(sorted(allowed))}.",
                field=f"{where}.{key}",
            )
    if kind.needs and not set(kind.needs) & set(values):
        raise BadInput(
            f"{where}: {kind.name} needs a target.",
            hint=f"Give one of: {', '.join(kind.needs)}.",
            field=where,
        )


def _goods(read: Reader, kind: Kind, goods: Catalogue) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The items and categories meant, by id; for kinds about items, all resolved to items."""
    keys = goods.category_names()
    named = tuple(keys[name] for name in read.several("category", tuple(keys), "category"))
    brands = set(read.several("brand", goods.brand_names(), "brand"))
    items = set(read.several("item", tuple(goods.ids), "item"))
    if "brand" in kind.targets or "item" in kind.targets:
        items |= {p.item_id for p in goods.products if p.category in named and not p.upcoming}
        items |= {
            p.item_id
            for p in goods.products
            if not p.upcoming and brands & {*p.brand_names, p.brand}
        }
        return _in_order(items, goods.ids), ()
    return (), named


def _in_order(chosen: Iterable[str], ids: Iterable[str]) -> tuple[str, ...]:
    wanted = set(chosen)
    return tuple(one for one in ids if one in wanted)


def _aspect(read: Reader, items: tuple[str, ...], goods: Catalogue) -> str:
    own = sorted({goods.aspects[a] for i in items for a in goods.own_aspects(goods.index[i])})
    return read.one_of("aspect", "", ("", *own)) if items else ""
