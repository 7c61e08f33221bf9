"""Hot topics on simulated shops: planted happenings found first, false alarms in quiet shops.

Every day from the tenth week on is looked at, as a shopkeeper would. Shops of the seeds below 100 were
used to choose the length of windows and the least rise; the figures are of other seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from bench.harness import Row, write
from shopkeeper.core.text import digest
from shopkeeper.insight import hot
from shopkeeper.insight.rising import QUARTER
from shopkeeper.insight.themes import fitting, sample
from shopkeeper.insight.themes.mixture import NONE
from shopkeeper.insight.themes.model import Model
from shopkeeper.insight.themes.words import clean
from shopkeeper.simulate.scenario import parse
from shopkeeper.simulate.world import World
from shopkeeper.stats.binomial import lower, upper
from shopkeeper.tasks.house.readers import load

SEEDS = range(101, 121)
RATE = 1.0
_SHOP = """
first_day = 2024-07-01
days = 365
events = 200000
reviews = 0.6
chats = 0.5
languages = { zh = 0.7, en = 0.3 }
"""
_PLANTED = {
    "quality_defect": 'category = "tech"\nsize = 0.5\nstart = 2025-01-13\nend = 2025-03-09',
    "skin_defect": 'category = "skin"\nsize = 0.5\nstart = 2025-04-07\nend = 2025-05-18',
    "delivery_delay": "size = 6\nstart = 2024-11-18\nend = 2024-12-05",
}
_READERS = ("sentiment", "intents", "aspects")
_WARM = 70
_SLACK = 28  # days after its end in which a happening is still written about
_ABOUT = 0.3  # of an alarm's texts: so many must be of the happening for the alarm to be of it


@dataclass(frozen=True)
class Alarm:
    """One topic on one day: the share of its texts that the happening caused."""

    day: date
    rank: int
    about: float
    quoted: bool
    told: str


def main() -> None:
    """Run every scenario on every seed and write the figures."""
    seeds = list(SEEDS)
    quiet = [_false(list(_alarms("", seed))) for seed in seeds]
    rows = [
        Row.of("hot.quiet.false_alarms_per_quarter", [n * QUARTER / (365 - _WARM) for n in quiet],
               "topics", f"mean {sum(quiet) * QUARTER / (365 - _WARM) / len(seeds):.2f}; stated {RATE}"),
    ]  # fmt: skip
    for kind, keys in _PLANTED.items():
        found = [_first(kind, list(_alarms(_happening(kind, keys), seed))) for seed in seeds]
        rows += [
            _share(f"hot.{kind}.found", [f[0] for f in found]),
            _share(f"hot.{kind}.found_first", [f[1] for f in found], "first in rank, with quotes; "),
        ]  # fmt: skip
        days = [f[2] for f in found if f[0]]
        if days:
            rows.append(
                Row.of(f"hot.{kind}.days", days, "days", "from the start to the first alarm")
            )
    for row in rows:
        print(row)
    write("hot", rows, data="simulated shops of 200,000 events, 365 days", seeds=seeds)


def _share(name: str, hits: list[float], note: str = "") -> Row:
    """The share of the shops, with its exact 95 % interval."""
    n, hit = len(hits), round(sum(hits))
    return Row(name, hit / n, round(lower(hit, n, 0.025), 4), round(upper(hit, n, 0.025), 4),
               "share", f"{note}{hit} of {n} shops")  # fmt: skip


def _happening(kind: str, keys: str) -> str:
    kind = "quality_defect" if kind.endswith("defect") else kind
    return f'[[happening]]\nkind = "{kind}"\n{keys}\n'


def _false(alarms: list[Alarm]) -> float:
    """How many topics were raised: one that goes on from day to day is one."""
    episodes, last = 0, dict[str, date]()
    for alarm in alarms:
        if alarm.told not in last or (alarm.day - last[alarm.told]).days > 7:
            episodes += 1
        last[alarm.told] = alarm.day
    return float(episodes)


def _first(kind: str, alarms: list[Alarm]) -> tuple[float, float, float]:
    """Whether it was found; whether it stood first, with a quote of it, when it was; after how many days."""
    start, end = _span(kind)
    inside = [a for a in alarms if start <= a.day <= end + timedelta(days=_SLACK)]
    hits = [a for a in inside if a.about >= _ABOUT]
    if not hits:
        return 0.0, 0.0, 0.0
    best = min(hits, key=lambda a: (a.day, a.rank))
    return 1.0, float(best.rank == 0 and best.quoted), float((best.day - start).days)


def _span(kind: str) -> tuple[date, date]:
    values = dict(line.split(" = ", 1) for line in _PLANTED[kind].split("\n"))
    return date.fromisoformat(values["start"]), date.fromisoformat(values["end"])


def _alarms(happening: str, seed: int) -> Iterator[Alarm]:
    print(f"seed {seed} {happening.splitlines()[1:2]}", file=sys.stderr, flush=True)
    scenario = replace(parse(_SHOP + happening), time_zone="Asia/Shanghai", currency="CNY")
    world = World(scenario, seed)
    rows = [row for batch in world.texts() for row in batch.to_pylist()]
    caused = {t["text_id"]: t["happening"] for t in world.truth().texts.to_pylist()}
    categories = {item["item_id"]: item["category"] for item in world.items()}
    said = [row for row in rows if row["author_role"] == "customer"]
    parts = _heard([{**row, "category": categories.get(row["item_id"])} for row in said])
    for step in range(_WARM, scenario.days):
        day = scenario.first_day + timedelta(days=step)
        found = [
            (topic, one)
            for one in parts
            for topic in hot.topics(hot.signs(one, day, RATE / QUARTER / len(parts))[0])
        ]
        found.sort(key=lambda pair: pair[0].signs[0].alarm.p_value)
        for rank, (topic, one) in enumerate(found):
            ids = [one.rows[n]["text_id"] for n in topic.texts]
            quotes = hot.told(topic, one, day, {}).quotes
            about = sum(caused[i] is not None for i in ids) / len(ids)
            quoted = any(caused[q.text_id] is not None for q in quotes)
            yield Alarm(day, rank, about, quoted, topic.signs[0].name)


def _heard(rows: list[dict[str, Any]]) -> list[hot.Heard]:
    readers = {name: load(name) for name in _READERS if name in _built()}
    cleaned = [clean(f"{row['title'] or ''}\n{row['body']}") for row in rows]
    labels: list[list[str]] = [[] for _ in rows]
    for name, reader in readers.items():
        for marks, answer in zip(labels, reader.answer([r["body"] for r in rows]), strict=True):
            if isinstance(answer.value, str):
                marks.append(hot.label(name, answer.value, None))
            elif answer.value is not None:
                marks += {hot.label(name, s.category, s.polarity) for s in answer.value}
    found = []
    for tongue, said in sample.by_tongue(cleaned).items():
        for place in said.places:
            rows[place]["wording"] = digest(cleaned[place])
            rows[place]["author"] = rows[place]["person"] = rows[place]["customer_id"]
        mine = [rows[p] for p in said.places]
        read = [labels[p] for p in said.places]
        _add_themes(tongue, mine, said.texts, read)
        found.append(hot.heard(tongue, mine, said.texts, read))
    return found


def _add_themes(
    tongue: Any, rows: list[dict[str, Any]], texts: Any, marks: list[list[str]]
) -> None:
    """Themes as a shop that was opened half a year ago would have them: fitted on the first half."""
    half = [n for n, row in enumerate(rows) if row["day"] < date(2024, 10, 1)]
    fitted = fitting.fit([texts[n] for n in half], [rows[n]["person"] for n in half], 1)
    if not isinstance(fitted, fitting.Fitted):
        return
    ids = tuple(f"T{n}" for n in range(len(fitted.mixture.evidence)))
    model = Model(tongue, fitted.words, fitted.mixture, ids)
    for mark, n in zip(marks, model.assign(texts)[0], strict=True):
        if n != NONE:
            mark.append(hot.label(sample.TASK, ids[n], None))


def _built() -> list[str]:
    from importlib.resources import files

    return [p.name for p in files("shopkeeper.tasks.house").joinpath("models").iterdir()]


if __name__ == "__main__":
    main()
