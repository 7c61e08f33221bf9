"""Erasing customers: planned, restricted at once, removed everywhere, and shown to be gone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from weakref import WeakKeyDictionary

from shopkeeper.core.operation import Context
from shopkeeper.core.plan import Step
from shopkeeper.core.subject import Needles, Subject
from shopkeeper.governance import backups
from shopkeeper.governance.search import EXPORTS, copies, everywhere, holders, places
from shopkeeper.governance.subjects import nobody, packed, subjects, unpacked
from shopkeeper.governance.types import Certificate, Certificates, Found, Kept, Remark
from shopkeeper.shop.personal import every, naming, without
from shopkeeper.shop.shop import Shop
from shopkeeper.store import erase as store
from shopkeeper.store.erasures import Erasures, Run
from shopkeeper.warehouse import erase as tables
from shopkeeper.warehouse.erase import Removed
from shopkeeper.warehouse.find import Seen, unchanged_files
from shopkeeper.warehouse.rewriting import clear
from shopkeeper.warehouse.whose import orders_of

_FOLDER = "certificates"
_STEPS = 7
_CONFIRMING = "jobs.arguments"
_WHY = "order records: China's E-Commerce Law Art. 31, or the term set in keep_orders_days"


@dataclass(frozen=True)
class _Gone:
    """What the removal did: rows of tables, cells of the store, places in files."""

    tables: Sequence[Removed]
    store: Mapping[str, int]
    files: Mapping[str, int]


@dataclass(frozen=True)
class _Before:
    """Where they stood before, what that search saw of data files, and what was removed since."""

    before: Mapping[str, int]
    files: Seen
    gone: _Gone | None


def plan(ctx: Context, who: Sequence[str], *, keeps: bool = False) -> tuple[Step, ...]:
    """What erasing these customers would do; for one that was interrupted, what was confirmed then.

    With ``keeps`` they are anonymised: what they did stays under a pseudonym.
    """
    shop = ctx.shop
    run = Erasures(shop.database).open_of(who)
    if run is not None:
        return tuple(Step.model_validate(step) for step in run.report["steps"])
    whom = subjects(shop, who, keeps=keeps)
    steps = _steps(shop, whom)
    _planned[shop] = ((tuple(who), keeps), whom, steps)
    return steps


_Asked = tuple[tuple[str, ...], bool]
"""Whom it is about, and whether what they did stays."""

_planned: WeakKeyDictionary[Shop, tuple[_Asked, list[Subject], tuple[Step, ...]]] = (
    WeakKeyDictionary()
)
"""What was planned last: a confirmed call plans once more, and then acts on just that."""


def _steps(shop: Shop, whom: Sequence[Subject]) -> tuple[Step, ...]:
    needles = Needles.of(*whom)
    keep_from = _keep_from(shop)
    orders = f"orders since {keep_from.date()} kept under a pseudonym"
    stays = "events kept under a pseudonym" if any(one.keeps for one in whom) else orders
    steps: list[Step] = []
    for table in tables.rows(shop.warehouse, whom, keep_from):
        where = f"tables/{table.table}"
        for what, count in (
            ("rows removed", table.removed),
            (stays, table.kept),
            ("older orders kept without a customer", table.anonymised),
            ("rows of others cleaned of the name", table.cleaned),
        ):
            steps.append(Step(where=where, what=what, count=count))
    for column, count in store.found(shop.database, needles).items():
        if column == _CONFIRMING:
            continue  # the job that confirms this very plan is one of them: it must not change it
        steps.append(Step(where=f"store: {column}", what="cells removed or emptied", count=count))
    for holder in holders():
        for name, count in holder.found(shop, needles).items():
            steps.append(Step(where=name, what="rows removed, or the file", count=count))
    for path in every(shop.folder, below=(EXPORTS,)):
        if count := naming(path, needles):
            name = str(path.relative_to(shop.folder))
            steps.append(Step(where=name, what="the file removed", count=count))
    return tuple(step for step in steps if step.count)


def erase(ctx: Context, who: Sequence[str], *, keeps: bool = False) -> Certificate:
    """Erase the customers and say how it went; goes on where a crash stopped an earlier call.

    With ``keeps`` they are anonymised instead.

    Raises:
        NotFound: nothing is known of one of them.
        LeaseHeld: another process writes the tables.
    """
    shop = ctx.shop
    erasures = Erasures(shop.database)
    run = erasures.open_of(who)
    if run is not None and run.status == "proving":
        named = [nobody(shop, one, keeps=keeps) for one in who]
        return _prove(shop, erasures, run, named, _Before({}, Seen(), None))
    if run is None:
        planned = _planned.pop(shop, None)
        if planned is None or planned[0] != (tuple(who), keeps):
            fresh = subjects(shop, who, keeps=keeps)
            planned = ((tuple(who), keeps), fresh, _steps(shop, fresh))
        whom = planned[1]
        steps = [step.model_dump() for step in planned[2]]
        # From here on they are restricted, whatever happens.
        run = erasures.begin([packed(one) for one in whom], {"steps": steps})
    whom = unpacked(run.subjects["subjects"])
    files = Seen()
    before = everywhere(shop, Needles.of(*whom), files, copies(shop))
    ctx.progress(1, _STEPS, "looked for them everywhere")
    gone = _remove(ctx, whom, files)
    erasures.removed(
        run, [one.customer_id for one in whom], {*who, *(i for one in whom for i in one.ids)}
    )
    store.scour(shop.database)
    ctx.progress(6, _STEPS, "rewrote the database's file")
    return _prove(shop, erasures, run, whom, _Before(before, files, gone))


def _remove(ctx: Context, whom: Sequence[Subject], files: Seen) -> _Gone:
    shop, needles = ctx.shop, Needles.of(*whom)
    with shop.writer("erasing customers") as writer, writer.alone():
        writer.drain()
        cells = store.found(shop.database, needles)
        store.erase(shop.database, whom, writer.moved())
        for one in whom:
            for sent_id in {one.customer_id, *one.ids}:
                shop.audit.forget("customer", sent_id)
        ctx.progress(2, _STEPS, "removed them from the store")
        removed = tables.erase(shop.warehouse, whom, _keep_from(shop), files)
        if any(one.shared for one in whom):
            writer.snapshot()  # the devices are their other customers' alone now
        ctx.progress(3, _STEPS, "removed them from the tables")
        in_files: dict[str, int] = {}
        for holder in holders():
            in_files |= holder.erase(shop, needles)
        for path in every(shop.folder, below=(EXPORTS,)):
            if count := without(path, needles):
                in_files[str(path.relative_to(shop.folder))] = count
        ctx.progress(4, _STEPS, "removed them from files")
        clear(shop.warehouse)
        ctx.progress(5, _STEPS, "deleted old files and the log before")
    return _Gone(removed, cells, in_files)


def _prove(
    shop: Shop,
    erasures: Erasures,
    run: Run,
    whom: Sequence[Subject],
    seen: _Before,
) -> Certificate:
    """Look everywhere once more and keep the certificate."""
    needles = Needles.of(*whom)
    unchanged = unchanged_files(shop.warehouse, seen.files)
    after = everywhere(shop, needles, seen.files)
    notes = _notes(shop, whom, unchanged, interrupted=seen.gone is None)
    certificate = Certificate(
        erasure_id=run.erasure_id,
        kind="anonymised" if any(one.keeps for one in whom) else "erased",
        customers=len(whom),
        ids=sum(len(one.ids) for one in whom),
        searched_as_whole_values=len(needles.bare) + len(needles.names),
        started_at=run.started_at,
        finished_at=datetime.now(UTC),
        removed=_removed(seen.gone),
        kept=_kept(shop, whom, seen.gone),
        before=places(dict(seen.before)),
        after=places(after),
        clean=not after,
        backups=backups.listed(shop),
        notes=tuple(notes.values()),
        remarks=tuple(notes),
    )
    erasures.finish(run, certificate.model_dump(mode="json"))
    folder = shop.folder / _FOLDER
    folder.mkdir(exist_ok=True)
    text = json.dumps(certificate.model_dump(mode="json"), indent=2, ensure_ascii=False)
    Path(folder / f"erasure-{run.erasure_id}.json").write_text(text + "\n", "utf-8")
    store.scour(shop.database)  # the record of the run held keyed hashes until now
    return certificate


def _removed(gone: _Gone | None) -> tuple[Found, ...]:
    if gone is None:
        return ()
    counts: Counter[str] = Counter()
    for one in gone.tables:
        counts[f"tables/{one.table}"] += one.removed
        counts[f"tables/{one.table}: rows of others cleaned"] += one.cleaned
    counts.update({f"store: {column}": count for column, count in gone.store.items()})
    counts.update(gone.files)
    return places({where: count for where, count in counts.items() if count})


def _kept(shop: Shop, whom: Sequence[Subject], gone: _Gone | None) -> tuple[Kept, ...]:
    kept = orders_of(shop.warehouse, [one.pseudonym for one in whom])
    older = sum(one.anonymised for one in gone.tables) if gone else 0
    if any(one.keeps for one in whom):
        what = "events under a pseudonym: what, when and for how much, without words or properties"
        why = (
            "the shop's counts; the pseudonym is random, and nothing leads from it to the customer"
        )
        until = "as long as the shop keeps events"
        line = Kept(what=what, rows=kept, why=why, until=until, code="events")
        return (line,) if kept else ()
    days = shop.settings.keep_orders_days
    until = f"each {days} days after its order, by `shopkeeper governance sweep`"
    lines = (
        Kept(
            what="purchase and refund rows under a pseudonym",
            rows=kept,
            why=_WHY,
            until=until,
            code="orders",
            days=days,
        ),
        Kept(
            what="older purchase and refund rows without any customer",
            rows=older,
            why="the shop's totals: they are nobody's personal data",
            until="no term",
            code="older_orders",
        ),
    )
    return tuple(line for line in lines if line.rows)


def _notes(
    shop: Shop, whom: Sequence[Subject], unchanged: int, *, interrupted: bool
) -> dict[Remark, str]:
    """What is to be known beside, each as a code and in words."""
    notes = {
        Remark(
            code="copies"
        ): "Backups made before, and copies given away, hold the data: those in the "
        "shop's folder are listed with their term. After restoring one, erase again."
    }
    if unchanged:
        notes[Remark(code="unchanged_files", count=unchanged)] = (
            f"{unchanged} data files held nothing of theirs when they were decoded before, and have not "
            "changed since: they were not decoded a second time."
        )
    if common := sum(one.common for one in whom):
        notes[Remark(code="common", count=common)] = (
            f"{common} names, addresses or numbers are other customers' as well, and were not searched "
            "for."
        )
    if shop.database.dialect_name == "postgresql":
        notes[Remark(code="postgresql_log")] = (
            "PostgreSQL: the rows are gone and the tables rewritten; its write-ahead log and its own "
            "backups hold older pages until the server recycles them."
        )
    if any(one.shared for one in whom):
        notes[Remark(code="shared_devices")] = (
            "Devices that several customers used stay in the rows of the others, and were not "
            "searched for."
        )
    if interrupted:
        notes[Remark(code="interrupted")] = (
            "The removal was finished by an earlier call that was interrupted before its proof: only "
            "the ids given to this call were searched for, and counts before are not known."
        )
    return notes


def _keep_from(shop: Shop) -> datetime:
    return shop.now() - timedelta(days=shop.settings.keep_orders_days)


def listed(shop: Shop) -> Certificates:
    """The certificates, the newest first."""
    runs = Erasures(shop.database).list()
    done = [Certificate.model_validate(run.report) for run in runs if run.status == "done"]
    return Certificates(certificates=tuple(done), running=len(runs) - len(done))
