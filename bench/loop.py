"""How often a campaign's reported interval holds its true effect: whole loops on shops whose truth is known.

Each seed is a shop of its own: simulated, a segment, words approved by another person, a campaign with half
of its customers held out, sent through the channel ``file`` on the shop's simulated day, customers who react,
and what `campaigns results` then reports, beside both futures of every customer. A seed that was played is
kept in ``build/loop`` and not played again while the code that decides stays as it is.
"""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

from bench.harness import HERE, Row, write
from shopkeeper.campaigns.operations import results
from shopkeeper.core.operation import Context
from shopkeeper.core.settings import Settings
from shopkeeper.core.types import Estimate
from shopkeeper.rehearsal import acting
from shopkeeper.rehearsal.stage import staged
from shopkeeper.rehearsal.truth import true_effects
from shopkeeper.shop import Shop
from shopkeeper.simulate.operations import build
from shopkeeper.stats.binomial import lower, upper

SEEDS: Final = int(os.environ.get("LOOP_SEEDS", "200"))
PROCESSES: Final = int(os.environ.get("LOOP_PROCESSES", "2"))
WINDOW: Final = 7
_KEPT: Final = HERE.parent / "build" / "loop"
_DECIDES: Final = ("simulate", "rehearsal", "experiments", "campaigns", "decisions", "stats")
_MEASURES: Final = ("conversion", "revenue", "margin")
_SCENARIO: Final = (
    'name = "loop"\nevents = 16000\ncustomers = 1200\ndays = 40\nreviews = 0.0\nchats = 0.0\n'
)
_SEGMENT: Final = "orders >= 0"
_Z: Final = 1.959964


def main() -> None:
    """Play what has not been played, and record."""
    folder = _KEPT / _code()
    folder.mkdir(parents=True, exist_ok=True)
    missing = [seed for seed in range(SEEDS) if not (folder / f"{seed}.json").exists()]
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=fresh) as pool:
        work = pool.map(_kept, [(folder, seed) for seed in missing])
        for done, (seed, seconds) in enumerate(work, 1):
            print(f"{done} of {len(missing)}: seed {seed}, {seconds:.1f} s", flush=True)
    played = [json.loads((folder / f"{seed}.json").read_text("utf-8")) for seed in range(SEEDS)]
    write(
        "loop",
        _rows(played),
        data=f"simulated, {SEEDS} shops of 16,000 events",
        seeds=[0, SEEDS - 1],
    )


def _kept(asked: tuple[Path, int]) -> tuple[int, float]:
    """Play one seed and keep it; its processor seconds."""
    folder, seed = asked
    began = time.process_time()
    with tempfile.TemporaryDirectory() as where:
        told = play(Path(where), seed)
    path = folder / f"{seed}.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(told) + "\n", "utf-8")
    fresh.replace(path)
    return seed, time.process_time() - began


def play(where: Path, seed: int) -> dict[str, Any]:
    """One loop: by measure what was reported and what is true."""
    scenario, folder = where / "loop.toml", where / "shop"
    scenario.write_text(_SCENARIO, "utf-8")
    with Shop.create(folder, Settings(time_zone="Asia/Shanghai", currency="CNY")) as shop:
        build(shop, scenario=str(scenario), seed=seed)
    with staged(folder) as stage:
        shop = stage.shop
        segment_id, _ = acting.make_segment(shop, _SEGMENT, "en")
        item, _ = acting.look(shop, segment_id)
        template_id, _, _ = acting.make_template(shop, segment_id, item)
        design = {
            "name": "Come back",
            "segment_id": segment_id,
            "templates": [{"template_id": template_id}],
            "hold_out": 0.5,
            "window_days": WINDOW,
        }
        campaign_id, _ = acting.make_campaign(shop, design)
        acting.confirm_it(shop, campaign_id)
        for _ in range(WINDOW + 2):
            stage.day()
        [arm] = results(Context(shop), campaign_id=campaign_id).arms
        truths = {one.measure: one for one in true_effects(shop, campaign_id) or ()}
    told: dict[str, Any] = {"seed": seed, "sent": arm.sent}
    reported = {"conversion": arm.difference, "revenue": arm.revenue, "margin": arm.margin}
    for measure, said in reported.items():
        if not isinstance(said, Estimate):
            raise RuntimeError(f"seed {seed}: {measure} cannot be said: {said.reason}")
        truth = truths[measure]
        told[measure] = {**said.model_dump(), "truth": truth.lift, "error": truth.error}
    return told


def _rows(played: list[dict[str, Any]]) -> list[Row]:
    units = {"conversion": "points", "revenue": "CNY a customer", "margin": "CNY a customer"}
    rows = []
    for measure in _MEASURES:
        found = [one[measure] for one in played]
        level = found[0]["level"]
        holds = sum(one["low"] <= one["truth"] <= one["high"] for one in found)
        low, high = lower(holds, len(found), 0.025), upper(holds, len(found), 0.025)
        name = "loop.lift_coverage" if measure == "conversion" else f"loop.coverage.{measure}"
        note = f"{holds} of {len(found)} intervals of {level:.1%} hold the truth"
        rows.append(
            Row(name, round(holds / len(found), 4), round(low, 4), round(high, 4), "share", note)
        )
        rows += _about(measure, found, units[measure])
    return rows


def _about(measure: str, found: list[dict[str, Any]], unit: str) -> list[Row]:
    """Bias and half-width of a measure's difference, conversion in percentage points."""
    scale = 100.0 if measure == "conversion" else 1.0
    misses = [scale * (one["value"] - one["truth"]) for one in found]
    halves = [scale * (one["high"] - one["low"]) / 2 for one in found]
    truths = [scale * one["truth"] for one in found]
    count = len(found)
    bias = sum(misses) / count
    spread = math.sqrt(sum((one - bias) ** 2 for one in misses) / max(count - 1, 1))
    half = _Z * spread / math.sqrt(count)
    mean = sum(truths) / count
    customers = sum(one["n"] for one in found) / count
    return [
        Row(
            f"loop.bias.{measure}",
            round(bias, 4),
            round(bias - half, 4),
            round(bias + half, 4),
            unit,
            f"reported less true; the mean true lift is {mean:.3f}",
        ),
        Row(
            f"loop.half_width.{measure}",
            round(sum(halves) / count, 4),
            round(min(halves), 4),
            round(max(halves), 4),
            unit,
            f"mean; {customers:,.0f} customers compared, spread of the estimates {spread:.3f}",
        ),
    ]


def _code() -> str:
    """The hash of the code that decides what is reported and what is true."""
    source = HERE.parent / "src" / "shopkeeper"
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for name in _DECIDES:
        for path in sorted((source / name).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


if __name__ == "__main__":
    main()
