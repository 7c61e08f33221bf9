"""A version on disk says what the fitted mixture said, by the recipe that each head was fitted with."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.recommend.test_recommend_heads import LIGHT, checkerboard

from shopkeeper.core import discovery
from shopkeeper.core.errors import Corrupt
from shopkeeper.recommend.heads.base import FittedHead, past
from shopkeeper.recommend.heads.ease import Ease
from shopkeeper.recommend.heads.sequence import FittedSequence, Sequence
from shopkeeper.recommend.mixture import BUCKETS, Mixture
from shopkeeper.recommend.published import Published, load, publish
from shopkeeper.tasks import arrays

AT = datetime(2026, 11, 1, tzinfo=UTC)
HISTORY, GOODS = checkerboard()
SIZE = len(HISTORY.item_ids)


def _published(folder: Path, heads: dict[str, FittedHead]) -> Path:
    weights = np.full((len(BUCKETS), len(heads)), 1 / len(heads))
    mixture = Mixture(heads, dict.fromkeys(heads, 1.0), weights)
    none = np.zeros(SIZE, dtype=bool)
    return folder / publish(folder, Published("", mixture, HISTORY.item_ids, none, 1, 0), AT)


def _loaded(folder: Path, name: str, fitted: FittedHead) -> FittedHead:
    return load(_published(folder, {name: fitted})).mixture.heads[name]


def _dense(found: Any) -> Any:
    return found if isinstance(found, np.ndarray) else found.toarray()


@pytest.mark.parametrize("name", LIGHT)
def test_a_head_by_a_recipe_of_ones_own_says_the_same_from_disk(tmp_path: Path, name: str) -> None:
    recipe = discovery.load("shopkeeper.recommend.heads", name, what="head").HEAD()
    numbers = {"float": 0.25, "float | None": 0.25, "int": 7}
    values = {f.name: numbers[str(f.type)] for f in fields(recipe) if f.init and f.type in numbers}
    changed = replace(recipe, **values)
    assert changed != recipe
    fitted = changed.fit(HISTORY, GOODS)
    found = _loaded(tmp_path, name, fitted)
    assert getattr(found, "recipe", changed) == changed
    queries, _ = past(HISTORY)
    np.testing.assert_allclose(
        _dense(found.affinities(queries)), _dense(fitted.affinities(queries)), rtol=1e-6
    )


def test_a_transformer_of_another_depth_and_length_says_the_same_from_disk(tmp_path: Path) -> None:
    recipe = Sequence(width=8, layers=2, length=6, attention_heads=2, tell=print)
    drawn = np.random.default_rng(3)
    sizes: dict[str, tuple[int, ...]] = {"items": (SIZE + 1, 8), "positions": (6, 8)}
    sizes |= {"end.weight": (8,), "end.bias": (8,)}
    for layer in ("layer0.", "layer1."):
        square = ("query", "key", "value", "out", "attend_gate", "feed_gate")
        sizes |= {f"{layer}{one}": (8, 8) for one in square}
        sizes |= {f"{layer}feed_in": (8, 32), f"{layer}feed_out": (16, 8)}
        norms = ("attend.weight", "attend.bias", "feed.weight", "feed.bias")
        sizes |= {f"{layer}{one}": (8,) for one in norms}
    weights = {name: drawn.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    fitted = FittedSequence(weights, recipe)
    found = _loaded(tmp_path, "sequence", fitted)
    assert isinstance(found, FittedSequence)
    assert found.recipe == recipe
    queries, _ = past(HISTORY)
    np.testing.assert_allclose(found.affinities(queries), fitted.affinities(queries))


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"procedure": 1}, id="another procedure"),
        pytest.param({"momentum": 0.5}, id="a parameter that is not known"),
        pytest.param({"width": "wide"}, id="no number"),
    ],
)
def test_a_recipe_of_another_release_is_refused(tmp_path: Path, told: dict[str, Any]) -> None:
    weights = {"items": np.zeros((SIZE + 1, 4), np.float32)}
    at = _published(tmp_path, {"sequence": FittedSequence(weights, Sequence(width=4))})
    card, parts = arrays.load(at, "recommend.mixture")
    card["recipes"]["sequence"] |= told
    arrays.save(at, card, parts)
    with pytest.raises(Corrupt, match="another release") as raised:
        load(at)
    assert "recommend fit" in str(raised.value.hint)


def test_a_version_whose_recipes_were_told_in_words_is_refused(tmp_path: Path) -> None:
    at = _published(tmp_path, {"ease": Ease().fit(HISTORY, GOODS)})
    card, parts = arrays.load(at, "recommend.mixture")
    arrays.save(at, card | {"recipes": {"ease": repr(Ease())}}, parts)
    with pytest.raises(Corrupt, match="another release"):
        load(at)
