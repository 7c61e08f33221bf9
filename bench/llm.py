"""Language models by task: agreement with people, abstentions, cost, time, and what a cascade saves.

``make bench NAME=llm MODEL=openai:<model>[,openai:<model> …]`` with its key in the environment.

More from the environment: ``BUDGET``, the most that all runs of a month may cost (5); ``PRICES`` as
``name=sent/written,…`` for a million tokens; ``TEXTS``, how many texts with labels of people (200);
``LABELS``, how many texts the model labels for the student (600); ``TASKS``, which of them. Answers are
kept, so a run that was stopped goes on where it was and a second one costs nothing.

The texts with people's labels come from the test part of public sets; nothing is chosen on them.
"""

from __future__ import annotations

import csv
import hashlib
import os
import random
import re
import statistics
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from bench.harness import DATA, HERE, Row, write
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.language.budgeted import declared
from shopkeeper.language.guard import Rules, guard
from shopkeeper.language.opening import open_backend, price_of
from shopkeeper.language.types import BILLIONTHS, Backend, Price, Reply, Request
from shopkeeper.stats.intervals import proportion
from shopkeeper.stats.summary import Proportion
from shopkeeper.store.database import Database
from shopkeeper.store.prompts import Prompts
from shopkeeper.store.spending import Caps, Spending
from shopkeeper.tasks import costs
from shopkeeper.tasks.guarantee import Guarantee, calibrate, grid
from shopkeeper.tasks.house.readers import load
from shopkeeper.tasks.student import Student
from shopkeeper.tasks.teacher import Asked, Teacher
from shopkeeper.tasks.types import Label, Task

ALPHA, DELTA = 0.05, 0.05
SEED = 11
POOL = 5000
VOLUMES = (10_000, 100_000, 1_000_000)
BUDGETS = (0.0, 10.0, 100.0, 1000.0)
KEPT = HERE.parent / "build" / "bench-llm"

Labelled = tuple[str, str]


@dataclass(frozen=True)
class Case:
    """A task with texts that people labelled: ``train`` for the student, ``test`` to be measured on."""

    task: Task
    house: str  # the shipped reader of the same labels; empty: there is none
    train: Callable[[], list[Labelled]]
    test: Callable[[], list[Labelled]]


@dataclass(frozen=True)
class Measured:
    """What one model did on one task. ``cascade`` is None where no threshold could be proven."""

    model: str
    task: str
    right: int
    abstained: int
    texts: int
    per_text: float
    seconds: list[float]
    house_right: int | None = None
    labels: int = 0
    local_share: float | None = None
    cascade_right: int = 0


@dataclass
class Timed:
    """The backend, and how long each answer took that was not kept from before."""

    backend: Backend
    seconds: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.backend.name

    @property
    def remote(self) -> bool:
        return self.backend.remote

    @property
    def price(self) -> Price | None:
        return self.backend.price

    def complete(self, request: Request) -> Reply:
        """Its reply."""
        reply = self.backend.complete(request)
        if not reply.cached:
            self.seconds.append(reply.seconds)
        return reply

    def close(self) -> None:
        """Close it."""
        self.backend.close()


def main() -> None:
    """Measure each model named in ``MODEL`` on each task, record, and recommend."""
    if not DATA.is_dir():
        print(f"llm: there are no data in {DATA}.")
        return
    models = [name.strip() for name in os.environ.get("MODEL", "").split(",") if name.strip()]
    if not models:
        print("llm: nothing to do. Name a model: make bench NAME=llm MODEL=openai:<model>")
        return
    found: list[Measured] = []
    cases = _cases()
    for model in models:
        for name in _chosen(cases):
            found.append(measured(model, cases[name]))
            print(_line(found[-1]), flush=True)
    rows = [row for one in found for row in _rows(one)]
    write("llm", rows, data="test parts of public sets", seeds=[SEED])
    for line in recommended(found):
        print(line)


