"""What `experiments` can do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.core.settings import Language
from shopkeeper.experiments.types import (
    Assigned,
    Design,
    Experiment,
    Experiments,
    Holdout,
    Metrics,
    Name,
    Planning,
    Result,
    Shown,
)

Share = Annotated[float, Field(ge=0, le=0.5)]
Power = Annotated[float, Field(ge=0.5, le=0.99, description="chance to show it if it is so large")]
Arms = Annotated[int, Field(ge=2, le=10, description="variants, the control included")]
Known = Annotated[bool | None, Field(description="whether you know the end date")]
Units = Annotated[tuple[str, ...], Field(min_length=1, max_length=100_000)]
Words = Annotated[str, Field(min_length=1, max_length=1000)]
Effect = Annotated[float, Field(gt=-1, lt=10, description="relative change hoped for: 0.1 is 10 %")]
_EXAMPLE = {"name": "A new checkout", "primary": "conversion", "units": 20000}


@operation(effect=READ, example={})
def metrics(ctx: Context) -> Metrics:  # noqa: ARG001 - every operation is given its context
    """The measures that an experiment can name; a design may define more."""
    from shopkeeper.experiments.catalogue import READY

    return Metrics(metrics=tuple(READY.values()))


@operation(effect=READ, example={"metric": "orders", "effect": 0.1, "end_known": True})
def plan(
    ctx: Context,
    metric: str = "conversion",
    effect: Effect = 0.1,
    arms: Arms = 2,
    power: Power = 0.8,
    end_known: Known = None,
    lang: Language = "en",
) -> Planning:
    """How many customers and days each way of ending needs, from how customers behaved lately.

    For an error of 5 %. The answer to one question, do you know the end date, decides what is recommended.
    """
    from shopkeeper.experiments.planning import plan as verb

    return verb(ctx.shop, metric, effect, (arms, power), end_known, lang)


@operation(effect=WRITE, example={"experiment_id": "checkout-1", "design": _EXAMPLE})
def create(ctx: Context, experiment_id: Name, design: Design) -> Experiment:
    """A draft of an experiment; nobody is assigned before it is started."""
    from shopkeeper.experiments.running import create as verb

    return verb(ctx.shop, ctx.actor.name, experiment_id, design)


@operation(effect=WRITE, example={"experiment_id": "checkout-1"})
def start(ctx: Context, experiment_id: str) -> Experiment:
    """Let a draft run: it takes its share of its layer, and assigns whom it is asked about."""
    from shopkeeper.experiments.running import start as verb

    return verb(ctx.shop, ctx.actor.name, experiment_id)


@operation(effect=WRITE, example={"experiment_id": "checkout-1", "reason": "the offer ended"})
def stop(ctx: Context, experiment_id: str, reason: Words) -> Experiment:
    """End a running experiment; nobody is assigned any more, and its result stays."""
    from shopkeeper.experiments.running import stop as verb

    return verb(ctx.shop, ctx.actor.name, experiment_id, reason)


@operation(
    effect=WRITE,
    example={"experiment_id": "checkout-1", "shares": {"control": 0.2, "treatment": 0.8}},
)
def reshare(
    ctx: Context, experiment_id: str, shares: dict[str, Annotated[float, Field(gt=0, le=1)]]
) -> Experiment:
    """Give the variants other shares; who has one keeps it, and the analysis begins anew without them."""
    from shopkeeper.experiments.running import reshare as verb

    return verb(ctx.shop, ctx.actor.name, experiment_id, shares)


@operation(effect=WRITE, example={"experiment_id": "checkout-1", "customers": ["C1"]})
def assign(ctx: Context, experiment_id: str, customers: Units, exposed: bool = False) -> Assigned:
    """Which variant each customer gets; the same for good. With exposed, also record that they saw it."""
    from shopkeeper.experiments.running import assign as verb

    return verb(ctx.shop, experiment_id, customers, exposed=exposed)


@operation(effect=READ, example={})
def list_(ctx: Context) -> Experiments:
    """All experiments, the newest first, and the standing hold-out."""
    from shopkeeper.experiments.running import listed

    return listed(ctx.shop)


@operation(effect=READ, example={"experiment_id": "checkout-1"})
def show(ctx: Context, experiment_id: str) -> Shown:
    """One experiment as it was designed, and what was done to it."""
    from shopkeeper.experiments.running import shown

    return shown(ctx.shop, experiment_id)


@operation(effect=READ, example={"experiment_id": "checkout-1"})
def result(ctx: Context, experiment_id: str, lang: Language = "en") -> Result:
    """What an experiment says by its own rule, with every look, or why it cannot say it yet."""
    from shopkeeper.experiments.result import result as verb

    return verb(ctx.shop, experiment_id, lang)


@operation(effect=WRITE, example={"share": 0.05, "reason": "to see what all campaigns do together"})
def hold_out(ctx: Context, share: Share, reason: Words) -> Holdout:
    """Hold a share of customers out of every experiment and campaign; a larger one keeps who was in it."""
    from shopkeeper.experiments.running import hold_out as verb

    return verb(ctx.shop, ctx.actor.name, share, reason)
