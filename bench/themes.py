"""Themes: words beside BERTopic's on the same embeddings, a million texts, and a refit with a new theme.

What was chosen (thresholds, words, numbers) was chosen on the validation rows (hash of the design ==
1) of online-shopping and on AG News' alps_dev; the rows here are the others.
"""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.harness import DATA, HERE, Row, child, write
from shopkeeper.insight.themes import fitting, naming, space
from shopkeeper.insight.themes.mixture import NONE, presence, theme_counts
from shopkeeper.insight.themes.model import Model
from shopkeeper.insight.themes.words import Tongue, clean, words

SEEDS = (1, 2, 3)
TOPICS = (10, 20, 30, 40, 50)
SHOWN = 10
MILLION = 1_000_000
_PEER = HERE / "peers" / "bertopic"
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Texts:
    """A labelled set as lists of words."""

    name: str
    tongue: Tongue
    words: list[list[str]]
    labels: list[str]


def main() -> None:
    """Words, the million, the refits: about half an hour."""
    rows = [row for part in (_million, _refits, _words) for row in part()]
    for row in rows:
        print(row)
    write(
        "themes", rows, data="online-shopping (hash != 1), AG News (alps_test, test)", seeds=SEEDS
    )


def online_shopping() -> Texts:
    """Reviews of ten categories, without copies and without the validation rows."""
    found: dict[str, tuple[str, str]] = {}
    path = DATA / "online-shopping" / "online_shopping_10_cats.csv"
    with path.open(encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            key = unicodedata.normalize("NFKC", row["review"]).strip()
            part = int(hashlib.sha256(key.encode()).hexdigest(), 16) % 5
            if key and part != 1:
                found.setdefault(key, (row["review"], row["cat"]))
    return _texts("online_shopping", "zh", list(found.values()))


def ag_news() -> Texts:
    """News of four classes: the official test file and alps_test."""
    names = ("World", "Sports", "Business", "Sci/Tech")
    found: dict[str, tuple[str, str]] = {}
    with (DATA / "ag-news" / "test.csv").open(encoding="utf-8") as file:
        for number, title, body in csv.reader(file):
            found.setdefault(body, (f"{title}\n{body}", names[int(number) - 1]))
    for line in (DATA / "ag-news" / "alps_test.tsv").read_text("utf-8").splitlines():
        body, _, label = line.rpartition("\t")
        if body:
            found.setdefault(body, (body, label))
    return _texts("ag_news", "en", list(found.values()))


def _texts(name: str, tongue: Tongue, rows: Sequence[tuple[str, str]]) -> Texts:
    said = [words(clean(text), tongue) for text, _ in rows]
    return Texts(name, tongue, said, [label for _, label in rows])


def _words() -> Iterator[Row]:
    """NPMI and diversity of the ten words of each theme, beside BERTopic's."""
    python = _environment()
    for texts in (online_shopping(), ag_news()):
        ours: list[list[tuple[float, ...]]] = []
        theirs: list[list[tuple[float, ...]]] = []
        for seed in SEEDS:
            made = space.fit(texts.words, seed)
            if made is None:
                raise RuntimeError("no words")
            counts = made.counts(texts.words)
            vectors = made.embed(counts)
            inside = np.flatnonzero(vectors.any(axis=1))
            kept = Texts(
                texts.name,
                texts.tongue,
                [texts.words[n] for n in inside],
                [texts.labels[n] for n in inside],
            )
            peers = _bertopic(python, kept, vectors[inside], seed)
            ours.append([_ours(kept, k, seed) for k in TOPICS])
            theirs.append([_measured(kept, topics, labels) for topics, labels in peers])
        columns = ("npmi", "diversity", "nmi", "with_theme", "npmi_plain_words")
        for which, runs in (("", ours), ("_bertopic", theirs)):
            for place, column in enumerate(columns[: len(runs[0][0])]):
                values = [float(np.mean([one[place] for one in run])) for run in runs]
                note = f"mean over {', '.join(map(str, TOPICS))} topics"
                yield Row.of(f"themes.{texts.name}.{column}{which}", values, "", note)


def _ours(texts: Texts, k: int, seed: int) -> tuple[float, ...]:
    people = [str(n) for n in range(len(texts.words))]
    fitted = fitting.fit(texts.words, people, seed, k=k)
    if not isinstance(fitted, fitting.Fitted):
        raise RuntimeError(fitted.reason)
    counts = theme_counts(fitted.present, fitted.labels, len(fitted.mixture.evidence))
    chosen = [[fitted.words[n] for n in row] for row in naming.chosen(counts, fitted.present)]
    plain = np.argsort(-naming.relevance(counts), axis=1)[:, :SHOWN]
    listed = [[fitted.words[n] for n in row] for row in plain]
    return (*_measured(texts, chosen, fitted.labels), coherence(listed, texts.words))


def _measured(texts: Texts, topics: list[list[str]], labels: Labels) -> tuple[float, ...]:
    shown = [one[:SHOWN] for one in topics]
    diversity = len({w for one in shown for w in one}) / sum(map(len, shown))
    inside = labels != NONE
    gold = np.unique(texts.labels, return_inverse=True)[1]
    agreement = _nmi(gold[inside], labels[inside])
    return coherence(shown, texts.words), diversity, agreement, float(inside.mean())


def coherence(topics: Sequence[Sequence[str]], texts: Sequence[Sequence[str]]) -> float:
    """Mean NPMI of each two of a topic's words within a text of the set, averaged over topics."""
    places = {w: n for n, w in enumerate(sorted({w for one in topics for w in one}))}
    found = [[places[w] for w in text if w in places] for text in texts]
    table = naming.npmi(presence(space.counted(found, len(places))))
    means = []
    for one in topics:
        rows = [places[w] for w in one]
        pairs = table[np.ix_(rows, rows)][np.triu_indices(len(rows), 1)]
        means.append(float(pairs.mean()))
    return float(np.mean(means))


def _nmi(gold: Labels, labels: Labels) -> float:
    """Normalised mutual information (by the mean of the entropies) with the set's own classes."""
    both = np.zeros((int(gold.max()) + 1, int(labels.max()) + 1))
    np.add.at(both, (gold, labels), 1)
    both /= both.sum()
    rows, columns = both.sum(axis=1), both.sum(axis=0)
    apart = np.outer(rows, columns)
    some = both > 0
    shared = float((both[some] * np.log(both[some] / apart[some])).sum())
    entropy = sum(float(-(p[p > 0] * np.log(p[p > 0])).sum()) for p in (rows, columns))
    return 2 * shared / entropy


def _environment() -> Path:
    """The Python of BERTopic's own environment, made the first time."""
    folder = _PEER / ".venv"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "-r", str(_PEER / "requirements.txt")], check=True)
        subprocess.run([*pip, "--no-deps", "bertopic==0.17.4"], check=True)
    return python


