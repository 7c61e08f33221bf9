"""Operations of governance: what a customer may ask a shop to do with their data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from shopkeeper.core.operation import IRREVERSIBLE, READ, WRITE, Context, operation
from shopkeeper.core.plan import Step
from shopkeeper.governance.types import (
    Certificates,
    Erasure,
    Exported,
    Masking,
    Restrictions,
    Search,
    Swept,
)

Who = Annotated[list[str], Field(min_length=1, max_length=100)]
Texts = Annotated[tuple[str, ...], Field(max_length=1_000)]


@operation(effect=WRITE, example={"customer_id": "C1"})
def export(ctx: Context, customer_id: str) -> Exported:
    """Everything the shop has about one customer, as a ZIP of JSON in the shop's ``exports``.

    It takes the right to write and is audited: who asked for whose data must be known. The file says
    what each field means. Files there are removed after ``keep_exports_days``.
    """
    from shopkeeper.governance.exporting import export as write

    return write(ctx.shop, customer_id)


@operation(effect=WRITE, example={"customer_id": "C1"})
def restrict(ctx: Context, customer_id: str, reason: str = "asked for") -> Restrictions:
    """Keep a customer's data and use them no more: from now on no metric or list counts them by name.

    What they bought still counts in the totals. Restricting twice changes nothing.
    """
    from shopkeeper.governance.restricting import restrict as add

    return add(ctx.shop, customer_id, reason)


@operation(effect=WRITE, example={"customer_id": "C1"})
def unrestrict(ctx: Context, customer_id: str) -> Restrictions:
    """Use a customer's data again."""
    from shopkeeper.governance.restricting import unrestrict as lift

    return lift(ctx.shop, customer_id)


@operation(effect=READ, example={})
def restrictions(ctx: Context) -> Restrictions:
    """The customers whose data are kept and not used."""
    from shopkeeper.governance.restricting import listed

    return listed(ctx.shop)


def _plan(ctx: Context, who: Sequence[str]) -> Sequence[Step]:
    from shopkeeper.governance.erasing import plan

    return plan(ctx, who)


@operation(effect=IRREVERSIBLE, example={"who": ["C1"]}, job=True, plan=_plan)
def erase(ctx: Context, who: Who, confirm: str = "") -> Erasure:  # noqa: ARG001 - `run` compared it
    """The certificate of erasing customers from every store, table, file and log, with its proof.

    Without ``confirm`` it answers what would happen. Orders stay for their term under a pseudonym that
    nothing leads back from. A second call finishes what a crash interrupted.

    ``who`` are the customers' ids, up to a hundred: they are erased in one pass.
    """
    from shopkeeper.governance.erasing import erase as do

    return Erasure(certificate=do(ctx, who))


def _plan_anonymous(ctx: Context, who: Sequence[str]) -> Sequence[Step]:
    from shopkeeper.governance.erasing import plan

    return plan(ctx, who, keeps=True)


@operation(effect=IRREVERSIBLE, example={"who": ["C1"]}, job=True, plan=_plan_anonymous)
def anonymise(ctx: Context, who: Who, confirm: str = "") -> Erasure:  # noqa: ARG001 - `run` compared it
    """The certificate of making customers nobody: who they are goes, what they did stays in the counts.

    As `erase`, with the same plan, proof and certificate: ids, traits, texts, consent, messages, lists and
    free properties go everywhere. Events stay whole in number, time, item and amount, under a random
    pseudonym that nothing leads back from: orders, revenue, cohorts and active customers are as before.
    """
    from shopkeeper.governance.erasing import erase as do

    return Erasure(certificate=do(ctx, who, keeps=True))


@operation(effect=READ, example={"who": ["C1"]})
def verify_erasure(ctx: Context, who: Who) -> Search:
    """Where ids, e-mail addresses or other texts that name a customer still stand, everywhere decoded."""
    from shopkeeper.governance.search import search

    return search(ctx.shop, who)


@operation(effect=READ, example={})
def certificates(ctx: Context) -> Certificates:
    """The certificates of all erasures, the newest first."""
    from shopkeeper.governance.erasing import listed

    return listed(ctx.shop)


@operation(effect=READ, example={"texts": ["请回电 13800138000，王小明"]})
def mask(ctx: Context, texts: Texts = (), path: str = "") -> Masking:
    """Texts with masks in place of personal data, and how many pieces of which kind there were.

    ``path`` is a text file with one text a line, at most 5 MB; from outside this machine it is in the
    shop's inbox, for who may import it. Nothing is stored, and nothing leaves this machine.
    """
    from shopkeeper.governance.masking import masked

    return masked(ctx, texts, path)


def _past_term(ctx: Context) -> Sequence[Step]:
    from shopkeeper.governance.sweeping import plan

    return plan(ctx.shop)


@operation(effect=IRREVERSIBLE, example={}, job=True, plan=_past_term)
def sweep(ctx: Context, confirm: str = "") -> Swept:  # noqa: ARG001 - `run` compared it
    """What was past its term, by place: removed, or no longer anybody's.

    Without ``confirm`` it answers what would be. A plan holds until the end of the shop's day; a
    schedule of the owner's asks for it and confirms it (docs/privacy.md).
    """
    from shopkeeper.governance.sweeping import sweep as do

    return do(ctx.shop)
