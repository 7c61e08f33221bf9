"""The transformer: trained by PyTorch where it is installed, served by NumPy, resumed when interrupted."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.recommend.test_recommend_release import _catalogue, _rows
from tests.stall import stock

from shopkeeper.core.errors import MissingExtra
from shopkeeper.recommend.heads.base import Goods, Queries, past
from shopkeeper.recommend.heads.sequence import FittedSequence, Sequence, padded, suited
from shopkeeper.recommend.history import DAY_MS, History
from shopkeeper.recommend.operations import fit, items
from shopkeeper.recommend.published import load
from shopkeeper.recommend.serving import folder
from shopkeeper.shop import Shop

TORCH = importlib.util.find_spec("torch") is not None
trains = pytest.mark.skipif(not TORCH, reason="the extra `train` is not installed")
TINY = Sequence(width=16, layers=2, attention_heads=2, length=12, epochs=4, patience=9, batch=32)
ITEMS = 30


def _history(customers: int = 60, length: int = 14) -> History:
    """Everybody walks along the items from a place of their own."""
    random = np.random.default_rng(2)
    first = random.integers(0, ITEMS, customers)
    item = (first[:, None] + np.arange(length)) % ITEMS
    gaps = random.integers(1, 40, (customers, length)).cumsum(axis=1) * DAY_MS // 4
    return History(
        np.repeat(np.arange(customers), length),
        item.ravel(),
        gaps.ravel(),
        np.ones(customers * length),
        pa.array([f"c{n}" for n in range(customers)]),
        pa.array([f"i{n}" for n in range(ITEMS)]),
    )


def _network(recipe: Sequence) -> Any:
    """A network whose weights are drawn: what is compared is the arithmetic."""
    import torch  # noqa: PLC0415 - only where it is installed

    from shopkeeper.recommend.network import Network  # noqa: PLC0415

    torch.manual_seed(1)
    network = Network(ITEMS, recipe).eval()
    with torch.no_grad():
        for name, weights in network.named_parameters():
            if name.endswith("distance"):
                weights.copy_(torch.randn(weights.shape))
    return network


@trains
@pytest.mark.parametrize(("layers", "distances"), [(1, False), (1, True), (2, True)])
def test_numpy_says_what_pytorch_says(*, layers: int, distances: bool) -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    recipe = replace(TINY, layers=layers, distances=distances)
    network = _network(recipe)
    fitted = FittedSequence(network.arrays(), recipe)
    queries, _ = past(_history())
    item = padded(queries, np.arange(len(queries)), recipe.length)
    with torch.no_grad():
        state = network(torch.from_numpy(item))[:, -1]
        expected = (state @ network.items.weight[1:].T).numpy()
    own, says = fitted.state(queries)
    assert says.all()
    np.testing.assert_allclose(own @ fitted.table.T, expected, atol=1e-4)


@trains
def test_a_customer_gets_the_same_alone_as_among_others() -> None:
    recipe = replace(TINY, distances=True)
    fitted = FittedSequence(_network(recipe).arrays(), recipe)
    drawn = np.random.default_rng(0)
    lengths = drawn.integers(0, 30, 50)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    rows = int(starts[-1])
    queries = Queries(
        starts,
        drawn.integers(0, ITEMS, rows),
        np.sort(drawn.integers(0, 90, rows)) * DAY_MS,
        np.ones(rows),
        np.full(50, 91 * DAY_MS),
    )
    together = fitted.affinities(queries)
    assert isinstance(together, np.ndarray)
    for place in range(50):
        alone = fitted.affinities(queries.part(place, place + 1))
        assert isinstance(alone, np.ndarray)
        np.testing.assert_allclose(alone[0], together[place], rtol=1e-3, atol=1e-5)


@trains
def test_a_training_that_was_interrupted_ends_as_one_that_was_not(tmp_path: Path) -> None:
    history, told = _history(), []
    whole = TINY.fit(history, Goods.unknown(ITEMS)).weights

    def interrupt(message: str) -> None:
        told.append(message)
        if len(told) == 2:
            raise KeyboardInterrupt

    stopped = replace(TINY, checkpoints=tmp_path, tell=interrupt)
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(history, Goods.unknown(ITEMS))
    assert len(list(tmp_path.iterdir())) == 1
    resumed = replace(TINY, checkpoints=tmp_path, tell=told.append)
    again = resumed.fit(history, Goods.unknown(ITEMS)).weights
    assert len(told) == TINY.epochs
    for name, value in whole.items():
        np.testing.assert_allclose(again[name], value, atol=1e-6, err_msg=name)


@trains
def test_the_loss_and_its_gradients_are_those_of_cross_entropy() -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    from shopkeeper.recommend.likelihood import whole  # noqa: PLC0415

    torch.manual_seed(3)
    items = torch.nn.Embedding(ITEMS + 1, 8)
    state = torch.randn(300, 8, requires_grad=True)
    target = torch.randint(0, ITEMS, (300,))
    losses = [
        whole(state, items, target),
        torch.nn.functional.cross_entropy(state @ items.weight[1:].T, target),
    ]
    found = [(one, *torch.autograd.grad(2 * one, [state, items.weight])) for one in losses]
    for own, expected in zip(*found, strict=True):
        torch.testing.assert_close(own, expected)


@trains
def test_a_drawn_catalogue_says_about_what_the_whole_says() -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    from shopkeeper.recommend.likelihood import Drawn, whole  # noqa: PLC0415

    torch.manual_seed(4)
    random = np.random.default_rng(4)
    many = 50_000
    items = torch.nn.Embedding(many + 1, 8)
    state, target = 0.3 * torch.randn(64, 8), torch.randint(0, many, (64,))
    drawn = Drawn((many * random.random(20_000) ** 3).astype(np.int64), many, random)
    with torch.no_grad():
        exact = float(whole(state, items, target))
        found = [float(drawn(state, items, target)) for _ in range(40)]
    error = float(np.std(found)) / 40**0.5
    assert abs(np.mean(found) - exact) < max(4 * error, 0.02)
    assert np.std(found) < 0.1


@trains
def test_a_large_catalogue_is_learned_from_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    from shopkeeper.recommend import likelihood, training  # noqa: PLC0415

    for module in (likelihood, training):
        monkeypatch.setattr(module, "DENSE", ITEMS - 1)
    told: list[str] = []
    recipe = replace(TINY, epochs=12, dropout=0.0, tell=told.append)
    fitted = recipe.fit(_history(300), Goods.unknown(ITEMS))
    assert float(told[-1].split("NDCG@10 ")[1].split()[0]) > 0.8
    queries, _ = past(_history())
    found = fitted.affinities(queries)
    assert isinstance(found, np.ndarray)
    following = (queries.item[queries.starts[1:] - 1] + 1) % ITEMS
    assert (found.argmax(axis=1) == following).mean() > 0.8


@trains
def test_a_shop_fits_publishes_and_serves_it(shop: Shop) -> None:
    stock(shop, _rows(), _catalogue())
    told = fit(shop, sequence=True)
    assert "sequence" in {head.name for head in told.heads}
    mixture = load(folder(shop) / str(told.version)).mixture
    assert isinstance(mixture.heads["sequence"], FittedSequence)
    assert mixture.confidence is not None
    assert mixture.confidence.slopes.shape == (len(mixture.heads), len(mixture.heads))
    sure = {head.name: head.when_sure for head in told.heads}
    assert sure == pytest.approx(
        dict(zip(mixture.heads, np.exp(np.diag(mixture.confidence.slopes)), strict=True)), abs=1e-4
    )
    reply = items(shop, "c1", k=3)
    assert reply.model == told.version
    assert {slot.item_id[:2] for slot in reply.slots} == {"t1"}
    assert not (folder(shop) / ".training").exists()


def test_the_recipe_follows_how_much_most_customers_choose() -> None:
    short, long = suited(_history(length=14)), suited(_history(length=60))
    assert short == Sequence()
    assert long.length > short.length
    assert long.distances
    some = _history(length=60)
    few = some.customer < 20
    mixed = replace(some, customer=some.customer[few], item=some.item[few], time=some.time[few])
    fourteen = _history(length=14)
    joined = replace(
        mixed,
        customer=np.concatenate([mixed.customer, fourteen.customer + 20]),
        item=np.concatenate([mixed.item, fourteen.item]),
        time=np.concatenate([mixed.time, fourteen.time]),
    )
    assert suited(joined) == short  # a few who choose much are not most
    nobody = np.zeros(0, np.int64)
    assert suited(replace(some, customer=nobody, item=nobody, time=nobody)) == short


def test_without_pytorch_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "shopkeeper.recommend.training", raising=False)
    with pytest.raises(MissingExtra, match="train"):
        TINY.fit(_history(), Goods.unknown(ITEMS))
