"""The cascade on online-shopping reviews: what a student serves alone under the guarantee.

Labels are drawn from all reviews that are not in the test part (hash split of the design), the pool is
20,000 of these without their labels. A quarter of the training labels is drawn at random, the others are
chosen in three rounds (uncertain and different); calibration labels are random and teach nothing. The
threshold comes from fixed-sequence testing at alpha 5 % and delta 5 %; share and error are those of the
test part. ``cascade.violations`` is the larger of the two settings' shares of seeds whose error is above
alpha. A noisy teacher gives every label wrongly with the stated chance: then the promise (alpha 10 % and
15 %) is about agreement with him, and 300 of the served texts audited by people bound the error against
people. Every parameter was chosen with labels and tests inside the training part.
"""

from __future__ import annotations

import csv
import hashlib
import multiprocessing
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.harness import DATA, Row, child, write

SEEDS = 200
NOISY_SEEDS = 60
PLAIN_SEEDS = 40
WORKERS = 2
CANDIDATES = 4_000
ROUNDS = 3
RANDOM_SHARE = 0.25
POOL = 20_000
AUDITED = 300
DELTA = 0.05
NAMES = ("0", "1")


@dataclass(frozen=True)
class Setting:
    """How many labels train and calibrate, what is promised, and how often the teacher errs."""

    name: str
    train: int
    calibration: int
    alpha: float = 0.05
    noise: float = 0.0
    plain: bool = False


@dataclass(frozen=True)
class Outcome:
    """What one seed gave on the test part; ``audit_holds`` says whether the people's bound was kept."""

    share: float
    error: float
    error_people: float
    accuracy: float
    audit_holds: bool


SMALL = Setting("1000", 600, 400)
LARGE = Setting("1000_3000", 1_000, 3_000)


class World:
    """The reviews and the pool; made once, before the workers fork."""

    def __init__(self) -> None:
        from shopkeeper.tasks.pool import Pool

        rest, self.test = split()
        random = np.random.default_rng(0)
        self.rest = [rest[place] for place in random.permutation(len(rest))]
        self.texts = [text for text, _ in self.rest]
        self.labels = np.array([int(label) for _, label in self.rest])
        self.test_texts = [text for text, _ in self.test]
        self.test_labels = np.array([int(label) for _, label in self.test])
        drawn = random.choice(len(self.texts), POOL, replace=False)
        self.pool = Pool([self.texts[place] for place in drawn])

    def run(self, setting: Setting, seed: int) -> Outcome:
        """One seed of one setting."""
        from shopkeeper.core.types import CannotSay
        from shopkeeper.tasks.guarantee import calibrate, grid

        random = np.random.default_rng([seed, setting.train, setting.calibration])
        told = flipped(self.labels, setting.noise, random)
        order = random.permutation(len(self.texts))
        calibration = order[: setting.calibration]
        candidates = order[setting.calibration : setting.calibration + CANDIDATES]
        student = self._taught(setting, candidates, told, seed)
        sure, said = answers(student, [self.texts[place] for place in calibration])
        unlabelled = answers(student, [self.texts[place] for place in candidates])[0]
        found = calibrate(
            sure,
            said == told[calibration],
            grid(unlabelled, setting.calibration),
            alpha=setting.alpha,
            delta=DELTA,
        )
        threshold = 2.0 if isinstance(found, CannotSay) else found.threshold
        return self._judged(setting, student, threshold, random)

    def _taught(
        self, setting: Setting, candidates: NDArray[np.int64], told: NDArray[np.int64], seed: int
    ) -> object:
        from shopkeeper.tasks.choosing import choose
        from shopkeeper.tasks.student import Student

        texts = [self.texts[place] for place in candidates]
        labels = [str(label) for label in told[candidates]]

        def fit(places: Sequence[int]) -> Student:
            given = [texts[place] for place in places], [labels[place] for place in places]
            if setting.plain:
                return Student.fit("plain", *given, names=NAMES)
            return self.pool.student("pooled", *given, names=NAMES)

        if setting.plain:
            return fit(range(setting.train))
        taken = list(range(round(setting.train * RANDOM_SHARE)))
        for left in range(ROUNDS, 0, -1):
            count = (setting.train - len(taken)) // left
            chosen = choose(fit(taken), texts, count, random_share=0, taken=taken, seed=seed)
            taken += [choice.place for choice in chosen]
        return fit(taken)

    def _judged(
        self, setting: Setting, student: object, threshold: float, random: np.random.Generator
    ) -> Outcome:
        from shopkeeper.core.types import Estimate
        from shopkeeper.tasks.guarantee import audited

        sure, said = answers(student, self.test_texts)
        served = sure >= threshold
        told = flipped(self.test_labels, setting.noise, random)
        wrong, wrong_people = said != told, said != self.test_labels
        accuracy = float(1 - wrong_people.mean())
        if not served.any():
            return Outcome(0.0, 0.0, 0.0, accuracy, True)
        places = random.choice(np.flatnonzero(served), min(AUDITED, int(served.sum())), False)
        audit = audited(~wrong_people[places], DELTA)
        true = float(wrong_people[served].mean())
        kept = isinstance(audit, Estimate) and audit.low <= true <= audit.high
        return Outcome(float(served.mean()), float(wrong[served].mean()), true, accuracy, kept)


