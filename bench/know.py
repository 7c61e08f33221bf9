"""What is known of customers: worth on CDNOW, churn and look-alikes on Online Retail, clusters and noise.

Everything was chosen on earlier windows (CDNOW: inside its first 39 weeks; Online Retail: cut-offs two to six
months before the end); what is measured here was held out. About ten minutes on one core.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from bench.harness import DATA, HERE, Row, child, write
from shopkeeper.core.period import Days
from shopkeeper.core.types import CannotSay
from shopkeeper.customers.clusters.clustering import find
from shopkeeper.customers.clusters.subjects import subject
from shopkeeper.customers.lookalike.likeness import Lift, lift
from shopkeeper.customers.predict.activity import SUMS, Activity, activity, purchases
from shopkeeper.customers.predict.features import Features, features
from shopkeeper.customers.predict.health import held_out
from shopkeeper.customers.predict.orders import Orders
from shopkeeper.customers.predict.tastes import baskets, learned, with_baskets
from shopkeeper.customers.predict.windows import model_at
from shopkeeper.shop import Shop

Floats = NDArray[np.float64]

WEEKS = 39 * 7
HORIZON = 60
SEEDS = (1, 2, 3)
NOISES = 100
LISTS = 8
DRAWS = 1000
CLEAR = 0.7
SCENARIO = "events = 250000\ncustomers = 3000\ndays = 365\nfirst_day = 2024-07-01\n"

_PEER = HERE / "peers" / "lifetimes"


def main() -> None:
    """Measure and record."""
    rows = [*cdnow(), *online_retail(), *noise(), *simulated()]
    write("know", rows, data="CDNOW, UCI Online Retail, simulated shops, noise", seeds=SEEDS)


def cdnow() -> Iterator[Row]:
    """Transactions per customer in weeks 40 to 78, learned from the first 39, beside `lifetimes`."""
    seen = _cdnow()
    started = time.process_time()
    past = seen.before(WEEKS)
    known, expected = Orders.fit(past, WEEKS).expected(past, WEEKS, WEEKS)
    seconds = time.process_time() - started
    real = seen.within(WEEKS, WEEKS).buying().total()[known.places]
    peer = _lifetimes(past)
    ratios = _paired_ratio(expected - real, peer - real)
    total = expected.sum() / real.sum()
    note = (
        f"RMSE {_rmse(expected - real):.4f} beside {_rmse(peer - real):.4f}; {seconds:.0f} CPU s; "
        "interval: customers resampled"
    )
    yield Row("clv.cdnow.rmse_ratio", *ratios, "ratio", note)
    share = f"of what was bought; lifetimes {peer.sum() / real.sum():.3f}"
    yield Row(
        "clv.cdnow.total_ratio", round(total, 4), round(total, 4), round(total, 4), "ratio", share
    )


def online_retail() -> Iterator[Row]:
    """Who will not buy in the last 60 days, and look-alikes of who bought what was new in them."""
    file = DATA / "online-retail" / "online_retail.parquet"
    with tempfile.TemporaryDirectory() as folder:
        cli = ["-m", "shopkeeper.cli.main", "--shop", f"{folder}/shop"]
        child([*cli, "init", "--name", "r", "--time-zone", "Europe/London", "--currency", "GBP"])
        child([*cli, "import", str(file), "--mapping", "online-retail"])
        with Shop.open(f"{folder}/shop") as shop:
            span = shop.span()
            assert span is not None
            seen = activity(shop, span)
            rows = baskets(shop, span, seen)
            yield from _churn(seen, rows, span)
            yield from _retail_lists(seen, rows, span)


def noise() -> Iterator[Row]:
    """How often noise of four kinds is said to have no clusters."""
    none = sum(isinstance(find(values, seed), CannotSay) for seed, values in enumerate(_noises()))
    share = none / NOISES
    note = "uniform, normal, correlated, heavy-tailed; 1,000 rows of 6 columns"
    yield Row("clusters.noise.none_share", share, share, share, "share", note)


def simulated() -> Iterator[Row]:
    """Clusters and look-alikes in simulated shops whose customers' tastes are known."""
    agreed: list[tuple[float, float]] = []
    found: list[Lift] = []
    others: list[float] = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            scenario = Path(folder) / "tastes.toml"
            scenario.write_text(SCENARIO, "utf-8")
            cli = ["-m", "shopkeeper.cli.main", "--shop", f"{folder}/shop"]
            child([*cli, "init", "--name", "s", "--time-zone", "UTC", "--currency", "CNY"])
            build = ["simulate", "build", "--scenario", str(scenario), "--seed", str(seed)]
            child([*cli, *build])
            truth = pq.read_table(f"{folder}/shop/truth/customers.parquet")
            with Shop.open(f"{folder}/shop") as shop:
                agreed.append(_clusters(shop, truth))
                one = _taste_list(shop, truth, seed)
                found.append(one)
                others.append(one.rfm)
    clear = "against the favourite category of those who have one (a true share of at least .7)"
    yield Row.of("clusters.simulated.ari_one_taste", [one for one, _ in agreed], "ARI", clear)
    everybody = "of everybody, most of whom like two or three categories alike"
    yield Row.of("clusters.simulated.ari", [one for _, one in agreed], "ARI", everybody)
    note = f"nearest in RFM {np.median(others):.2f}; least gain {min(one.gain_low for one in found):.2f}"
    yield Row(
        "lookalike.simulated.lift",
        round(float(np.median([one.value for one in found])), 3),
        round(min(one.low for one in found), 3),
        round(max(one.high for one in found), 3),
        "times",
        note,
    )


