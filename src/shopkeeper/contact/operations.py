"""Operations of reaching customers: how sending stands, what became of messages, whom not to reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from shopkeeper.contact.types import (
    Changed,
    Checked,
    MessageRecord,
    Messages,
    Rules,
    Sent,
    Status,
    Suppressed,
)
from shopkeeper.core.operation import READ, WRITE, Context, Effect, operation
from shopkeeper.core.plan import Step

Name = Annotated[str, Field(min_length=1, max_length=200)]
Customers = Annotated[tuple[Name, ...], Field(max_length=10_000)]


@operation(effect=READ)
def status(ctx: Context) -> Status:
    """How sending stands: messages by state, what holds them up, which channels are set up."""
    from shopkeeper.contact.looking import status

    return status(ctx.shop)


@operation(effect=READ, example={"channel": "email", "purpose": "marketing"})
def check(
    ctx: Context, channel: str, purpose: str = "marketing", customer_ids: Customers = ()
) -> Checked:
    """How many customers may be reached now on a channel, and how many not for which reason.

    Args:
        ctx: the shop.
        channel: email, sms, wechat, webhook or file.
        purpose: what for, as consent was given for it.
        customer_ids: whom; without, every customer of the shop.
    """
    from shopkeeper.contact.looking import check

    return check(ctx.shop, channel, purpose, customer_ids)


@operation(effect=READ, example={"state": "unknown"})
def outbox(
    ctx: Context,
    state: str = "",
    channel: str = "",
    step: str = "",
    customer_id: str = "",
    before: int | None = None,
) -> Messages:
    """Messages of the outbox, the newest first: of a state, channel, step or customer."""
    from shopkeeper.contact.looking import outbox

    where = {"state": state, "channel": channel, "step": step, "customer_id": customer_id}
    return outbox(ctx.shop, {k: v for k, v in where.items() if v}, before)


@operation(effect=READ, example={"message_id": "5f2b1a…"})
def message(ctx: Context, message_id: Name) -> MessageRecord:
    """One message with its words, every try and everything that came of it."""
    from shopkeeper.contact.looking import message

    return message(ctx.shop, message_id)


@operation(effect=READ, example={"address": "ann@example.com"})
def suppressed(ctx: Context, address: str = "", customer_id: str = "") -> Suppressed:
    """What stands against an address or a customer; the newest entries where neither is given."""
    from shopkeeper.contact.suppressing import suppressed

    return suppressed(ctx.shop, address, customer_id)


@operation(effect=WRITE, example={"customer_id": "C7"})
def suppress(
    ctx: Context, address: str = "", customer_id: str = "", channel: str = "", purpose: str = ""
) -> Changed:
    """Reach an address or a customer no more; on one channel or for one purpose, or at all.

    Args:
        ctx: the shop.
        address: an e-mail address or telephone number; kept as a keyed hash alone.
        customer_id: whose.
        channel: empty for all.
        purpose: empty for all, service messages among them.
    """
    from shopkeeper.contact.suppressing import suppress

    return suppress(ctx, {"address": address, "customer_id": customer_id}, channel, purpose)


@operation(effect=WRITE, example={"customer_id": "C7"})
def unsuppress(
    ctx: Context, address: str = "", customer_id: str = "", channel: str = ""
) -> Changed:
    """Remove what stands against an address or a customer. Their consent is needed all the same."""
    from shopkeeper.contact.suppressing import unsuppress

    return unsuppress(ctx.shop, address, customer_id, channel)


@operation(effect=WRITE, example={"name": "channel:email", "reason": "checking the template"})
def pause(ctx: Context, name: Name, reason: str = "") -> Changed:
    """Hold messages up; nothing is lost.

    Args:
        ctx: the shop.
        name: ``all``, ``channel:<name>``, ``step:<name>`` or ``campaign:<name>``.
        reason: shown to whoever looks.
    """
    from shopkeeper.contact.controlling import pause

    return pause(ctx.shop, name, reason)


@operation(effect=WRITE, example={"name": "channel:email"})
def resume(ctx: Context, name: Name) -> Changed:
    """Let go on what was paused, or what a provider's breaker holds up (``provider:<channel>``)."""
    from shopkeeper.contact.controlling import resume

    return resume(ctx.shop, name)


