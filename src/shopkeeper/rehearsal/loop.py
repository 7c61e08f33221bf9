"""Plays the loop: segment, words, approval, campaign, sending, reactions, and the result beside the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from shopkeeper.campaigns.operations import results
from shopkeeper.campaigns.types import Results
from shopkeeper.core.errors import Conflict, NotAllowed
from shopkeeper.core.operation import Context
from shopkeeper.core.settings import Language
from shopkeeper.core.types import Estimate
from shopkeeper.rehearsal import acting
from shopkeeper.rehearsal.stage import Stage, staged
from shopkeeper.rehearsal.truth import true_effects
from shopkeeper.rehearsal.types import Beside, Loop, Played
from shopkeeper.shop.shop import Shop
from shopkeeper.simulate.again import truth_folder
from shopkeeper.store.campaigns import Campaigns

_ACTS: Final = 10
_COST: Final = 0.05
"""Of a message, in the shop's money: about what an e-mail costs."""


class Memory:
    """What earlier rehearsals of this shop have made, by act: each is done once."""

    def __init__(self, shop: Shop) -> None:
        self._path = Path(truth_folder(shop)) / "rehearsal.json"
        self._known: dict[str, Any] = {}
        if self._path.is_file():
            self._known = json.loads(self._path.read_text("utf-8"))

    def __getitem__(self, name: str) -> str:
        return str(self._known[name])

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def steps(self) -> list[Played]:
        """The steps that were played, in order."""
        played = [Played.model_validate(one) for one in self._known.get("steps", [])]
        return [one.model_copy(update={"before": True}) for one in played]

    def keep(self, step: Played, **ids: str) -> Played:
        """Remember a step and the ids that it made."""
        steps = [*self._known.get("steps", []), step.model_dump()]
        self._known |= {**ids, "steps": steps}
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._known, ensure_ascii=False, indent=2) + "\n", "utf-8")
        fresh.replace(self._path)
        return step


def loop(ctx: Context, days: int, hold_out: float, segment: str, lang: Language) -> Loop:
    """Play what has not been played yet; say all of it.

    Raises:
        NotAllowed: somebody who is not at this machine asks: invented people approve and confirm.
        Conflict: the shop was not simulated.
        LeaseHeld: it is being served.
    """
    if ctx.actor.kind != "local":
        raise NotAllowed(
            "A rehearsal invents people who approve and confirm.",
            hint="Run it on the command line of the machine that holds the shop.",
        )
    with staged(ctx.shop.folder) as stage:
        memory = Memory(stage.shop)
        steps = memory.steps()
        design = {"hold_out": hold_out, "window_days": days, "cost_per_message": _COST}
        for done, step in enumerate(_prepared(stage, memory, design, segment, lang)):
            steps.append(step)
            ctx.progress(done, _ACTS, step.act)
        steps += _lived(ctx, stage, memory)
        if "advised_again" not in memory:
            steps.append(memory.keep(acting.advise(stage.shop, lang), advised_again="yes"))
        return _told(stage, memory, steps, lang)


def _prepared(
    stage: Stage, memory: Memory, design: dict[str, Any], segment: str, lang: Language
) -> Iterator[Played]:
    """From the segment to the confirmed campaign; what was done before is left out."""
    shop = stage.shop
    if "advised" not in memory:
        yield memory.keep(acting.advise(shop, lang), advised="yes")
    if "segment" not in memory:
        segment_id, step = acting.make_segment(shop, segment or acting.QUIET, lang)
        yield memory.keep(step, segment=segment_id)
    if "item" not in memory:
        item, step = acting.look(shop, memory["segment"])
        yield memory.keep(step, item=item)
    if "template" not in memory:
        found = acting.make_template(shop, memory["segment"], memory["item"])
        template_id, wrote, approved = found
        yield memory.keep(wrote)
        yield memory.keep(approved, template=template_id)
    if "campaign" not in memory:
        told = {
            "name": "回来看看" if lang == "zh" else "Come back",
            "segment_id": memory["segment"],
            "templates": [{"template_id": memory["template"]}],
            **design,
        }
        campaign_id, step = acting.make_campaign(shop, told)
        yield memory.keep(step, campaign=campaign_id)
    campaign_id = memory["campaign"]
    if Campaigns(shop.database).get(campaign_id).status == "draft":
        yield memory.keep(acting.try_dry(shop, campaign_id, lang))
        yield memory.keep(acting.confirm_it(shop, campaign_id))


def _lived(ctx: Context, stage: Stage, memory: Memory) -> list[Played]:
    """Let it be sent, and the customers live until the last window is over."""
    if "lived" in memory:
        return []
    shop, campaign_id = stage.shop, memory["campaign"]
    stage.act()
    first, window = stage.played, _window(shop, campaign_id)
    # The day of sending, as many as the window is long, and one for those whose message left a day later.
    total = window + 2
    events = 0
    while stage.played < _begun(shop, stage, campaign_id) + total:
        ctx.progress(stage.played - first, total, f"customers react: {stage.today}")
        events += stage.day().events.num_rows
    found = results(Context(shop, acting.AUTHOR), campaign_id=campaign_id)
    sent: dict[str, int | float | str] = {
        one.reason or one.state: one.messages for one in found.deliveries
    }
    people: dict[str, int | float | str] = {one.kind: one.people for one in found.responses}
    machines = sum(one.machines for one in found.responses)
    days = stage.played - first
    reacted = Played(
        act="reaction",
        what=f"{days} days",
        figures={"events": events, **people, "by_machines": machines},
    )
    return [
        memory.keep(Played(act="sending", what=f"{campaign_id} through file", figures=sent)),
        memory.keep(reacted, lived=stage.today.isoformat()),
    ]


def _window(shop: Shop, campaign_id: str) -> int:
    return int(Campaigns(shop.database).get(campaign_id).design["window_days"])


def _begun(shop: Shop, stage: Stage, campaign_id: str) -> int:
    """The number of the played day on which the campaign was launched."""
    at = Campaigns(shop.database).get(campaign_id).launched_at
    if at is None:
        raise Conflict(f"{campaign_id} was not launched.", hint="See: campaigns show.")
    return (at.astimezone(shop.settings.zone).date() - stage.onward.date(stage.onward.first)).days


def _told(stage: Stage, memory: Memory, steps: list[Played], lang: Language) -> Loop:
    campaign_id = memory["campaign"]
    found = results(Context(stage.shop, acting.AUTHOR), campaign_id=campaign_id, lang=lang)
    verdict = found.verdict
    headline = verdict.headline if verdict.kind == "verdict" else verdict.reason
    return Loop(
        campaign_id=campaign_id,
        today=stage.today,
        steps=tuple(steps),
        beside=beside(stage.shop, found),
        headline=headline,
    )


def beside(shop: Shop, found: Results) -> tuple[Beside, ...]:
    """Each measure of the campaign's variants as it is reported, beside the truth."""
    told: list[Beside] = []
    effects = true_effects(shop, found.campaign.campaign_id) or ()
    truths = {(one.variant_id, one.measure): one.lift for one in effects}
    for arm in found.arms:
        primary = found.campaign.design.primary
        reported = {primary: arm.difference, "revenue": arm.revenue, "margin": arm.margin}
        for measure, said in reported.items():
            truth = truths.get((arm.variant_id, measure))
            if truth is None:
                continue
            holds = said.low <= truth <= said.high if isinstance(said, Estimate) else None
            told.append(
                Beside(
                    variant_id=arm.variant_id,
                    measure=measure,
                    reported=said,
                    truth=truth,
                    holds=holds,
                )
            )
    return tuple(told)
