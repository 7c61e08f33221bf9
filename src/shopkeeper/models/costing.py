"""What models cost, and what they would."""

from __future__ import annotations

from dataclasses import dataclass

from shopkeeper.core.types import CannotSay
from shopkeeper.language.opening import price_of
from shopkeeper.language.types import BILLIONTHS
from shopkeeper.models.backend import caps, month, prices
from shopkeeper.models.types import Cost, Expected, Used
from shopkeeper.shop.shop import Shop
from shopkeeper.store.prompts import Prompts
from shopkeeper.store.spending import Spending

_INSTRUCTIONS = 400  # tokens of a task's question, labels and form, where none was asked before
_ANSWER = 40
_LONGEST_ANSWER = 512


@dataclass(frozen=True)
class _PerText:
    """Tokens that one text takes, likely and at the most, and how that is known."""

    sent: float
    written: float
    most_sent: int
    most_written: int
    basis: str


def costed(shop: Shop, texts: int, task: str, model: str, characters: int) -> Cost:
    """The month so far, and the estimate that is asked for."""
    ledger, this_month, cap = Spending(shop.database), month(shop), caps(shop)
    lines = ledger.of(this_month)
    spent = sum(line.billionths for line in lines)
    lost = ledger.unsettled(this_month)
    left = max(0, cap.money - spent)
    expected = _expected(shop, texts, task, model, characters, left) if texts else None
    return Cost(
        month=this_month,
        currency=shop.settings.currency,
        budget=shop.settings.model_budget,
        spent=spent / BILLIONTHS,
        left=left / BILLIONTHS,
        tokens=sum(line.tokens_in + line.tokens_out for line in lines),
        tokens_cap=cap.tokens,
        used=tuple(
            Used(
                model=line.model,
                purpose=line.purpose,
                calls=line.calls,
                tokens_in=line.tokens_in,
                tokens_out=line.tokens_out,
                cost=line.billionths / BILLIONTHS,
                last_at=line.last_at,
            )
            for line in lines
        ),
        unsettled=lost.tries,
        unsettled_most=lost.billionths / BILLIONTHS,
        kept_answers=Prompts(shop.database).count(),
        expected=expected,
    )


def _expected(
    shop: Shop, texts: int, task: str, model: str, characters: int, left: int
) -> Expected | CannotSay:
    name = model or shop.settings.model
    price = price_of(name, prices(shop))
    if price is None:
        return CannotSay(
            reason=f"What {name} costs is not known.",
            needed="its price under [model_prices] in shopkeeper.toml",
        )
    if name == "house":
        return CannotSay(
            reason="The house's readers cost nothing, and it has no model that writes.",
            needed="--model openai:<model>",
        )
    one = _per_text(shop, name, task, characters)
    cost = price.billionths(round(one.sent * texts), round(one.written * texts))
    most = price.billionths(one.most_sent * texts, one.most_written * texts)
    return Expected(
        model=name,
        texts=texts,
        tokens_in=round(one.sent * texts),
        tokens_out=round(one.written * texts),
        cost=cost / BILLIONTHS,
        most=most / BILLIONTHS,
        fits=cost <= left or price.free,
        basis=one.basis,
    )


def _per_text(shop: Shop, name: str, task: str, characters: int) -> _PerText:
    known = Spending(shop.database).ever(name, task) if task else None
    per_character = 1.0 if "zh" in shop.settings.languages else 0.25
    sent = _INSTRUCTIONS + characters * per_character
    # At the most a character has four bytes, each answer is repaired once, and each is as long as allowed.
    most_sent = 2 * (4 * _INSTRUCTIONS + 4 * characters) + _LONGEST_ANSWER
    if known is None:
        basis = (
            f"{_INSTRUCTIONS} tokens of instructions, {characters} characters a text, {_ANSWER} tokens of "
            "answer: assumed, because nothing was asked of it for this task"
        )
        return _PerText(sent, _ANSWER, most_sent, 2 * _LONGEST_ANSWER, basis)
    basis = f"what {known.calls:,} earlier calls for {task} took"
    mean = known.tokens_in / known.calls, known.tokens_out / known.calls
    return _PerText(*mean, max(most_sent, round(2 * mean[0])), 2 * _LONGEST_ANSWER, basis)
