"""The record of one message, of nothing where something could have been, or of a list."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shopkeeper.campaigns.record import grounds
from shopkeeper.campaigns.record.outcome import outcome
from shopkeeper.campaigns.record.recommended import recommended
from shopkeeper.campaigns.record.types import Membership, Record, Sending, Words
from shopkeeper.campaigns.record.why_not import Ground, Known, ground
from shopkeeper.campaigns.record.wording import say, say_reason
from shopkeeper.campaigns.types import Design
from shopkeeper.contact import looking
from shopkeeper.contact.policy import current
from shopkeeper.core.errors import BadInput, NotFound
from shopkeeper.core.operation import Context
from shopkeeper.core.settings import Language
from shopkeeper.shop.shop import Shop
from shopkeeper.store.campaigns import Campaigns, Stored
from shopkeeper.store.messages import ERASED, WAITING, Message, State
from shopkeeper.store.outbox import Outbox

_SCOPE: Final = "customers:read"
_DAYS: Final = 7
_PERSONAL: Final = ("words", "membership", "consent", "sending", "outcome")


def record(
    ctx: Context, message_id: str, whom: tuple[str, str], decision_id: str, lang: Language
) -> Record:
    """See the operation of this name; ``whom`` are customer and campaign.

    Raises:
        BadInput: not exactly one of the three ways to ask was taken.
        NotFound: no such message, campaign or decision.
    """
    customer_id, campaign_id = whom
    asked = (bool(message_id), bool(customer_id or campaign_id), bool(decision_id))
    if sum(asked) != 1 or bool(customer_id) != bool(campaign_id):
        raise BadInput(
            "Give a message, or a customer with a campaign, or a decision.",
            hint="shopkeeper campaigns record --customer-id C7 --campaign-id K1",
            field="message_id",
        )
    shop, personal = ctx.shop, ctx.actor.holds(_SCOPE)
    if decision_id:
        return recommended(shop, decision_id, lang, personal=personal)
    if message_id:
        found = Outbox(shop.database).find(message_id)
        if found is None:
            raise NotFound(
                f"No message {message_id!r}.",
                hint="See: shopkeeper contact outbox",
                field="message_id",
            )
        return _masked(_of_message(shop, found, lang), personal)
    stored = Campaigns(shop.database).get(campaign_id)
    known = shop.people.customer_of(customer_id) or customer_id
    page = Outbox(shop.database).page({"step": stored.step, "customer_id": known}, 1)
    made = _of_message(shop, page[0], lang) if page else _of_nothing(shop, stored, known, lang)
    return _masked(made, personal)


def _of_message(shop: Shop, message: Message, lang: Language) -> Record:
    stored = _campaign(shop, message)
    customer = message.customer_id
    erased = customer.startswith(ERASED)
    at = message.sent_at or message.changed_at
    rules, policy = grounds.rules(
        shop, message.policy, (customer, message.channel, message.number), at
    )
    written = grounds.words(shop, message)
    unknown = [say(lang, "words_gone", why=written)] if isinstance(written, str) and written else []
    inside = None
    looked = grounds.looked_at(stored) if stored else None
    if stored is None:
        unknown.append(say(lang, "no_campaign"))
    elif looked is not None and not erased:
        inside = grounds.membership(shop, stored, customer, looked, lang)
        if inside.since is None:
            unknown.append(say(lang, "no_membership"))
    about = (message.purpose, message.channel)
    days = Design.model_validate(stored.design).window_days if stored else _DAYS
    sent_at = _sent_at(message)
    after = None if erased or sent_at is None else outcome(shop, customer, sent_at, days)
    if after is None and not erased:
        unknown.append(say(lang, "no_window"))
    return Record(
        about="message",
        code=message.state,
        answer=_answer(shop, message, stored, inside, lang),
        certain=True,
        customer_id=None if erased else customer,
        erased=erased,
        message_id=message.message_id,
        approval=grounds.approval(stored) if stored else None,
        membership=inside,
        words=written if isinstance(written, Words) else None,
        draw=grounds.draw(shop, stored, customer) if stored and not erased else None,
        consent=None if erased else grounds.consent(shop, about, customer, at, policy),
        rules=rules,
        sending=_sending(shop, message),
        listed=None,
        outcome=after,
        withheld=(),
        unknown=tuple(unknown),
    )


def _campaign(shop: Shop, message: Message) -> Stored | None:
    if not message.campaign_id:
        return None
    try:
        return Campaigns(shop.database).get(message.campaign_id)
    except NotFound:  # a program's own name for what it sent
        return None


def _sent_at(message: Message) -> datetime | None:
    """When it left; None where it did not."""
    gone = (State.ACCEPTED, State.DELIVERED, State.COMPLAINED, State.BOUNCED, State.UNKNOWN)
    return message.sent_at if message.state in gone else None


def _sending(shop: Shop, message: Message) -> Sending:
    known = looking.message(shop, message.message_id)
    return Sending(
        message_id=message.message_id,
        channel=message.channel,
        state=message.state,
        reason=message.reason,
        address=message.address,
        created_at=message.created_at,
        sent_at=message.sent_at,
        tries=known.tries,
        events=known.events,
    )


def _answer(
    shop: Shop, message: Message, stored: Stored | None, inside: Membership | None, lang: Language
) -> str:
    """What happened and why, in a sentence or two."""
    if message.customer_id.startswith(ERASED):
        return say(lang, "erased")
    waits = message.state in (*WAITING, State.SENDING)
    key = "waiting" if waits else message.state
    told = say(
        lang,
        key,
        name=stored.name if stored else message.step,
        channel=message.channel,
        time=_time(shop, message.sent_at or message.changed_at),
        reason=say_reason(lang, message.reason),
    )
    if inside is None or inside.since is None:
        return told
    gap = "" if lang == "zh" else " "
    return told + gap + say(lang, "because", segment=inside.name, version=inside.version)


def _of_nothing(shop: Shop, stored: Stored, customer: str, lang: Language) -> Record:
    """Why there is no message of this campaign to this customer."""
    at = grounds.looked_at(stored)
    if not shop.people.some([customer]):
        return _nothing(stored, customer, Ground("nobody", "nobody", {}), None, lang)
    if at is None:
        told = Ground("not_started", "draft", {"status": stored.status})
        return _nothing(stored, customer, told, None, lang)
    version = _policy(shop, stored)
    rules, policy = grounds.rules(shop, version, (customer, stored.channel, 0), at)
    known = Known(
        customer_id=customer,
        at=at,
        membership=grounds.membership(shop, stored, customer, at, lang),
        draw=grounds.draw(shop, stored, customer),
        consent=grounds.consent(shop, (stored.purpose, stored.channel), customer, at, policy),
        rules=rules,
        policy=policy,
    )
    made = _nothing(stored, customer, ground(shop, stored, known), known, lang)
    days = Design.model_validate(stored.design).window_days
    since = known.draw.at if known.draw else at
    return made.model_copy(update={"outcome": outcome(shop, customer, since, days)})


def _policy(shop: Shop, stored: Stored) -> int:
    """The version of the rules that held: that of a message of the campaign, else the present one."""
    page = Outbox(shop.database).page({"step": stored.step}, 1)
    return page[0].policy if page else current(shop.database)[0]


def _nothing(
    stored: Stored, customer: str, why: Ground, known: Known | None, lang: Language
) -> Record:
    return Record(
        about="nothing",
        code=why.code,
        answer=say(lang, why.key, **why.values),
        certain=why.certain,
        customer_id=None if why.code == "nobody" else customer,
        erased=False,
        message_id=None,
        approval=grounds.approval(stored),
        membership=known.membership if known else None,
        words=None,
        draw=known.draw if known else None,
        consent=known.consent if known else None,
        rules=known.rules if known else None,
        sending=None,
        listed=None,
        outcome=None,
        withheld=(),
        unknown=() if why.certain else (say(lang, "then"),),
    )


def _masked(made: Record, personal: bool) -> Record:
    """Without what is personal, for those who may not read customers."""
    if personal:
        return made
    gone = [name for name in _PERSONAL if getattr(made, name) is not None]
    words = made.words.model_copy(update={"content": None}) if made.words else None
    sending = made.sending.model_copy(update={"address": None}) if made.sending else None
    inside = made.membership.model_copy(update={"reasons": ()}) if made.membership else None
    return made.model_copy(
        update={
            "words": words,
            "sending": sending,
            "membership": inside,
            "consent": None,
            "outcome": None,
            "withheld": tuple(gone),
        }
    )


def _time(shop: Shop, at: datetime) -> str:
    return at.astimezone(shop.settings.zone).strftime("%Y-%m-%d %H:%M")
