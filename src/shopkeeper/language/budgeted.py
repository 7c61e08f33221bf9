"""A hard cap on what a model may cost: held back before each try, settled by what it really took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from shopkeeper.core.errors import BadInput, ModelFailed, ShopkeeperError
from shopkeeper.language import tokens
from shopkeeper.language.types import BILLIONTHS, Backend, Price, Reply, Request
from shopkeeper.store.spending import Caps, Held, Spending

_MARGIN = timedelta(seconds=60)


class Budgeted:
    """A backend that is not asked where its answer could cost more than is left."""

    def __init__(
        self, backend: Backend, ledger: Spending, caps: Caps, month: Callable[[], str]
    ) -> None:
        """``month`` names the month that it is now, as ``2026-11``.

        Raises:
            BadInput: nobody said what the backend costs.
        """
        self.backend = backend
        self._ledger = ledger
        self._caps = caps
        self._month = month
        self._price = declared(backend.name, backend.price)

    @property
    def name(self) -> str:
        return self.backend.name

    @property
    def remote(self) -> bool:
        return self.backend.remote

    @property
    def price(self) -> Price | None:
        return self._price

    def complete(self, request: Request) -> Reply:
        """The backend's reply with its cost.

        Raises:
            OverBudget: it could cost more than is left; the backend was not asked.
        """
        sent, written = tokens.most_of(request)
        held = self._ledger.reserve(
            self._caps,
            {"month": self._month(), "model": self.name, "purpose": request.purpose},
            tokens=sent + written,
            billionths=self._price.billionths(sent, written),
            lasts=2 * timedelta(seconds=request.timeout) + _MARGIN,
        )
        try:
            reply = self.backend.complete(request)
        except ModelFailed as error:
            self._failed(held, error, sent)
            raise
        except ShopkeeperError:
            self._ledger.release(held)  # it was not asked
            raise
        cost = self._settle(held, reply.tokens_in, reply.tokens_out)
        return replace(reply, cost=cost / BILLIONTHS)

    def close(self) -> None:
        """Close the backend."""
        self.backend.close()

    def _failed(self, held: Held, error: ModelFailed, sent: int) -> None:
        if error.tokens_in is None or error.tokens_out is None:
            self._ledger.settle_in_full(
                held, sent
            )  # a cap that is hard counts what may have been charged
        elif error.tokens_in or error.tokens_out:
            self._settle(held, error.tokens_in, error.tokens_out)
        else:
            self._ledger.release(held)

    def _settle(self, held: Held, tokens_in: int, tokens_out: int) -> int:
        cost = self._price.billionths(tokens_in, tokens_out)
        self._ledger.settle(held, tokens_in=tokens_in, tokens_out=tokens_out, billionths=cost)
        return cost


def declared(name: str, price: Price | None) -> Price:
    """The price of the backend of that name.

    Raises:
        BadInput: nobody said what it costs; says how to.
    """
    if price is not None:
        return price
    model = name.partition(":")[2]
    raise BadInput(
        f"What {name} costs is not known, so no budget can hold it.",
        hint=f'Add to shopkeeper.toml, under [model_prices]: "{model}" = [SENT, WRITTEN], each for a million '
        "tokens in the shop's currency; [0, 0] where it is free.",
        field="model_prices",
    )