def _cdnow() -> Activity:
    text = (DATA / "cdnow" / "CDNOW_master.txt").read_text("utf-8").splitlines()[1:]
    parts = [line.split() for line in text]
    ids, customer = np.unique([part[0] for part in parts], return_inverse=True)
    stamps = np.array([f"{p[1][:4]}-{p[1][4:6]}-{p[1][6:]}" for p in parts], "datetime64[D]")
    day = (stamps - np.datetime64("1997-01-01")).astype(np.int64)
    key, place = np.unique(customer.astype(np.int64) * 100_000 + day, return_inverse=True)
    sums = dict.fromkeys(SUMS, np.zeros(len(key)))
    for name, column in (("units", 2), ("revenue", 3)):
        values = np.array([float(part[column]) for part in parts])
        sums[name] = np.bincount(place, values, len(key)).astype(np.float64)
    ones = np.ones(len(key))
    sums |= {"orders": ones, "lines": ones, "events": ones}
    return Activity(tuple(ids.tolist()), key // 100_000, key % 100_000, sums)


def _lifetimes(past: Activity) -> Floats:
    _, given = purchases(past, WEEKS)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "given.npz", Path(folder) / "told.npz"
        last, age = given.last / 7, given.age / 7
        np.savez(source, horizon=WEEKS / 7, repeats=given.repeats, last=last, age=age)
        subprocess.run([_environment(), _PEER / "run.py", source, target], check=True)
        expected: Floats = np.load(target)["expected"]
        return expected


def _environment() -> Path:
    """The Python of the peer's environment, which is made where it is missing."""
    python = _PEER / ".venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", _PEER / ".venv"], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "-r", str(_PEER / "requirements.txt")], check=True)
    return python


def _rmse(errors: Floats) -> float:
    return float(np.sqrt((errors**2).mean()))


def _paired_ratio(ours: Floats, theirs: Floats) -> tuple[float, float, float]:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(ours), (DRAWS, len(ours)))
    drawn = np.sqrt((ours[rows] ** 2).mean(axis=1) / (theirs[rows] ** 2).mean(axis=1))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return round(_rmse(ours) / _rmse(theirs), 4), round(float(low), 4), round(float(high), 4)


def _churn(seen: Activity, rows: pa.Table, span: Days) -> Iterator[Row]:
    found = held_out(seen, rows, span, HORIZON)
    assert found.auc is not None and found.auc_rfm is not None and found.ece is not None  # noqa: PT018
    assert found.gain_low is not None and found.gain_high is not None  # noqa: PT018
    note = f"{found.customers} customers; AUC {found.auc:.4f}, RFM logistic {found.auc_rfm:.4f}"
    gain = found.auc - found.auc_rfm
    low, high = round(found.gain_low, 4), round(found.gain_high, 4)
    yield Row("churn.online_retail.auc_gain_low", low, low, high, "AUC", f"gain {gain:.4f}; {note}")
    ece = round(found.ece, 4)
    yield Row("churn.online_retail.ece", ece, ece, ece, "share", note)


