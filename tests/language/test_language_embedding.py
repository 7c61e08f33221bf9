"""Texts as vectors, by an endpoint on loopback and by local weights; kept, within the budget."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.language.doubles import Served

from shopkeeper.core.errors import BadInput, ModelBusy, ModelFailed, NotFound, OverBudget
from shopkeeper.language.embedding import AT_ONCE, open_embedder
from shopkeeper.language.types import Price
from shopkeeper.models.embedding import FOLDER, embedded
from shopkeeper.shop import Shop

SPEC = "openai:scripted"
TEXTS = ["red tea", "green tea", "fishing rod", "red tea"]


def priced(shop: Shop, sent: float, **more: float) -> Shop:
    changed = {"model_prices": {"scripted": (sent, 0.0)}, **more}
    shop.settings = shop.settings.model_copy(update=changed)
    return shop


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_vectors_come_in_the_order_of_the_texts(served: Served) -> None:
    embedder = open_embedder(SPEC, {"scripted": Price(1.0, 0.0)})
    found = embedder.embed(TEXTS)
    embedder.close()
    assert found.vectors.shape == (4, 64)
    assert found.tokens > 0
    assert embedder.price == Price(1.0, 0.0)
    np.testing.assert_array_equal(found.vectors[0], found.vectors[3])
    assert cosine(found.vectors[0], found.vectors[1]) > cosine(found.vectors[0], found.vectors[2])
    assert served.asked[-1]["input"] == TEXTS


@pytest.mark.parametrize(
    ("order", "error", "words"),
    [
        ("key", ModelFailed, "key"),
        ("unknown", ModelFailed, "model"),
        ("short", ModelFailed, "4 texts"),
    ],
)
def test_what_the_endpoint_refuses_is_said(
    served: Served, order: str, error: type[Exception], words: str
) -> None:
    served.order(order)
    embedder = open_embedder(SPEC)
    with pytest.raises(error, match=words):
        embedder.embed(TEXTS)
    embedder.close()


def test_an_endpoint_that_nobody_runs_may_answer_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPKEEPER_OPENAI_URL", "http://127.0.0.1:9/v1")
    embedder = open_embedder(SPEC)
    with pytest.raises(ModelBusy, match="no vectors now"):
        embedder.embed(TEXTS)
    embedder.close()


def test_a_kind_without_vectors_says_so() -> None:
    for spec in ("house", "scripted:file", "openai:"):
        with pytest.raises(BadInput, match="makes no vectors"):
            open_embedder(spec)
    with pytest.raises(NotFound, match="no weights"):
        open_embedder("transformers:nowhere")


def test_local_weights_make_vectors(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="the extra `train` is not installed")
    from tests.language.tiny import save  # noqa: PLC0415 - needs the extra

    embedder = open_embedder(f"transformers:{save(tmp_path)}")
    found = embedder.embed(["tea", "a longer text about tea", "tea"])
    embedder.close()
    assert found.vectors.shape == (3, 32)
    np.testing.assert_allclose(found.vectors[0], found.vectors[2], rtol=1e-4, atol=1e-5)


def test_each_text_is_asked_once_and_booked(shop: Shop, served: Served) -> None:
    priced(shop, 1.0, model_budget=10.0)
    first = embedded(shop, SPEC, TEXTS)
    count = len(served.asked)
    again = embedded(shop, SPEC, [*TEXTS, "bread"])
    np.testing.assert_array_equal(first, again[:4])
    assert served.asked[count:][0]["input"] == ["bread"]
    assert len(served.asked) == count + 1
    assert embedded(shop, SPEC, []).shape[0] == 0
    (kept,) = (Path(shop.folder) / FOLDER).glob("*.npz")
    kept.write_bytes(b"broken")
    np.testing.assert_array_equal(embedded(shop, SPEC, TEXTS), first)


def test_a_budget_is_kept_and_what_was_answered_stays(shop: Shop, served: Served) -> None:
    with pytest.raises(BadInput, match="not known"):
        embedded(shop, SPEC, TEXTS)
    with pytest.raises(OverBudget):
        embedded(priced(shop, 1.0, model_budget=0.0), SPEC, TEXTS)
    priced(shop, 0.0)
    many = [f"text {n}" for n in range(AT_ONCE + 1)]
    served.order("good", "key")
    with pytest.raises(ModelFailed):
        embedded(shop, SPEC, many)
    count = len(served.asked)
    assert len(embedded(shop, SPEC, many)) == AT_ONCE + 1
    assert [len(body["input"]) for body in served.asked[count:]] == [1]
