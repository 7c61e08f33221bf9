"""Operations of the simulation."""

from __future__ import annotations

from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.simulate.types import Built, Scenarios


@operation(effect=WRITE, example={"scenario": "quiet", "seed": 7, "events": 20_000}, job=True)
def build(
    ctx: Context, scenario: str = "default", seed: int = 1, events: int | None = None
) -> Built:
    """Fill an empty shop with a simulated one whose truth is known and kept beside the tables.

    ``scenario`` is a name that ``scenarios`` lists, or the path of a .toml file; ``events`` is the
    number of events to aim at, in place of the scenario's.
    """
    from shopkeeper.simulate.build import build as build_shop

    return build_shop(ctx, scenario, seed, events)


@operation(effect=READ)
def scenarios(ctx: Context) -> Scenarios:  # noqa: ARG001 - every operation is given one
    """The scenarios that come with Shopkeeper."""
    from shopkeeper.simulate import scenario

    return Scenarios(scenarios={name: scenario.load(name).description for name in scenario.names()})
