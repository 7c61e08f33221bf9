"""The shipped readers on research sets that none of their data comes from.

Sentiment: the likelier of positive and negative, on the hash test part of online-shopping and on the
GLUE dev part of SST-2. Aspects: pairs of aspect and polarity on the test part of Dianping and of
SemEval-14 (F1; an aspect that overlaps the gold one counts, since guides differ on where one ends; two
opinions without an aspect match), and the polarity of those found. Intents: CIC's clean test part, where
one of its intents has a counterpart (house_cic.toml). ``validation()`` measures the same on the parts
that settings may be chosen on. What is only reported has no target.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.harness import DATA, HERE, Row, write
from shopkeeper.tasks.house import cards
from shopkeeper.tasks.house.readers import LabelReader, load
from shopkeeper.tasks.types import Span

SHOPPING, SST2 = DATA / "online-shopping", DATA / "sst2"
DIANPING, SEMEVAL, CIC = (
    DATA / "absa-zh-restaurants",
    DATA / "absa-en-restaurants" / "aste",
    DATA / "cic",
)
_TRIPLE = re.compile(r"\((\(.*?\)|\[.*?\]), (\(.*?\)|\[.*?\]), '(\w+)'\)")
_POLARITY = {"POS": 1, "NEG": -1, "NEU": 0, "Positive": 1, "Negative": -1, "Neutral": 0}
_BOOTSTRAPS = 1000


class Said(NamedTuple):
    """A gold or found mention: the characters of its aspect (empty for none) and its polarity."""

    aspect: frozenset[int]
    polarity: int


def shopping(part: int) -> tuple[list[str], list[int]]:
    """Reviews of online-shopping of one hash part (0 the test, 1 validation), and 1 for positive."""
    seen: set[str] = set()
    texts, labels = [], []
    with (SHOPPING / "online_shopping_10_cats.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            text = unicodedata.normalize("NFKC", row["review"]).strip()
            if not text or text in seen:
                continue
            seen.add(text)
            if int(hashlib.sha256(text.encode()).hexdigest(), 16) % 5 == part:
                texts.append(row["review"])
                labels.append(int(row["label"]))
    return texts, labels


def sst2(name: str) -> tuple[list[str], list[int]]:
    """Sentences of SST-2: "test" is the dev part of GLUE."""
    with (SST2 / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row["sentence"] for row in rows], [int(row["label"]) for row in rows]


def cic(name: str) -> tuple[list[str], list[list[str]]]:
    """Messages of CIC whose intent has a counterpart, and the house intents that count as right."""
    right = tomllib.loads((HERE / "house_cic.toml").read_text("utf-8"))
    lines = (CIC / f"{name}.json").read_text("utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["label"] in right]
    return [row["sentence"] for row in rows], [right[row["label"]] for row in rows]


def triples(path: Path, joint: str) -> Iterator[tuple[str, list[Said]]]:
    """Sentences of tokens with their gold triples; ``joint`` is what stands between two tokens."""
    for line in path.read_text("utf-8-sig").splitlines():
        if "####" not in line:
            continue
        tokens, _, marks = line.partition("####")
        words = tokens.split(" ")
        bounds = np.cumsum([0, *(len(word) + len(joint) for word in words)])
        yield (
            joint.join(words),
            [_gold(mark, bounds, len(joint)) for mark in _TRIPLE.finditer(marks)],
        )


def _gold(mark: re.Match[str], bounds: np.ndarray, joint: int) -> Said:
    places = [int(place) for place in re.findall(r"-?\d+", mark[1])]
    if places[0] < 0:
        return Said(frozenset(), _POLARITY[mark[3]])
    begin, end = bounds[places[0]], bounds[places[-1] + 1] - joint
    return Said(frozenset(range(begin, end)), _POLARITY[mark[3]])


def accuracy(name: str, right: Sequence[bool], note: str = "") -> Row:
    """The share that is right with a bootstrap interval of 95 %."""
    hits = np.array(right, float)
    drawn = np.random.default_rng(0).binomial(len(hits), hits.mean(), _BOOTSTRAPS) / len(hits)
    low, high = np.quantile(drawn, [0.025, 0.975])
    note = f"{len(hits)} texts" + (f"; {note}" if note else "")
    return Row(
        name, round(float(hits.mean()), 4), round(low, 4), round(high, 4), "share right", note
    )


def verdicts(name: str, language: str, texts: Sequence[str], labels: Sequence[int]) -> Row:
    """How often the likelier of positive and negative is right."""
    reader = load("sentiment", language)
    assert isinstance(reader, LabelReader)
    table = reader.probabilities(texts)
    positive, negative = (
        table[:, reader.labels.index(label)] for label in ("positive", "negative")
    )
    said = positive > negative
    sure = np.maximum(positive, negative) / (positive + negative)
    right = said == np.array(labels, bool)
    note = f"mean confidence {sure.mean():.3f}, version {reader.version}"
    return accuracy(name, right.tolist(), note)


def mentions(name: str, language: str, gold: Sequence[tuple[str, list[Said]]]) -> list[Row]:
    """F1 of aspect and polarity, and the share of right polarities where the aspect was found."""
    answers = load("aspects", language).answer([text for text, _ in gold])
    found = wanted = both = aspects = 0
    for (_, said), answer in zip(gold, answers, strict=True):
        spans = answer.value if isinstance(answer.value, tuple) else ()
        mine = {_said(span) for span in spans}
        theirs = set(said)
        found, wanted = found + len(mine), wanted + len(theirs)
        for one in theirs:
            near = [other for other in mine if _same(one, other)]
            aspects += bool(near)
            both += any(other.polarity == one.polarity for other in near)
    f1 = round(2 * both / max(1, found + wanted), 4)
    note = f"{len(gold)} sentences, {wanted} gold and {found} found pairs"
    polarity = round(both / max(1, aspects), 4)
    return [
        Row(f"{name}.f1", f1, f1, f1, "F1", note),
        Row(f"{name}.polarity", polarity, polarity, polarity, "share right", f"{aspects} found"),
    ]


def _said(span: Span) -> Said:
    return Said(frozenset(range(span.start, span.end)), span.polarity)


def _same(one: Said, other: Said) -> bool:
    return bool(one.aspect & other.aspect) or not (one.aspect or other.aspect)


def intents(name: str, file: str) -> Row:
    """How often the intent is one of those that count as right."""
    texts, right = cic(file)
    answers = load("intents", "zh").answer(texts)
    return accuracy(
        name, [answer.value in each for answer, each in zip(answers, right, strict=True)]
    )


def measured(*, test: bool) -> dict[tuple[str, str], list[Row]]:
    """By reader and language: rows of the test parts, or of those that settings may be chosen on."""
    dianping = DIANPING / ("test.txt" if test else "dev.txt")
    semeval = SEMEVAL / ("test.txt" if test else "dev.txt")
    shop, film = shopping(0 if test else 1), sst2("test" if test else "dev")
    return {
        ("sentiment", "zh"): [verdicts("read.house.online_shopping", "zh", *shop)],
        ("sentiment", "en"): [verdicts("read.house.sst2", "en", *film)],
        ("aspects", "zh"): mentions("read.house.dianping", "zh", list(triples(dianping, ""))),
        ("aspects", "en"): mentions("read.house.semeval14", "en", list(triples(semeval, " "))),
        ("intents", "zh"): [intents("read.house.cic", "test_public" if test else "dev")],
    }


def validation() -> None:
    """Print the figures of the parts that settings may be chosen on."""
    _print(row for rows in measured(test=False).values() for row in rows)


def main() -> None:
    """Measure on the test parts, write the record and put the figures into the readers' cards."""
    absent = [path.name for path in (SHOPPING, SST2, DIANPING, SEMEVAL, CIC) if not path.exists()]
    if absent:
        print(f"house: skipped, no data: {', '.join(absent)}")
        return
    found = measured(test=True)
    for (task, language), rows in found.items():
        cards.record(task, language, [asdict(row) for row in rows])
    every = [row for rows in found.values() for row in rows]
    write("house", every, data="online-shopping, SST-2, Dianping, SemEval-14 and CIC, test parts")
    _print(every)


def _print(rows: Iterable[Row]) -> None:
    for row in rows:
        print(f"{row.id:32} {row.value:.4f}  {row.note}")


if __name__ == "__main__":
    main()