def split() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Reviews with their labels: all but the test part, and the test part; duplicates dropped."""
    seen: set[str] = set()
    rest: list[tuple[str, str]] = []
    test: list[tuple[str, str]] = []
    path = DATA / "online-shopping" / "online_shopping_10_cats.csv"
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            text = unicodedata.normalize("NFKC", row["review"]).strip()
            if text and text not in seen:
                seen.add(text)
                part = int(hashlib.sha256(text.encode()).hexdigest(), 16) % 5
                (rest if part else test).append((row["review"], row["label"]))
    return rest, test


def flipped(
    labels: NDArray[np.int64], noise: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """The labels as a teacher gives them who errs with this chance."""
    return np.where(random.random(len(labels)) < noise, 1 - labels, labels)


def answers(student: object, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """How sure the student is of each text, and what it says."""
    from shopkeeper.tasks.student import Student

    assert isinstance(student, Student)
    chances = student.probabilities(texts)
    return chances.max(axis=1), chances.argmax(axis=1)


_WORLD: list[World] = []


def _one(job: tuple[Setting, int]) -> Outcome:
    return _WORLD[0].run(*job)


def main() -> None:
    """Measure in a process whose numeric libraries use one thread, for there are two of it."""
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    print(child(["-m", "bench.cascade"]).output)


def measure() -> None:
    """Measure and record."""
    _WORLD.append(World())
    noisy = [
        Setting("noisy_5", 1_000, 3_000, 0.10, 0.05),
        Setting("noisy_10", 1_000, 3_000, 0.15, 0.10),
    ]
    plain = [
        Setting("plain.1000", 600, 400, plain=True),
        Setting("plain.1000_3000", 1_000, 3_000, plain=True),
    ]
    jobs = [
        *((setting, SEEDS) for setting in (SMALL, LARGE)),
        *((setting, NOISY_SEEDS) for setting in noisy),
        *((setting, PLAIN_SEEDS) for setting in plain),
    ]
    results: dict[str, list[Outcome]] = {}
    with multiprocessing.get_context("fork").Pool(WORKERS) as workers:
        for setting, seeds in jobs:
            work = [(setting, seed) for seed in range(seeds)]
            results[setting.name] = workers.map(_one, work, chunksize=2)
            print(setting.name, rows(setting, results[setting.name])[0])
    recorded = [row for setting, _ in jobs for row in rows(setting, results[setting.name])]
    broken = [violations(setting, results[setting.name]) for setting in (SMALL, LARGE)]
    recorded.append(
        Row("cascade.violations", max(broken), min(broken), max(broken), "share of seeds",
            f"{SEEDS} seeds each; the larger of 1,000 labels and 1,000 + 3,000")
    )  # fmt: skip
    write("cascade", recorded, data="online-shopping, hash split of the design, seeds from 0 on")


def violations(setting: Setting, outcomes: Sequence[Outcome]) -> float:
    """The share of seeds whose served answers were wrong more often than promised."""
    return float(np.mean([one.error > setting.alpha for one in outcomes]))


def rows(setting: Setting, outcomes: Sequence[Outcome]) -> list[Row]:
    """The figures of one setting; low and high are the least and greatest of the seeds."""
    shares = [one.share for one in outcomes]
    errors = [one.error for one in outcomes if one.share]
    broken = violations(setting, outcomes)
    against = f"a teacher who errs {setting.noise:.0%}" if setting.noise else "the labels"
    note = (
        f"mean of {len(outcomes)} seeds; {setting.train} training + {setting.calibration} calibration; "
        f"alpha {setting.alpha:.0%} against {against}; error {np.mean(errors or [0]):.3f}; "
        f"above alpha in {broken:.1%} of seeds; accuracy {np.mean([o.accuracy for o in outcomes]):.3f}"
    )
    name = f"cascade.{setting.name}"
    found = [
        Row(f"{name}.local_share", round(float(np.mean(shares)), 4), round(min(shares), 4),
            round(max(shares), 4), "share", note)
    ]  # fmt: skip
    if setting.noise:
        people = [one.error_people for one in outcomes if one.share]
        kept = float(np.mean([one.audit_holds for one in outcomes]))
        found += [
            Row(f"{name}.violations", broken, broken, broken, "share of seeds", note),
            Row(f"{name}.audit_coverage", kept, kept, kept, "share of seeds",
                f"{AUDITED} served texts audited by people; error against people {np.mean(people):.3f}"),
        ]  # fmt: skip
    return found


if __name__ == "__main__":
    measure()