@operation(effect=WRITE, example={"name": "campaign:spring"})
def stop(ctx: Context, name: Name) -> Changed:
    """Cancel every message of a step, campaign or channel that has not left yet; how many."""
    from shopkeeper.contact.controlling import stop

    return stop(ctx.shop, name)


@operation(effect=READ)
def rules(ctx: Context) -> Rules:
    """The rules that hold: quiet hours, caps, rates, waits between tries."""
    from shopkeeper.contact.controlling import rules

    return rules(ctx.shop)


@operation(effect=WRITE, example={"policy": {"caps": [{"most": 2, "days": 7}]}})
def set_rules(ctx: Context, policy: dict[str, Any]) -> Rules:
    """Let these rules hold from now on; what is left out is as it ships."""
    from shopkeeper.contact.controlling import set_rules

    return set_rules(ctx.shop, policy)


def _plan_retry(
    ctx: Context, state: Literal["failed", "unknown"], step: str, message_ids: Sequence[str]
) -> Sequence[Step]:
    from shopkeeper.contact.retrying import planned

    return planned(ctx.shop, state, step, message_ids)


@operation(
    effect=Effect.CONTACT, example={"state": "unknown", "step": "spring-1"}, plan=_plan_retry
)
def retry(
    ctx: Context,
    state: Literal["failed", "unknown"],
    step: str = "",
    message_ids: Customers = (),
    confirm: str = "",  # noqa: ARG001 - the plan's hash was compared before
) -> Sent:
    """Queue failed or unknown messages again. An unknown one may have arrived: it may arrive twice.

    Args:
        ctx: the shop.
        state: which of the two.
        step: only of this step.
        message_ids: only these.
        confirm: the hash of the plan.
    """
    from shopkeeper.contact.retrying import retry

    return retry(ctx.shop, state, step, message_ids)


def _plan_test(
    _ctx: Context, channel: str, address: str, content: dict[str, Any]
) -> Sequence[Step]:
    from shopkeeper.contact.trying import planned

    return planned(channel, address, content)


@operation(
    effect=Effect.CONTACT,
    example={
        "channel": "email",
        "address": "me@example.com",
        "content": {"subject": "A try", "text": "Hello"},
    },
    plan=_plan_test,
)
def test_send(
    ctx: Context,
    channel: str,
    address: Name,
    content: dict[str, Any],
    confirm: str = "",  # noqa: ARG001, PT028 - the plan's hash was compared before; no test of pytest's
) -> Sent:
    """Send one message to an address of yours now, outside the outbox; what the provider answered."""
    from shopkeeper.contact.trying import send

    return send(ctx.shop, channel, address, content)


def _plan_send(
    ctx: Context,
    step: str,
    channel: str,
    content: dict[str, Any],
    customer_ids: Sequence[str],
    purpose: str,
) -> Sequence[Step]:
    from shopkeeper.contact.enqueueing import planned

    return planned(ctx.shop, step, channel, content, customer_ids, purpose)


@operation(
    effect=Effect.CONTACT,
    example={
        "step": "opening-1",
        "channel": "email",
        "content": {"subject": "We open on Monday", "text": "Come and see. {{unsubscribe_url}}"},
        "customer_ids": ["C7"],
    },
    plan=_plan_send,
)
def send(
    ctx: Context,
    step: Name,
    channel: str,
    content: dict[str, Any],
    customer_ids: Customers,
    purpose: str = "marketing",
    confirm: str = "",  # noqa: ARG001 - the plan's hash was compared before
) -> Sent:
    """Queue one message to each of these customers who may be reached; a step reaches each once.

    Args:
        ctx: the shop.
        step: the message's name: a second call with it reaches only those who had none.
        channel: email, sms, wechat, webhook or file.
        content: subject, text and html; or template_id and variables.
        customer_ids: whom.
        purpose: what for, as consent was given for it.
        confirm: the hash of the plan.
    """
    from shopkeeper.contact.enqueueing import send

    return send(ctx.shop, step, channel, content, customer_ids, purpose)
