"""Peers of the text readers, run by an environment of their own: texts in, labels and seconds out.

Called with a JSON file: {"peer": "snownlp" | "vader" | "tfidf_svc", "train": [[text, label]], "test":
[text]}; answers with JSON on its output: {"labels": [...], "seconds": reading, "fit_seconds": fitting}.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Read = Callable[[Sequence[str]], list[str]]


def snownlp(_train: Sequence[Sequence[str]]) -> Read:
    """SnowNLP's shipped sentiment model."""
    from snownlp import SnowNLP  # type: ignore[import-not-found]

    return lambda texts: ["1" if SnowNLP(text).sentiments > 0.5 else "0" for text in texts]


def vader(_train: Sequence[Sequence[str]]) -> Read:
    """VADER's compound score."""
    from vaderSentiment import vaderSentiment  # type: ignore[import-not-found]

    analyser = vaderSentiment.SentimentIntensityAnalyzer()
    return lambda texts: [
        "1" if analyser.polarity_scores(text)["compound"] > 0 else "0" for text in texts
    ]


def tfidf_svc(train: Sequence[Sequence[str]]) -> Read:
    """Character 1-3-gram TF-IDF with a linear support vector machine, by scikit-learn."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True)
    model: Any = make_pipeline(vectors, LinearSVC())
    model.fit([text for text, _ in train], [label for _, label in train])
    return lambda texts: [str(label) for label in model.predict(texts)]


def main() -> None:
    """Answer one question."""
    asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    peers = {"snownlp": snownlp, "vader": vader, "tfidf_svc": tfidf_svc}
    started = time.process_time()
    read = peers[asked["peer"]](asked["train"])
    fitted = time.process_time()
    labels = read(asked["test"])
    seconds = time.process_time() - fitted
    print(json.dumps({"labels": labels, "seconds": seconds, "fit_seconds": fitted - started}))


if __name__ == "__main__":
    main()