def _retail_lists(seen: Activity, rows: pa.Table, span: Days) -> Iterator[Row]:
    """Lists: who, of the customers known before, bought one of the items first sold in the last 60 days."""
    cut = span.end - timedelta(days=HORIZON - 1)
    found = _lists(seen, rows, cut.toordinal(), pa.scalar(cut))
    mean = {key: float(np.mean([getattr(one, key) for one in found])) for key in ("value", "rfm")}
    low, high, gain = (
        float(np.mean([getattr(o, k) for o in found])) for k in ("low", "high", "gain_low")
    )
    note = f"mean of {len(found)} lists; nearest in RFM {mean['rfm']:.2f}; gain from {gain:.2f}"
    value, low, high = (round(one, 3) for one in (mean["value"], low, high))
    yield Row("lookalike.online_retail.lift", value, low, high, "times", note)


def _lists(seen: Activity, rows: pa.Table, cut: int, day: pa.Scalar) -> list[Lift]:
    before = rows.filter(pc.less(rows["day"], day))
    after = rows.filter(pc.greater_equal(rows["day"], day))
    new = after.filter(pc.invert(pc.is_in(after["item_id"], before["item_id"].combine_chunks())))
    known = _features(seen, before, cut)
    place = {one: n for n, one in enumerate(seen.ids[p] for p in known.places.tolist())}
    buyers = new.group_by("item_id").aggregate([("customer_id", "count_distinct")])
    order = buyers.sort_by([("customer_id_count_distinct", "descending"), ("item_id", "ascending")])
    found: list[Lift] = []
    for item in order["item_id"].to_pylist():
        who = new.filter(pc.equal(new["item_id"], item))["customer_id"].to_pylist()
        seeds = np.zeros(len(known.places), bool)
        seeds[[place[one] for one in who if one in place]] = True
        measured = lift(known, seeds)
        if isinstance(measured, Lift):
            found.append(measured)
        if len(found) == LISTS or seeds.sum() < 10:
            break
    return found


def _features(seen: Activity, rows: pa.Table, cut: int) -> Features:
    whole = with_baskets(seen, rows, learned(rows)).before(cut)
    return features(whole, cut, model_at(whole, cut), 90)


def _noises() -> Iterator[Floats]:
    rng = np.random.default_rng(11)
    mixed = rng.normal(size=(6, 6))
    for number in range(NOISES):
        kind = number % 4
        normal = rng.normal(size=(1000, 6))
        if kind == 0:
            yield rng.random((1000, 6))
        elif kind == 1:
            yield normal
        elif kind == 2:
            yield normal @ mixed
        else:
            yield rng.standard_t(2.5, size=(1000, 6))


def _clusters(shop: Shop, truth: pa.Table) -> tuple[float, float]:
    """Agreement with the favourite category: of customers with a clear one, and of everybody."""
    given = subject(shop, "tastes")
    assert not isinstance(given, CannotSay), given
    found = find(given.values)
    if isinstance(found, CannotSay):
        return 0.0, 0.0
    weights, place = _tastes(truth)
    kept = [n for n, one in enumerate(given.ids) if one in place]
    mine = weights[[place[given.ids[n]] for n in kept]]
    said, favourite = found.nearest(given.values[kept]), mine.argmax(axis=1)
    clear = mine.max(axis=1) >= CLEAR
    return (
        float(adjusted_rand_score(favourite[clear], said[clear])),
        float(adjusted_rand_score(favourite, said)),
    )


def _tastes(truth: pa.Table) -> tuple[Floats, dict[str, int]]:
    columns = [name for name in truth.column_names if name.startswith("category_")]
    weights = np.column_stack([truth[name].to_numpy() for name in columns]).astype(np.float64)
    return weights, {one: n for n, one in enumerate(truth["customer_id"].to_pylist())}


def _taste_list(shop: Shop, truth: pa.Table, seed: int) -> Lift:
    """A list of 120 buyers who truly love the last category."""
    span = shop.span()
    assert span is not None
    seen = activity(shop, span)
    known = _features(seen, baskets(shop, span, seen), span.end.toordinal() + 1)
    weights, place = _tastes(truth)
    ids = [seen.ids[p] for p in known.places.tolist()]
    love = np.array([weights[place[one], -1] if one in place else 0.0 for one in ids])
    chosen = np.random.default_rng(seed).permutation(np.flatnonzero(love > 0.5))[:120]
    seeds = np.zeros(len(ids), bool)
    seeds[chosen] = True
    measured = lift(known, seeds)
    assert isinstance(measured, Lift), measured
    return measured
