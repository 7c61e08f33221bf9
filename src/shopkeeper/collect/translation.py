"""A mapping turned into a plan for files with given columns."""

from __future__ import annotations

import re
from datetime import timedelta

from shopkeeper.collect import cells
from shopkeeper.collect.cells import literal
from shopkeeper.collect.conditions import test
from shopkeeper.collect.currencies import CODES, known_currency
from shopkeeper.collect.mapping import Condition, Mapping, template_columns
from shopkeeper.collect.plan import KEYS, Check, Plan, Repair, Terms
from shopkeeper.collect.sheet import TORN
from shopkeeper.core.errors import BadInput
from shopkeeper.core.schema import ITEMS
from shopkeeper.core.text import did_you_mean

IDS = frozenset(
    {"user_id", "anonymous_id", "item_id", "order_id", "session_id", "customer_id", "text_id",
     "thread_id", "campaign_id", "content_id", "experiment_id", "variant_id", "name"}
)  # fmt: skip
_LONGEST_ID = 256
_AMOUNTS = ("price", "value", "cost")
_MAPS = {"events": "properties", "items": "attributes", "customers": "traits"}


def make(mapping: Mapping, file_columns: tuple[str, ...], terms: Terms, *, cell_bytes: int) -> Plan:
    """The plan for files with these columns.

    Raises:
        BadInput: the mapping names a column that the file lacks, or its money is not the shop's.
    """
    return _Maker(mapping, file_columns, terms, cell_bytes).plan


def stated_currency(mapping: Mapping, terms: Terms | None = None) -> str:
    """The currency that the mapping says all amounts are in; else the shop's, else nothing."""
    own = terms.currency if terms else ""
    return str(mapping.constants.get("currency", mapping.file.currency or own)).strip().upper()


