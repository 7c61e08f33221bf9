"""BERTopic on embeddings that it is given; runs in an environment of its own (see bench/themes.py).

Arguments: the input (.npz: embeddings; .txt beside it: one tokenised text a line, words joined by
blanks), the output (.json), numbers of topics joined by commas, the seed.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from bertopic import BERTopic
from hdbscan import HDBSCAN
from sklearn.feature_extraction.text import CountVectorizer
from umap import UMAP


def main() -> None:
    """Fit once for each number of topics; write the topics' words and each text's topic."""
    source, target, wanted, seed = sys.argv[1:]
    texts = Path(source).with_suffix(".txt").read_text("utf-8").split("\n")[:-1]
    embeddings = np.load(source)["embeddings"]
    told = [fitted(texts, embeddings, int(topics), int(seed)) for topics in wanted.split(",")]
    Path(target).write_text(json.dumps(told, ensure_ascii=False), "utf-8")


def fitted(texts: list[str], embeddings: np.ndarray, topics: int, seed: int) -> dict[str, object]:
    """One fit with the settings of BERTopic's own defaults; the least size is its author's."""
    started = time.perf_counter()
    model = BERTopic(
        language="multilingual",  # "english" would strip every letter but a to z from the texts
        umap_model=UMAP(
            n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed
        ),
        hdbscan_model=HDBSCAN(min_cluster_size=15, metric="euclidean", prediction_data=False),
        vectorizer_model=CountVectorizer(tokenizer=str.split, token_pattern=None, lowercase=False),
        nr_topics=topics + 1,  # one of them is its -1: texts without a topic
        top_n_words=10,
        calculate_probabilities=False,
    )
    assigned, _ = model.fit_transform(texts, embeddings)
    words = {int(n): [word for word, _ in model.get_topic(n)] for n in set(assigned)}
    seconds = time.perf_counter() - started
    return {"topics": words, "assigned": [int(n) for n in assigned], "seconds": seconds}


main()