def _bertopic(
    python: Path, texts: Texts, vectors: space.Vectors, seed: int
) -> list[tuple[list[list[str]], Labels]]:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.json"
        np.savez(source, embeddings=vectors)
        lines = "".join(" ".join(text) + "\n" for text in texts.words)
        source.with_suffix(".txt").write_text(lines, "utf-8")
        wanted = ",".join(map(str, TOPICS))
        subprocess.run([python, _PEER / "run.py", source, target, wanted, str(seed)], check=True)
        for told in json.loads(target.read_text("utf-8")):
            topics = [row for name, row in told["topics"].items() if name != "-1"]
            found.append((topics, np.array(told["assigned"])))
    return found


def _million() -> Iterator[Row]:
    """A million short texts, repeated and varied from both sets, through a shop's own operation."""
    runs = [child(["-m", "bench.themes_million", str(seed)], cwd=HERE.parent) for seed in SEEDS]
    told = [json.loads(run.output.strip().splitlines()[-1]) for run in runs]
    yield Row.of("themes.1m.seconds", [t["seconds"] for t in told], "s", "insight.update_themes")
    yield Row.of("themes.1m.cpu_seconds", [t["cpu"] for t in told], "s")
    yield Row.of("themes.1m.peak_mb", [t["peak_mb"] for t in told], "MB", "of the whole process")


def _refits() -> Iterator[Row]:
    """Each class of each set in turn is new: ten parts in a hundred more texts, half of them of it."""
    stable: list[float] = []
    recall: list[float] = []
    for texts in (online_shopping(), ag_news()):
        for fresh in sorted(set(texts.labels)):
            found = [refit(texts, fresh, seed) for seed in SEEDS]
            kept, recalled = (float(np.median([f[n] for f in found])) for n in (0, 1))
            stable.append(kept)
            recall.append(recalled)
            print(f"{texts.name} {fresh}: kept {kept:.3f}, recall of the new {recalled:.3f}")
    note = "each of 14 classes in turn, 3 seeds each"
    yield Row.of("themes.refit.stable_share", stable, "share", note)
    yield Row.of("themes.refit.new_theme_recall", recall, "share", note)


def refit(texts: Texts, fresh: str, seed: int) -> tuple[float, float]:
    """Shares: of old texts that keep their theme's id (or none), of new ones that one new id has."""
    chance = np.random.default_rng(seed)
    labels = np.array(texts.labels)
    inside, others = (
        chance.permutation(np.flatnonzero(m)) for m in (labels == fresh, labels != fresh)
    )
    half = min(len(inside), int(len(others) / 21))
    chosen = np.concatenate([others[: 20 * half], others[20 * half : 21 * half], inside[:half]])
    rows = [texts.words[n] for n in chosen]
    old, people = 20 * half, [str(n) for n in chosen]
    first = fitting.fit(rows[:old], people[:old], seed)
    if not isinstance(first, fitting.Fitted):
        raise RuntimeError(first.reason)
    ids = tuple(str(n) for n in range(len(first.mixture.evidence)))
    before = Model(texts.tongue, first.words, first.mixture, ids).assign(rows)[0]
    since = np.arange(len(rows)) >= old
    second = fitting.fit(rows, people, seed + 100, known=fitting.Known(before, since))
    if not isinstance(second, fitting.Fitted):
        raise RuntimeError(second.reason)
    numbers = np.where(
        second.came_from == NONE, 1000 + np.arange(len(second.came_from)), second.came_from
    )
    after = np.where(second.labels == NONE, NONE, numbers[second.labels])
    new = after[-half:]
    sizes = np.unique(new[new >= 1000], return_counts=True)[1]
    return float(np.mean(after[:old] == before[:old])), float(sizes.max(initial=0) / half)


if __name__ == "__main__":
    main()
