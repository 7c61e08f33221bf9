"""Rows on their way in: cleaned batch by batch into a private DuckDB, numbered, then handed over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import numpy as np
import pyarrow as pa

from shopkeeper.collect import cells
from shopkeeper.collect.engine import clear, connect
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.plan import KEYS, Check, Plan, Terms
from shopkeeper.collect.sheet import ROW, Batch, Broken, Sheet, table
from shopkeeper.collect.source import Limits
from shopkeeper.collect.tally import KINDS, Refusal, Tally
from shopkeeper.collect.translation import make, stated_currency
from shopkeeper.collect.types import Money
from shopkeeper.core.errors import BadInput, Unavailable
from shopkeeper.core.events import canonical
from shopkeeper.core.schema import Table

_NAMES = 5_000
_OUT = 65_536
_CHUNK = 16_384


class Stage:
    """One import in the making. Nothing leaves it before every row has been judged."""

    def __init__(
        self, mapping: Mapping, sheet: Sheet, terms: Terms, limits: Limits, spill: Path | None
    ) -> None:
        self.mapping = mapping
        self.sheet = sheet
        self.tally = Tally()
        self.plan: Plan = make(mapping, sheet.columns, terms, cell_bytes=limits.cell_bytes)
        self.tally.notes += dict.fromkeys((*sheet.notes, *self.plan.notes))
        self._names: dict[str, str] = {}
        currency = None if "currency" in mapping.columns else stated_currency(mapping, terms)
        self._spill = spill
        self._connection = connect(spill)
        self._run = self._connection.execute
        try:
            self._prepare(currency)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._connection.close()
        clear(self._spill)

    def add(self, batch: Batch) -> None:
        """Clean a batch; its good rows are staged, the others kept as refused."""
        self._keep_broken(batch.broken)
        self.tally.repair("(row)", "empty cells after the last column dropped", batch.trimmed)
        try:
            if batch.rows.num_rows:
                self._clean(batch.rows)
        except duckdb.OutOfMemoryException as error:
            raise Unavailable(
                "The import needs more memory or disk than it may use.",
                hint="Free disk space in the shop's folder, or split the file.",
            ) from error
        self.tally.rows_read += batch.rows.num_rows + len(batch.broken)

    def settle(self) -> None:
        """Number equal rows, and refuse those whose id another row with other content has."""
        # Numbering only what repeats is a fraction of the work of numbering every row.
        self._run(
            "CREATE TABLE numbers AS SELECT place, row_number() OVER (PARTITION BY key ORDER BY place) "
            "AS occurrence FROM staged SEMI JOIN "
            "(SELECT key FROM staged GROUP BY key HAVING count(*) > 1) USING (key)"
        )
        self._run(
            "CREATE VIEW ordered AS SELECT s.*, coalesce(n.occurrence, 1) AS occurrence "
            "FROM staged s LEFT JOIN numbers n USING (place)"
        )
        if self.plan.by_content:
            repeated = self._count("SELECT count(*) FROM numbers WHERE occurrence > 1")
            if repeated:
                self.tally.notes.append(
                    f"{repeated} rows are word for word like an earlier one. The file gives rows no "
                    "id, so they are kept and told apart by how many-eth they are."
                )
            return
        self._run(
            "CREATE TABLE later AS SELECT o.place, o.row, o.raw, o.file_value, "
            "o.content = f.content AS same FROM ordered o "
            "JOIN ordered f ON f.key = o.key AND f.occurrence = 1 WHERE o.occurrence > 1"
        )
        self.tally.duplicate += self._count("SELECT count(*) FROM later WHERE same")
        key = KEYS[self.mapping.target]
        reason, hint = "another row has this id and other content", "Correct one of the two."
        self._run(
            "CREATE OR REPLACE TEMP TABLE faulty AS SELECT row, place, 0 AS fault, raw, file_value "
            "FROM later WHERE NOT same"
        )
        self._keep([Check(key, reason, hint, "")])
        self._run(
            "DELETE FROM staged WHERE place IN (SELECT place FROM numbers WHERE occurrence > 1)"
        )

    def rows(self, target: Table, constants: dict[str, str]) -> Iterator[pa.RecordBatch]:
        """The staged rows with the table's columns, in order of time where it has one."""
        listed = ", ".join(
            f"{sql} AS {name}" for name, sql in self._output(target, constants).items()
        )
        order = " ORDER BY time, place" if "time" in target.names else " ORDER BY place"
        query = f"SELECT {listed} FROM ordered{order}"  # noqa: S608
        yield from self._connection.sql(query).to_arrow_reader(_OUT)

    def refused(self) -> Iterator[Refusal]:
        """The refused rows, in order."""
        query = "SELECT row, field, reason, hint, raw FROM refused ORDER BY row, place"
        for batch in self._connection.sql(query).to_arrow_reader(2_000):
            for row in batch.to_pylist():
                yield Refusal(**row)

    def select(self, query: str) -> pa.Table:
        """The result of a query over the staged rows (table ``ordered``)."""
        return self._connection.sql(query).to_arrow_table()

    def without(self, known: pa.Table) -> int:
        """How many staged rows have one of these keys (column ``key``)."""
        self._connection.register("known", known)
        query = f"SELECT count(*) FROM ordered WHERE {self._key()} IN (SELECT key FROM known)"  # noqa: S608
        return self._count(query)

    def money(self) -> None:
        """Sum what the staged rows come to, by outcome, into the tally."""
        if not self._priced:
            return
        kinds = ", ".join(cells.literal(kind) for kind in KINDS)
        user = "user_id" if "user_id" in self.plan.columns else "NULL"
        query = (
            f"SELECT CASE WHEN name IN ({kinds}) THEN name ELSE 'other' END AS outcome, "  # noqa: S608
            "count(*) AS rows, coalesce(sum(file_value), 0) AS file_value, "
            "coalesce(sum(value), 0) AS value, count(*) - count(file_value) AS unpriced, "
            f"count(*) FILTER ({user} IS NULL) AS without_customer, "
            f"coalesce(sum(value) FILTER ({user} IS NULL), 0) AS without_customer_value "
            "FROM ordered GROUP BY 1 ORDER BY 1"
        )
        for line in self.select(query).to_pylist():
            self.tally.earn(Money(**line))

    @property
    def _priced(self) -> bool:
        return self.mapping.target == "events" and "value" in self.plan.columns

    def _prepare(self, currency: str | None) -> None:
        self._check_formats()
        for statement in cells.macros(self.mapping.file.decimal, currency):
            self._run(statement)
        self._run("SET VARIABLE names = MAP([]::VARCHAR[], []::VARCHAR[])")
        self._run(
            "CREATE TABLE refused (row BIGINT, place BIGINT, field VARCHAR, reason VARCHAR, "
            "hint VARCHAR, raw VARCHAR)"
        )
        cells_of = [pa.array([], pa.string()) for _ in self.sheet.columns]
        self._view(table(cells_of, pa.array([], pa.int64())))
        # Made from no rows at all: a mapping that makes no valid query fails here, before any work.
        self._run(f"CREATE TABLE staged AS SELECT {self._kept()} FROM ({self.plan.query()})")  # noqa: S608

    def _check_formats(self) -> None:
        for form in self.mapping.file.time_formats:
            if form in cells.EPOCHS:
                continue
            try:
                self._run("SELECT try_strptime('2026', [?])", [form])
            except duckdb.Error as error:
                raise BadInput(
                    f"file.time_formats: {form!r} is no time format.",
                    hint="Use %Y %m %d %H %M %S %z, or epoch_s, epoch_ms.",
                    field="file.time_formats",
                ) from error

    def _view(self, rows: pa.Table) -> None:
        start = self.tally.rows_read
        places = pa.array(np.arange(start, start + rows.num_rows))
        numbered = rows.append_column("place", places)
        # The engine gives each of its threads one chunk at a time.
        chunks = pa.Table.from_batches(numbered.to_batches(_CHUNK), numbered.schema)
        self._connection.register("incoming", chunks)
        columns = "".join(
            f", nullif({name}, '') AS {name}" for name in rows.column_names if name != ROW
        )
        self._run(f"CREATE OR REPLACE TEMP VIEW batch AS SELECT row, place{columns} FROM incoming")  # noqa: S608

    def _clean(self, rows: pa.Table) -> None:
        self._view(rows)
        self._look_names_up()
        self._run(f"CREATE OR REPLACE TEMP TABLE step AS {self.plan.query()}")
        self._count_repairs()
        value = "file_value" if self._priced else "NULL::DOUBLE"
        self._run(
            f"CREATE OR REPLACE TEMP TABLE faulty AS SELECT row, place, fault, raw, {value} "  # noqa: S608
            "AS file_value FROM step WHERE fault IS NOT NULL"
        )
        self._keep(self.plan.checks)
        self._run(f"INSERT INTO staged SELECT {self._kept()} FROM step WHERE fault IS NULL")  # noqa: S608
        self._connection.unregister("incoming")

    def _kept(self) -> str:
        raw = "NULL::VARCHAR AS raw" if self.plan.by_content else "raw"
        value = "" if "file_value" in self.plan.columns else "NULL::DOUBLE AS file_value, "
        return f"row, place, content, {raw}, {value}{', '.join(self.plan.columns)}"

    def _look_names_up(self) -> None:
        cell = self.plan.lookup
        if cell is None:
            return
        layer = self.plan.layers[0][cell]
        found = self.select(f"SELECT DISTINCT {layer} AS name FROM batch").column("name")  # noqa: S608
        new = [name for name in found.to_pylist() if name and name not in self._names]
        own = self.mapping.event.names
        for name in new:
            self._names[name] = own.get(name) or canonical(name[:512])
        if len(self._names) > _NAMES:
            raise BadInput(
                f"The column of event names holds more than {_NAMES} different texts.",
                hint="Is this the right column? columns.name should hold words such as purchase.",
                field="columns.name",
            )
        if new:
            self._run(
                "SET VARIABLE names = MAP($k::VARCHAR[], $v::VARCHAR[])",
                {"k": list(self._names), "v": list(self._names.values())},
            )

    def _count_repairs(self) -> None:
        repairs = self.plan.repairs
        if not repairs:
            return
        each = ", ".join(f"count(*) FILTER (r{i})" for i in range(len(repairs)))
        either = " OR ".join(f"r{i}" for i in range(len(repairs)))
        query = f"SELECT count(*) FILTER ({either}), {each} FROM step WHERE fault IS NULL"  # noqa: S608
        row: Any = self._run(query).fetchall()[0]
        self.tally.repaired_rows += row[0]
        for repair, count in zip(repairs, row[1:], strict=True):
            self.tally.repair(repair.what, repair.how, count)

    def _keep(self, checks: list[Check]) -> None:
        """Move the rows of the table ``faulty`` to the refused, and count why."""
        query = (
            "SELECT fault, count(*) AS rows, list(row ORDER BY row)[:10] AS first, "
            "coalesce(sum(file_value), 0) AS value, count(*) - count(file_value) AS unpriced "
            "FROM faulty GROUP BY fault ORDER BY fault"
        )
        for line in self.select(query).to_pylist():
            check, rows = checks[line["fault"]], line["rows"]
            self.tally.refuse(check.field, check.reason, check.hint, rows, line["first"])
            self._run(
                "INSERT INTO refused SELECT row, place, $field, $reason, $hint, raw FROM faulty "
                "WHERE fault = $fault",
                {"field": check.field, "reason": check.reason, "hint": check.hint,
                 "fault": line["fault"]},
            )  # fmt: skip
            self._refused_money(rows, line["value"], line["unpriced"])

    def _keep_broken(self, broken: tuple[Broken, ...]) -> None:
        if not broken:
            return
        rows = pa.table(
            {
                "row": pa.array([b.row for b in broken], pa.int64()),
                "place": pa.array([b.row for b in broken], pa.int64()),
                "field": [b.field for b in broken],
                "reason": [b.reason for b in broken],
                "hint": [b.hint for b in broken],
                "raw": [b.raw for b in broken],
            }
        )
        self._connection.register("torn", rows)
        self._run("INSERT INTO refused SELECT * FROM torn")
        self._connection.unregister("torn")
        for row in broken:
            self.tally.refuse(row.field, row.reason, row.hint, 1, [row.row])
        self._refused_money(len(broken), 0.0, len(broken))

    def _refused_money(self, rows: int, value: float, unpriced: int) -> None:
        if self._priced:
            self.tally.earn(
                Money(outcome="refused", rows=rows, file_value=value, value=0.0, unpriced=unpriced)
            )

    def _output(self, target: Table, constants: dict[str, str]) -> dict[str, str]:
        out: dict[str, str] = {}
        for column in target:
            sql = constants.get(column.name) or self._cell(column.name)
            if sql is not None:
                out[column.name] = sql
        return out

    def _cell(self, name: str) -> str | None:
        if name == KEYS[self.mapping.target]:
            return self._key()
        if name not in self.plan.columns:
            return None
        if name in ("time", "first_seen", "available_from", "expires_at"):
            return f"timezone('UTC', {name})"
        return name

    def _key(self) -> str:
        if not self.plan.by_content:
            return "key"
        return "CASE WHEN occurrence = 1 THEN key ELSE key || '-' || occurrence END"

    def _count(self, query: str) -> int:
        found: Any = self._run(query).fetchall()[0]
        return int(found[0])