def measured(model: str, case: Case) -> Measured:
    """One model on one task: its answers, then a student of its labels and what that serves alone."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with closing(Database(KEPT / "answers.sqlite")) as database:
        database.migrate()
        timed = _guarded(model, database)
        try:
            return _measured(model, case, Teacher(timed, case.task), timed)
        finally:
            timed.close()


def _measured(model: str, case: Case, teacher: Teacher, timed: Timed) -> Measured:
    chance = random.Random(SEED)
    gold = _drawn(case.test(), _number("TEXTS", 200), chance)
    taught = teacher.read([Asked(text) for text, _ in gold])
    answers = [one.answer.value for one in taught]
    for reason in sorted({one.answer.reason for one in taught} - {""})[:3]:
        print(f"  {case.task.name}: {reason}")
    spent = _per_text(timed, case.task)
    whole = Measured(
        model=model,
        task=case.task.name,
        right=sum(a == label for a, (_, label) in zip(answers, gold, strict=True)),
        abstained=sum(a is None for a in answers),
        texts=len(gold),
        per_text=spent,
        seconds=list(timed.seconds),
        house_right=_house(case, gold),
    )
    return _with_cascade(whole, case, teacher, gold, answers)


def _house(case: Case, gold: Sequence[Labelled]) -> int | None:
    """How often the shipped reader says what people said."""
    if not case.house:
        return None
    answers = load(case.house).answer([text for text, _ in gold])
    return sum(one.value == label for one, (_, label) in zip(answers, gold, strict=True))


def _with_cascade(
    whole: Measured,
    case: Case,
    teacher: Teacher,
    gold: Sequence[Labelled],
    answers: Sequence[object],
) -> Measured:
    """The same with a student: half of the labels teach it, the other half prove when it is sure enough."""
    chance = random.Random(SEED + 1)
    train = [text for text, _ in _drawn(case.train(), POOL, chance)]
    wanted = train[: _number("LABELS", 600)]
    told = [(one.asked.text, one.answer.value) for one in teacher.read([Asked(t) for t in wanted])]
    known = [(text, str(value)) for text, value in told if value is not None]
    half = len(known) // 2
    learn, prove = known[:half], known[half:]
    if len({label for _, label in learn}) < 2:
        return whole
    student = Student.fit(
        case.task.name, *map(list, zip(*learn, strict=True)), names=case.task.names
    )
    checked = student.answer([text for text, _ in prove])
    pool = [one.confidence for one in student.answer(train[len(wanted) :])]
    proven = calibrate(
        [one.confidence for one in checked],
        [one.value == label for one, (_, label) in zip(checked, prove, strict=True)],
        grid(np.array(pool), len(prove)),
        alpha=ALPHA,
        delta=DELTA,
    )
    if not isinstance(proven, Guarantee):
        return whole
    alone = student.answer([text for text, _ in gold])
    served = [one.confidence >= proven.threshold for one in alone]
    right = [
        (mine.value if local else theirs) == label
        for mine, local, theirs, (_, label) in zip(alone, served, answers, gold, strict=True)
    ]
    share = sum(one >= proven.threshold for one in pool) / len(pool)
    return Measured(
        **{**vars(whole), "labels": len(known), "local_share": share, "cascade_right": sum(right)}
    )


def recommended(found: Sequence[Measured]) -> list[str]:
    """For each task, volume and budget of a month: who reads best for the money, as far as was measured."""
    lines = ["", "Recommended, by texts and money a month (agreement with people as measured):"]
    for task in dict.fromkeys(one.task for one in found):
        for volume in VOLUMES:
            for budget in BUDGETS:
                best = _best([one for one in found if one.task == task], volume, budget)
                lines.append(f"  {task}: {volume:>9,} texts, budget {budget:>6,.0f}: {best}")
    return lines


def _best(found: Sequence[Measured], volume: int, budget: float) -> str:
    """The way that agrees most often with people among those that cost no more than the budget."""
    ways: list[tuple[float, float, str]] = []
    for one in found:
        if one.house_right is not None:
            ways.append((one.house_right / one.texts, 0.0, "the shipped reader"))
        alone = one.per_text * volume
        ways.append((one.right / one.texts, alone, f"{one.model} for every text"))
        if one.local_share is not None:
            cost = one.per_text * (volume * (1 - one.local_share) + one.labels)
            ways.append((one.cascade_right / one.texts, cost, f"{one.model} behind a student"))
    fitting = [way for way in ways if way[1] <= budget]
    if not fitting:
        return "nothing that was measured costs so little"
    agreement, cost, who = max(fitting, key=lambda way: (way[0], -way[1]))
    return f"{who} ({agreement:.3f}, costs {cost:,.2f})"


def _guarded(model: str, database: Database) -> Timed:
    prices = {n: Price(*p) for n, p in _prices().items()}
    price = declared(model, price_of(model, prices))
    budget = float(os.environ.get("BUDGET", "5"))
    rules = Rules(
        cache=Prompts(database),
        ledger=Spending(database),
        caps=Caps(round(budget * BILLIONTHS)),
        month=lambda: datetime.now(UTC).strftime("%Y-%m"),
        may_send=lambda _request: True,  # public sets
    )
    print(
        f"-- {model}: {price.sent:g} / {price.written:g} a million tokens, at most {budget:g} in all"
    )
    return Timed(guard(open_backend(model, prices), rules))


def _prices() -> dict[str, tuple[float, float]]:
    told: dict[str, tuple[float, float]] = {}
    for part in filter(None, os.environ.get("PRICES", "").split(",")):
        name, _, price = part.rpartition("=")
        sent, written = price.split("/")
        told[name.strip()] = float(sent), float(written)
    return told


def _per_text(timed: Timed, task: Task) -> float:
    """What one text costs, by all calls there ever were: those from the cache cost nothing today."""
    with closing(Database(KEPT / "answers.sqlite")) as database:
        line = Spending(database).ever(timed.name, task.name)
    return 0.0 if line is None else line.billionths / BILLIONTHS / line.calls


def _rows(one: Measured) -> list[Row]:
    stem = f"llm.{re.sub(r'[^a-z0-9]+', '_', one.model.lower()).strip('_')}.{one.task}"
    n = one.texts
    rows = [
        _share(f"{stem}.agreement", one.right, n, "with people"),
        _share(f"{stem}.abstained", one.abstained, n, "no known label, or not answered"),
        _figure(f"{stem}.cost_per_1000", 1000 * one.per_text, "money", "mean of all calls"),
    ]
    if one.house_right is not None:
        rows.append(_share(f"{stem}.house_agreement", one.house_right, n, "the shipped reader"))
    if one.seconds:
        rows.append(Row.of(f"{stem}.seconds", one.seconds, "s", "a text"))
    if one.local_share is not None:
        saved = costs.cost(one.per_text, one.local_share, one.labels)
        promise = f"error at most {ALPHA:.0%} with {1 - DELTA:.0%} confidence, against the model"
        note = f"{promise}; {one.labels} labels"
        rows += [
            _figure(f"{stem}.local_share", one.local_share, "", note),
            _figure(
                f"{stem}.cascade_cost_per_1000", saved.cascade, "money", "once there are labels"
            ),
            _share(f"{stem}.cascade_agreement", one.cascade_right, n, "with people"),
        ]
    return rows


def _figure(name: str, value: float, unit: str, note: str) -> Row:
    shown = round(value, 6)
    return Row(name, shown, shown, shown, unit, note)


def _share(name: str, hits: int, n: int, note: str) -> Row:
    found = proportion(Proportion(n, hits))
    if isinstance(found, CannotSay):
        raise RuntimeError(found.reason)
    shown: Estimate = found
    return Row(
        name, round(shown.value, 4), round(shown.low, 4), round(shown.high, 4), "", f"{note}; n={n}"
    )


def _line(one: Measured) -> str:
    took = f"{statistics.median(one.seconds):.2f} s" if one.seconds else "kept"
    local = (
        "no threshold proven"
        if one.local_share is None
        else f"{one.local_share:.0%} served locally"
    )
    return (
        f"{one.model:<28} {one.task:<18} agrees {one.right / one.texts:.3f}, abstains "
        f"{one.abstained / one.texts:.3f}, {1000 * one.per_text:.4f} a thousand, {took}; {local}"
    )


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name, default))


def _chosen(cases: dict[str, Case]) -> list[str]:
    wanted = os.environ.get("TASKS", "")
    names = [name.strip() for name in wanted.split(",") if name.strip()] or list(cases)
    unknown = sorted(set(names) - set(cases))
    if unknown:
        raise SystemExit(f"No task is named {unknown[0]!r}. Known: {', '.join(cases)}.")
    return names


def _drawn(labelled: list[Labelled], n: int, chance: random.Random) -> list[Labelled]:
    return chance.sample(labelled, min(n, len(labelled)))


def _cases() -> dict[str, Case]:
    polar = (
        Label(name="negative", meaning="on the whole bad"),
        Label(name="positive", meaning="on the whole good"),
    )
    names = (DATA / "thucnews-titles" / "class.txt").read_text("utf-8").split()
    titles = tuple(Label(name=name) for name in names)
    reviews = Task(name="reviews_zh", question="Is the customer satisfied?", labels=polar)
    films = Task(name="sentences_en", question="What does it say of the film?", labels=polar)
    news = Task(name="titles_zh", question="What is the news title about?", labels=titles)
    return {
        reviews.name: Case(
            reviews, "sentiment", lambda: _reviews(test=False), lambda: _reviews(test=True)
        ),
        films.name: Case(films, "sentiment", lambda: _sst2("train.tsv"), lambda: _sst2("test.tsv")),
        news.name: Case(
            news,
            "",
            lambda: _titles("train_reconstructed.txt", names),
            lambda: _titles("test.txt", names),
        ),
    }


def _reviews(*, test: bool) -> list[Labelled]:
    path = DATA / "online-shopping" / "online_shopping_10_cats.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        told = {
            row["review"]: row["label"] for row in csv.DictReader(file) if row["review"].strip()
        }
    return [
        (text, "positive" if label == "1" else "negative")
        for text, label in told.items()
        if (_fifth(text) == 0 if test else _fifth(text) > 1)  # 0 is the test's part, 1 validation's
    ]


def _sst2(name: str) -> list[Labelled]:
    with (DATA / "sst2" / name).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            (r["sentence"].strip(), "positive" if r["label"] == "1" else "negative") for r in rows
        ]


def _titles(name: str, names: Sequence[str]) -> list[Labelled]:
    lines = (DATA / "thucnews-titles" / name).read_text("utf-8").splitlines()
    pairs = (line.rpartition("\t") for line in lines if "\t" in line)
    return [(text, names[int(number)]) for text, _, number in pairs]


def _fifth(text: str) -> int:
    plain = unicodedata.normalize("NFKC", text).strip()
    return int(hashlib.sha256(plain.encode()).hexdigest(), 16) % 5


if __name__ == "__main__":
    main()