class _Maker:
    def __init__(
        self, mapping: Mapping, columns: tuple[str, ...], terms: Terms, cell_bytes: int
    ) -> None:
        self.mapping = mapping
        self.terms = terms
        self.cells = {name: f"c{i}" for i, name in reversed(list(enumerate(columns)))}
        self.plan = Plan(notes=list(mapping.notes))
        self.rate = "1.0"
        self._check_columns(columns)
        self._whole_row(columns, cell_bytes)
        self._texts()
        self._numbers()
        self._times()
        if mapping.target == "events":
            self._event_name()
            self._money()
            self._item()
            self._customer()
        self._map()
        self._key()

    def _check_columns(self, columns: tuple[str, ...]) -> None:
        for key, names in self.mapping.theirs():
            for name in names:
                if name in self.cells:
                    continue
                near = did_you_mean(name, columns)
                shown = ", ".join(columns[:30]) + (" …" if len(columns) > 30 else "")
                raise BadInput(
                    f"The file has no column {name!r}, which the mapping {self.mapping.name!r} "
                    f"names in {key}. It has: {shown}.",
                    hint=f"Did you mean {near!r}? Correct the mapping."
                    if near
                    else "Correct the mapping, or choose another: shopkeeper collect mappings.",
                    field=name,
                )

    def _whole_row(self, columns: tuple[str, ...], cell_bytes: int) -> None:
        named = sorted((name, i) for i, name in enumerate(columns))
        parts = ", ".join(f"{literal(name + chr(30))} || c{i}" for name, i in named)
        self.plan.layers[0]["content"] = f"md5(concat_ws(chr(31), {parts}))"
        named_cells = ", ".join(f"{literal(name)}, c{i}" for i, name in enumerate(columns))
        cut = ", ".join(f"left(c{i}, 2000)" for i in range(len(columns)))
        long = " OR ".join(f"coalesce(strlen(c{i}), 0) > {cell_bytes}" for i in range(len(columns)))
        self.plan.raw = (
            f"CASE WHEN {long} THEN json_object({literal(TORN)}, [{cut}]) "
            f"ELSE json_object({named_cells}) END::VARCHAR"
        )
        for i, name in enumerate(columns):
            self._refuse(
                name,
                f"a cell is longer than {cell_bytes:,} bytes",
                "Shorten it, or keep long texts in a file of their own.",
                f"strlen(c{i}) > {cell_bytes}",
            )

    def _texts(self) -> None:
        for column in self.mapping.table:
            if column.type != "string" or not self._given(column.name):
                continue
            if column.name == "name" and "name" in self.mapping.columns:
                continue  # event names are looked up, not cleaned as text
            if column.name == "currency":
                continue
            self._text(column.name, self._raw(column.name))
            if column.required and column.name in self.mapping.columns:
                self._refuse(column.name, "it is empty", "Fill it in.", f"t_{column.name} IS NULL")

    def _text(self, name: str, raw: str) -> None:
        plan = self.plan
        plan.layers[0][f"x_{name}"] = raw
        plan.layers[1][f"d_{name}"] = f"tidy(x_{name})"
        plan.layers[2][f"t_{name}"] = f"harmless(d_{name})"
        plan.columns[name] = f"t_{name}"
        if not raw.startswith("'"):
            self._repair(name, "control characters removed", f"spoiled(x_{name})")
            self._repair(
                name, "formula made harmless with a leading apostrophe", f"formula(d_{name})"
            )
            self._repair(
                name, "white space around it removed",
                f"bare(x_{name}) <> x_{name} AND NOT spoiled(x_{name})",
            )  # fmt: skip
        if name in IDS:
            self._refuse(
                name, f"it is longer than {_LONGEST_ID} characters", "Is this the right column?",
                f"strlen(t_{name}) > {_LONGEST_ID}",
            )  # fmt: skip

    def _numbers(self) -> None:
        for column in self.mapping.table:
            if column.type == "float64" and self._given(column.name):
                self._number(column.name)

    def _number(self, name: str) -> None:
        plan, absolute = self.plan, name in self.mapping.event.absolute
        plan.layers[0][f"x_{name}"] = f"bare({self._raw(name)})"
        plan.layers[1][f"n_{name}"] = f"{'money' if name in _AMOUNTS else 'number'}(x_{name})"
        sign = f"abs(n_{name})" if absolute else f"n_{name}"
        plan.columns[name] = sign
        self._refuse(
            name, "it is not a number", self._number_hint(name),
            f"x_{name} <> '' AND n_{name} IS NULL",
        )  # fmt: skip
        self._refuse(
            name, "it is impossibly large", f"Numbers up to {cells.LARGEST:.0e} are taken.",
            f"NOT sane(n_{name})",
        )  # fmt: skip
        self._repair(name, "thousands separators removed", f"grouped(x_{name})")
        if name in _AMOUNTS:
            signed = f"NOT regexp_full_match(x_{name}, '[-+0-9.,eE]*')"
            self._repair(name, "currency sign removed", f"n_{name} IS NOT NULL AND {signed}")
        if not absolute and name != "propensity":
            self._refuse(name, "it is negative", self._negative_hint(name), f"n_{name} < 0")
        if name == "propensity":
            self._refuse(name, "it is not above 0 and up to 1", "A probability.",
                         f"NOT (n_{name} > 0 AND n_{name} <= 1)")  # fmt: skip
        if name == "rating":
            self._refuse(
                name, "it is not from 1 to 5", "Rescale it.", f"NOT n_{name} BETWEEN 1 AND 5"
            )

    def _number_hint(self, name: str) -> str:
        hint = "Write digits with a point, such as 1234.50."
        if name not in _AMOUNTS or "currency" in self.mapping.columns:
            return hint
        own = stated_currency(self.mapping, self.terms)
        name_it = "name it, with its rate: [file] currency, [file.rates]."
        return f"{hint} For another currency than {own} {name_it}"

    def _negative_hint(self, name: str) -> str:
        if self.mapping.target != "events":
            return "Correct it."
        return (
            f'Correct it; or, where a minus means a return, add a rule and absolute = ["{name}"] '
            "under [event]."
        )

    def _times(self) -> None:
        for column in self.mapping.table:
            if column.type == "timestamp" and self._given(column.name):
                self._time(column.name)
        if "time" in self.mapping.table.names:
            at = "timezone('UTC', t_time)"
            self.plan.columns["day"] = f"timezone({literal(self.terms.zone)}, {at})::DATE"

    def _time(self, name: str) -> None:
        plan, options = self.plan, self.mapping.file
        zone = literal(options.time_zone or self.terms.zone)
        formats = options.time_formats
        plan.layers[0][f"x_{name}"] = f"bare({self._raw(name)})"
        plan.layers[1][f"o_{name}"] = cells.local_time(f"x_{name}", formats)
        exact = cells.exact_time(f"x_{name}", formats)
        plan.layers[2][f"e_{name}"] = f"CASE WHEN o_{name} IS NULL THEN {exact} END"
        sane = f"CASE WHEN o_{name} BETWEEN '1900-01-01' AND '9000-01-01' THEN o_{name} END"
        there = f"timezone('UTC', timezone({zone}, {sane}))"
        plan.layers[3][f"t_{name}"] = f"coalesce(e_{name}, {there})"
        plan.columns[name] = f"t_{name}"
        if name == "time":
            self._refuse(
                name, "it is empty", "Every row needs a time.", f"nullif(x_{name}, '') IS NULL"
            )
        self._refuse(
            name, "it is not a time that can be read with certainty",
            'Write 2026-01-31 12:00:00, or say how it is written: [file] time_formats = '
            '["%d/%m/%Y %H:%M"].',
            f"x_{name} <> '' AND t_{name} IS NULL",
        )  # fmt: skip
        if name in ("time", "first_seen"):
            late = self.terms.now + timedelta(days=1)
            self._refuse(
                name, f"it is before {cells.EARLIEST[:4]}", "Check the format of the times.",
                f"t_{name} < TIMESTAMP '{cells.EARLIEST}'",
            )  # fmt: skip
            self._refuse(
                name, "it is in the future", "Check the format and the time zone of the times.",
                f"t_{name} > TIMESTAMP '{late:%Y-%m-%d %H:%M:%S}'",
            )  # fmt: skip
        self._clock_changes(name, zone)

    def _clock_changes(self, name: str, zone: str) -> None:
        if self.mapping.file.time_zone in (None, "UTC") and self.terms.zone == "UTC":
            return
        local = f"e_{name} IS NULL AND timezone({zone}, timezone('UTC', t_{name}"
        self._repair(
            name, "local time skipped by the clock change: moved forward", f"{local})) <> o_{name}"
        )
        twice = f"{local} - INTERVAL 1 HOUR)) = o_{name}"
        self._repair(name, "local time that occurred twice: the later one taken", twice)

    def _event_name(self) -> None:
        plan, options = self.plan, self.mapping.event
        name = literal(options.name) if options.name else "NULL"
        if "name" in self.mapping.columns:
            plan.layers[0]["x_name"] = f"tidy({self._raw('name')})"
            plan.lookup = "x_name"
            plan.layers[1]["looked_up"] = (
                "list_extract(map_extract(getvariable('names'), x_name), 1)"
            )
            name = f"coalesce(looked_up, {name})"
        elif "name" in self.mapping.constants:
            name = literal(str(self.mapping.constants["name"]))
        rules = " ".join(f"WHEN {self._when(r.when)} THEN {literal(r.name)}" for r in options.rules)
        plan.layers[3]["t_name"] = f"CASE {rules} ELSE {name} END" if rules else name
        plan.columns["name"] = "t_name"
        self._refuse("name", "it is empty or no name", "Name the event, such as purchase.",
                     "nullif(t_name, '') IS NULL OR strlen(t_name) > 128")  # fmt: skip

    def _when(self, when: dict[str, Condition]) -> str:
        return " AND ".join(f"coalesce({self._test(c, w)}, false)" for c, w in when.items())

    def _test(self, column: str, condition: Condition) -> str:
        cell = f"tidy({self.cells[column]})"
        number = f"money(bare({self.cells[column]}))"
        tests: list[str] = []
        for key in sorted(condition.model_fields_set):
            value = getattr(condition, key)
            if value is not None:
                tests.append(test(key, value, cell, number))
        return "(" + " AND ".join(tests or ["true"]) + ")"

    def _money(self) -> None:
        plan, given = self.plan, [name for name in _AMOUNTS if self._given(name)]
        if "value" not in plan.columns and "price" in plan.columns:
            quantity = (
                f"coalesce({plan.columns['quantity']}, 1)" if "quantity" in plan.columns else "1"
            )
            plan.columns["value"] = f"{plan.columns['price']} * {quantity}"
            signed = f"coalesce(n_quantity, {'NULL' if self._given('quantity') else 1})"
            units = signed if "quantity" in plan.columns else "1"
            plan.layers[2]["file_value"] = cells.finite(f"n_price * {units}")
        elif "value" in plan.columns:
            plan.layers[2]["file_value"] = cells.finite("n_value")
        else:
            plan.layers[2]["file_value"] = "NULL::DOUBLE"
        plan.columns["file_value"] = "file_value"
        if given or "currency" in self.mapping.columns:
            self._currency()

    def _currency(self) -> None:
        shop, options = self.terms.currency, self.mapping.file
        self.plan.columns["currency"] = literal(shop)
        if "currency" not in self.mapping.columns:
            rate = self._one_rate(stated_currency(self.mapping))
            self._convert(str(rate))
            return
        for code in options.rates:
            known_currency(code, "file.rates")
        self.plan.layers[0]["x_currency"] = f"upper(tidy({self._raw('currency')}))"
        listed = ", ".join(literal(code) for code in sorted(CODES))
        self._refuse("currency", "it is no currency code", "Write an ISO 4217 code such as CNY or USD.",
                     f"NOT list_contains([{listed}], x_currency)")  # fmt: skip
        rates = " ".join(
            f"WHEN {literal(c)} THEN {r}" for c, r in options.rates.items() if c != shop
        )
        own = options.currency or shop
        choice = (
            f"CASE coalesce(x_currency, {literal(own)}) WHEN {literal(shop)} THEN 1.0 {rates} END"
        )
        self.plan.layers[1]["rate"] = choice
        self._refuse(
            "currency", f"it is not the shop's currency {shop}",
            "Give a fixed rate in the mapping: [file.rates] USD = 7.1 (the shop's money for one).",
            "rate IS NULL",
        )  # fmt: skip
        self._repair("currency", "converted at the mapping's fixed rate", "rate <> 1.0")
        self._convert("rate")

    def _one_rate(self, stated: str) -> float:
        shop, rates = self.terms.currency, self.mapping.file.rates
        if not stated:
            self.plan.notes.append(f"The file states no currency: its amounts are taken as {shop}.")
            return 1.0
        known_currency(stated, "file.currency")
        if stated == shop:
            return 1.0
        if stated not in rates:
            raise BadInput(
                f"The file's amounts are in {stated}, the shop counts in {shop}.",
                hint=f"Give a fixed rate in the mapping, [file.rates] {stated} = … ({shop} for one "
                f"{stated}), or make a shop whose currency is {stated}.",
                field="file.currency",
            )
        self.plan.notes.append(f"Amounts in {stated} were converted at {rates[stated]} {shop}.")
        return rates[stated]

    def _convert(self, rate: str) -> None:
        self.rate = rate
        if rate != "1.0":
            for name in _AMOUNTS:
                if name in self.plan.columns:
                    self.plan.columns[name] = f"({self.plan.columns[name]}) * {rate}"

    def _item(self) -> None:
        options = self.mapping.items
        if options is None or not self._given("item_id"):
            return
        for ours, theirs in options.columns.items():
            cell, column = self.cells[theirs], f"item_{ours}"
            kind = next(c.type for c in ITEMS if c.name == ours)
            if kind == "float64":
                rate = self.rate if ours in _AMOUNTS else "1.0"
                read = "money" if ours in _AMOUNTS else "number"
                sql = f"{read}(bare({cell})) * {rate}"
            else:
                sql = f"safe({cell})"
            self.plan.columns[column] = sql
        rules = " ".join(f"WHEN {self._when(r.when)} THEN {literal(r.kind)}" for r in options.rules)
        kind_sql = literal(options.kind)
        self.plan.columns["item_kind"] = f"CASE {rules} ELSE {kind_sql} END" if rules else kind_sql

    def _customer(self) -> None:
        options = self.mapping.customers
        if options is None or not self._given("user_id"):
            return
        for ours, theirs in options.columns.items():
            self.plan.columns[f"customer_{ours}"] = f"safe({self.cells[theirs]})"
        if options.traits:
            self.plan.columns["customer_traits"] = self._pairs(options.traits)

    def _map(self) -> None:
        if self.mapping.extra:
            self.plan.columns[_MAPS[self.mapping.target]] = self._pairs(self.mapping.extra)

    def _pairs(self, names: tuple[str, ...]) -> str:
        entries = ", ".join(
            f"{{'k': {literal(name)}, 'v': safe({self.cells[name]})}}" for name in names
        )
        return f"map_from_entries(list_filter([{entries}], lambda e: e.v IS NOT NULL))"

    def _key(self) -> None:
        key, plan = KEYS[self.mapping.target], self.plan
        if self.mapping.target == "events":
            template = self.mapping.event.id
            plan.by_content = template == "content"
            if not plan.by_content:
                plan.layers[0]["x_key"] = f"safe({self._template(template)})"
                plan.columns["key"] = "x_key"
                self._refuse("event_id", "a column that it is made of is empty", "Fill it in.",
                             "x_key IS NULL")  # fmt: skip
                self._refuse("event_id", f"it is longer than {_LONGEST_ID} characters", "Use an id.",
                             f"strlen(x_key) > {_LONGEST_ID}")  # fmt: skip
        else:
            plan.by_content = not self._given(key)
            if not plan.by_content:
                plan.columns["key"] = plan.columns[key]
                self._refuse(key, "it is empty", "Fill it in.", f"t_{key} IS NULL")
        if plan.by_content:
            plan.columns["key"] = "content"

    def _given(self, name: str) -> bool:
        return name in self.mapping.columns or name in self.mapping.constants

    def _raw(self, name: str) -> str:
        theirs = self.mapping.columns.get(name)
        if theirs is None:
            return literal(str(self.mapping.constants[name]))
        return self._template(theirs) if template_columns(theirs) else self.cells[theirs]

    def _template(self, text: str) -> str:
        parts = re.split(r"\{([^{}]+)\}", text)
        sql = [literal(p) if i % 2 == 0 else self.cells[p] for i, p in enumerate(parts) if p]
        return "(" + " || ".join(sql) + ")"

    def _refuse(self, name: str, reason: str, hint: str, sql: str) -> None:
        self.plan.checks.append(Check(name, reason, hint, sql))

    def _repair(self, name: str, how: str, sql: str) -> None:
        self.plan.repairs.append(Repair(name, how, f"coalesce({sql}, false)"))
