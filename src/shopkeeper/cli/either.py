"""A command whose required options may stand in their place: ``items C1`` is ``items --customer-id C1``."""

from __future__ import annotations

from functools import partial
from typing import Any

from typer.core import TyperCommand


class Either(TyperCommand):
    """What stands without a name fills the required options that were not named, in their order."""

    def make_parser(self, ctx: Any) -> Any:
        """The parser, which then places what has no name."""
        parser = super().make_parser(ctx)
        placed = partial(_placed, parser.parse_args, self._required(ctx))
        parser.parse_args = placed  # type: ignore[method-assign]
        return parser

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The usage line shows the required ones by their place."""
        return [*super().collect_usage_pieces(ctx), *(f"{{{p.name}}}" for p in self._required(ctx))]

    def _required(self, ctx: Any) -> list[Any]:
        return [one for one in self.get_params(ctx) if one.required]


def _placed(
    parse: Any, required: list[Any], args: list[str]
) -> tuple[dict[str, Any], list[str], list[Any]]:
    named, left, order = parse(args=args)
    for one in required:
        if one.name in named or not left:
            continue
        named[one.name] = left if one.multiple else left[0]
        left = [] if one.multiple else left[1:]
        order.append(one)
    return named, left, order
