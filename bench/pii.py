"""Personal data: precision and recall of each kind, alarms over real texts, speed.

The labelled sentences were written for this project before the recognisers were tuned; the figures are of
their test half, on which nothing was chosen. They were written by the author of the rules, so they say that
the rules do what they are meant to, not how they do on the sentences of others. Alarms are counted on the
test part of real sets (sha256 of the text, remainder 0 of 5), which nobody has labelled: many are right.
"""

from __future__ import annotations

import csv
import hashlib
import time
import unicodedata
from collections.abc import Iterable, Iterator

from tests.trust.scoring import Score, score, sentences

from bench.harness import DATA, Row, write
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.stats.intervals import proportion
from shopkeeper.stats.summary import Proportion
from shopkeeper.trust.personal import Masker, find

RUNS = 3
TIMED = 20_000


def main() -> None:
    """Measure and record."""
    scores = score(sentences("test"))
    whole = Score(
        sum(one.hits for one in scores.values()),
        sum(one.false for one in scores.values()),
        sum(one.missed for one in scores.values()),
    )
    rows: list[Row] = []
    for kind, one in {**scores, "all": whole}.items():
        rows.append(_share(f"pii.{kind}.precision", one.hits, one.hits + one.false))
        rows.append(_share(f"pii.{kind}.recall", one.hits, one.hits + one.missed))
    rows += _alarms()
    rows += _speed()
    write("pii", rows, data=f"{len(sentences('test'))} labelled sentences; real texts")


def _share(name: str, hits: int, n: int) -> Row:
    found = _proportion(hits, n)
    note = f"{hits} of {n}"
    return Row(name, round(found.value, 4), round(found.low, 4), round(found.high, 4), "", note)


def _proportion(hits: int, n: int) -> Estimate:
    found = proportion(Proportion(n, hits))
    if isinstance(found, CannotSay):
        raise RuntimeError(found.reason)
    return found


def _alarms() -> Iterator[Row]:
    fired = texts = 0
    for name, reader in (("online_shopping", _reviews), ("jddc", _chats), ("sst2", _sentences)):
        mine = [text for text in dict.fromkeys(reader()) if _is_test(text)]
        hits = sum(bool(find(text)) for text in mine)
        yield _rate(f"pii.alarms_per_10000.{name}", hits, len(mine))
        fired, texts = fired + hits, texts + len(mine)
    yield _rate("pii.false_alarms_per_10000", fired, texts)


def _rate(name: str, hits: int, n: int) -> Row:
    share = _proportion(hits, n)
    return Row(
        name,
        round(share.value * 10_000, 1),
        round(share.low * 10_000, 1),
        round(share.high * 10_000, 1),
        "texts in 10,000",
        f"{hits} of {n} texts, right and wrong together: at most so many are false",
    )


def _speed() -> list[Row]:
    reviews = list(_reviews())[:TIMED]
    runs = []
    for _ in range(RUNS):
        started = time.process_time()
        for review in reviews:
            Masker().mask(review)
        runs.append(len(reviews) / (time.process_time() - started))
    text = "\n".join(one.text for one in sentences("dev"))
    text = (text * (1_000_000 // len(text) + 1))[:1_000_000]
    seconds = []
    for _ in range(RUNS):
        started = time.process_time()
        Masker().mask(text)
        seconds.append(time.process_time() - started)
    return [
        Row.of(
            "pii.reviews_per_s", runs, "reviews/s", "CPU time of one core, a masker for each review"
        ),
        Row.of("pii.megabyte.seconds", seconds, "s", "CPU time; one text full of personal data"),
    ]


def _is_test(text: str) -> bool:
    plain = unicodedata.normalize("NFKC", text).strip()
    return bool(plain) and int(hashlib.sha256(plain.encode()).hexdigest(), 16) % 5 == 0


def _reviews() -> Iterable[str]:
    path = DATA / "online-shopping" / "online_shopping_10_cats.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [row["review"] for row in csv.DictReader(file)]


def _chats() -> Iterator[str]:
    for name in ("train.enc", "train.dec", "test.enc", "test.dec"):
        yield from (DATA / "jddc-pairs" / name).read_text("utf-8").splitlines()


def _sentences() -> Iterator[str]:
    for name in ("train.tsv", "dev.tsv", "test.tsv"):
        for line in (DATA / "sst2" / name).read_text("utf-8").splitlines()[1:]:
            yield line.rpartition("\t")[0]


if __name__ == "__main__":
    main()
