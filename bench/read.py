"""Students on public sets: accuracy, speed on one core, size, and peers in the same run.

Online-shopping: hash split of the design, fitted on everything but the test part. SST-2: fitted on the
training phrases and the published development phrases, tested on the 872 of GLUE's dev. THUCNews titles,
Weibo, phone and camera polarity (one reader for both, the aspect marked), Dianping triples and SemEval-14
triples: the published parts. Settings were chosen on validation data cut from the training parts. Speed is
the whole way from strings to answers, in CPU seconds of one thread. SnowNLP, VADER and scikit-learn run in
an environment of their own, made by this benchmark.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.cascade import split
from bench.harness import DATA, HERE, Row, child, write

if TYPE_CHECKING:
    from shopkeeper.tasks.marks import Mention
    from shopkeeper.tasks.student import Student, StudentSettings

RUNS = 5
PEERS = HERE / "peers" / ".venv"
NEEDS = ("snownlp==0.12.3", "vaderSentiment==3.3.2", "scikit-learn>=1.9,<2", "setuptools<81")
Pairs = list[tuple[str, str]]


def main() -> None:
    """Measure in a process whose numeric libraries use one thread."""
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    print(child(["-m", "bench.read"]).output)


def measure() -> None:
    """Measure and record."""
    shopping = split()
    rows = [*_shopping(*shopping), *_sst2(), *_plain("thucnews"), *_plain("weibo")]
    rows += [*_products(), *_triples("dianping"), *_triples("semeval")]
    rows += _peer("snownlp", "online_shopping", [], shopping[1])
    rows += _peer("tfidf_svc", "online_shopping", *shopping)
    rows += _peer("vader", "sst2", [], _tabbed("sst2/test.tsv"))
    write(
        "read",
        rows,
        data="online-shopping, SST-2, THUCNews, Weibo, phone and camera, Dianping, SemEval-14",
    )


def _shopping(train: Pairs, test: Pairs) -> list[Row]:
    student, seconds = _fit(train)
    texts = [text for text, _ in test]
    student.answer(texts[:1000])
    speeds = []
    for _ in range(RUNS):
        started = time.process_time()
        student.answer(texts)
        speeds.append(len(texts) / (time.process_time() - started))
    with tempfile.TemporaryDirectory() as folder:
        student.save(Path(folder) / "student")
        size = sum(path.stat().st_size for path in (Path(folder) / "student").iterdir())
    note = f"{len(train)} training, {len(test)} test; fitted in {seconds:.1f} CPU s; {size / 1e6:.1f} MB"
    return [
        _accuracy("read.online_shopping.accuracy", student, test, note),
        Row.of(
            "read.online_shopping.texts_per_s", speeds, "texts/s", "strings to answers, one core"
        ),
        _calibration("read.online_shopping.ece", student, test),
    ]


def _sst2() -> list[Row]:
    from shopkeeper.tasks.features import NgramHasher
    from shopkeeper.tasks.student import StudentSettings

    test = _tabbed("sst2/test.tsv")
    held = {text for text, _ in test}
    train = [*_tabbed("sst2/train.tsv"), *_tabbed("sst2/dev.tsv")]
    hasher = NgramHasher(sizes=(1, 2, 3), letters=SST2_LETTERS, bits=22)
    settings = StudentSettings(hasher=hasher, least=1, ridges=(SST2_RIDGE,))
    student, seconds = _fit([pair for pair in train if pair[0] not in held], settings)
    return [_accuracy("read.sst2.accuracy", student, test, f"fitted in {seconds:.1f} CPU s")]


SST2_LETTERS: tuple[int, ...] = (3, 4, 5)
SST2_RIDGE = 0.3


def _plain(name: str) -> list[Row]:
    if name == "thucnews":
        train, test = (
            _tabbed("thucnews-titles/train_reconstructed.txt"),
            _tabbed("thucnews-titles/test.txt"),
        )
    else:
        train, test = _commas("weibo-senti/train.txt"), _commas("weibo-senti/test.txt")
    student, seconds = _fit(train)
    note = f"{len(train)} training, {len(test)} test; fitted in {seconds:.1f} CPU s"
    return [_accuracy(f"read.{name}.accuracy", student, test, note)]


def _products() -> list[Row]:
    from shopkeeper.tasks.features import NgramHasher
    from shopkeeper.tasks.student import StudentSettings

    folders = ("103.camera/camera", "107.phone/phone")
    train = [pair for name in folders for pair in _marked(f"absa-zh-products/{name}.train.txt")]
    test = [pair for name in folders for pair in _marked(f"absa-zh-products/{name}.test.txt")]
    settings = StudentSettings(
        hasher=NgramHasher(sizes=(1, 2, 3, 4), bits=20), ridges=(PRODUCTS_RIDGE,)
    )
    student, _ = _fit(train, settings)
    note = f"polarity of the marked aspect; {len(train)} training, {len(test)} test"
    return [_accuracy("read.phone_camera.accuracy", student, test, note)]


PRODUCTS_RIDGE = 0.1


def _triples(name: str) -> list[Row]:
    from shopkeeper.tasks.spans import SpanReader

    folder = {"dianping": "absa-zh-restaurants", "semeval": "absa-en-restaurants/aste"}[name]
    train, test = (_mentions(DATA / folder / f"{part}.txt", name) for part in ("train", "test"))
    started = time.process_time()
    reader = SpanReader.fit(name, *train)
    fitted = time.process_time()
    answers = reader.answer(test[0])
    speed = len(test[0]) / (time.process_time() - fitted)
    found = right = wanted = 0
    for text, answer, mentions in zip(test[0], answers, test[1], strict=True):
        got = {
            (s.start, s.end, s.opinion, s.polarity)
            for s in answer.value or ()
            if not isinstance(s, str)
        }
        gold = {
            (*(m.aspect or (-1, -1)), text[slice(*(m.opinion or (0, 0)))], m.polarity)
            for m in mentions
        }
        found, right, wanted = found + len(got), right + len(got & gold), wanted + len(gold)
    f1 = 2 * right / (found + wanted)
    note = (
        f"exact aspect, opinion and polarity; precision {right / max(1, found):.3f}, recall "
        f"{right / wanted:.3f}; fitted in {fitted - started:.0f} CPU s, {speed:,.0f} texts/s"
    )
    return [Row.of(f"read.{name}.triples_f1", [round(f1, 4)], "F1", note)]


def _fit(train: Pairs, settings: StudentSettings | None = None) -> tuple[Student, float]:
    from shopkeeper.tasks.student import Student

    started = time.process_time()
    texts, labels = [text for text, _ in train], [label for _, label in train]
    student = Student.fit("student", texts, labels, settings=settings)
    return student, time.process_time() - started


def _accuracy(name: str, student: Student, test: Pairs, note: str) -> Row:
    right = [
        a.value == label
        for a, (_, label) in zip(student.answer([t for t, _ in test]), test, strict=True)
    ]
    return _share(name, right, note)


def _share(name: str, right: Sequence[bool], note: str) -> Row:
    """The share right, with its 95 % interval as low and high."""
    value = float(np.mean(right))
    half = 1.96 * (value * (1 - value) / len(right)) ** 0.5
    return Row(
        name, round(value, 4), round(value - half, 4), round(value + half, 4), "accuracy", note
    )


def _calibration(name: str, student: Student, test: Pairs) -> Row:
    from shopkeeper.tasks.calibration import calibration_error

    answers = student.answer([text for text, _ in test])
    sure = np.array([answer.confidence for answer in answers])
    right = np.array(
        [answer.value == label for answer, (_, label) in zip(answers, test, strict=True)]
    )
    error = round(calibration_error(sure, right), 4)
    return Row.of(name, [error], "ECE", "15 bins of equal count")


def _peer(peer: str, name: str, train: Pairs, test: Pairs) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        question = Path(folder) / "question.json"
        asked: dict[str, Any] = {"peer": peer, "train": train, "test": [text for text, _ in test]}
        question.write_text(json.dumps(asked), "utf-8")
        script = HERE / "peers" / "read_peers.py"
        done = subprocess.run(
            [str(_environment()), str(script), str(question)],
            capture_output=True,
            text=True,
            check=True,
        )
    told = json.loads(done.stdout)
    right = [label == said for (_, label), said in zip(test, told["labels"], strict=True)]
    speed = len(test) / told["seconds"]
    note = f"fitted in {told['fit_seconds']:.1f} CPU s" if train else "as shipped"
    return [
        _share(f"read.{name}.accuracy.{peer}", right, note),
        Row.of(f"read.{name}.texts_per_s.{peer}", [round(speed, 1)], "texts/s", "one core"),
    ]


def _environment() -> Path:
    python = PEERS / "bin" / "python"
    if not python.exists():
        venv.create(PEERS, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *NEEDS], check=True)
    return python


def _tabbed(path: str) -> Pairs:
    lines = (DATA / path).read_text("utf-8").splitlines()
    pairs = [line.rsplit("\t", 1) for line in lines if "\t" in line]
    return [(text.strip(), label) for text, label in pairs if label != "label"]


def _commas(path: str) -> Pairs:
    lines = (DATA / path).read_text("utf-8").splitlines()
    rows = [line.split(",", 2) for line in lines if line.count(",") >= 2]
    return [(text, label) for _, label, text in rows]


def _marked(path: str) -> Pairs:
    from shopkeeper.tasks.about import about

    lines = (DATA / path).read_text("utf-8").splitlines()
    pairs = []
    for text, thing, polarity in zip(lines[::3], lines[1::3], lines[2::3], strict=False):
        before, _, after = text.replace(" ", "").partition("$T$")
        word = thing.replace(" ", "")
        whole = before + word + after
        pairs.append((about(whole, len(before), len(before) + len(word)), polarity.strip()))
    return pairs


def _mentions(path: Path, name: str) -> tuple[list[str], list[list[Mention]]]:
    """Texts with their triples. Dianping gives first and last token, SemEval lists every token."""
    from shopkeeper.tasks.marks import Mention

    signs = {"POS": 1, "NEG": -1, "NEU": 0}
    glue = "" if name == "dianping" else " "
    texts, marked = [], []
    for line in path.read_text("utf-8").splitlines():
        words, _, triples = line.partition("####")
        tokens = words.split(" ")
        ends = np.cumsum([len(token) + len(glue) for token in tokens])
        texts.append(glue.join(tokens))

        def place(
            at: Sequence[int], tokens: list[str] = tokens, ends: Any = ends
        ) -> tuple[int, int] | None:
            if at[0] < 0:
                return None
            return int(ends[at[0]]) - len(tokens[at[0]]) - len(glue), int(ends[at[-1]]) - len(glue)

        marked.append(
            [Mention(place(a), place(o), signs[p]) for a, o, p in ast.literal_eval(triples)]
        )
    return texts, marked


if __name__ == "__main__":
    measure()
