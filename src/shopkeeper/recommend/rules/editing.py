"""Writing rules: a draft, looked through for conflicts, then published, and taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shopkeeper.core.errors import BadInput, NotFound
from shopkeeper.recommend.model import Fitted, fitted
from shopkeeper.recommend.rules.book import book, read
from shopkeeper.recommend.rules.conflicts import conflicts
from shopkeeper.recommend.rules.language import Rule
from shopkeeper.recommend.serving import Serving, serving
from shopkeeper.recommend.types import RuleBook, RuleBooks, RuleVersion
from shopkeeper.shop.shop import Shop
from shopkeeper.store.rule_sets import DRAFT, PUBLISHED, RuleSet, RuleSets


def shown(shop: Shop) -> RuleBooks:
    """What is published, the draft with its conflicts, and the versions before."""
    sets = RuleSets(shop.database)
    model = fitted(shop)
    draft = sets.of(DRAFT)
    return RuleBooks(
        published=_book(shop, model, sets.of(PUBLISHED)),
        draft=_book(shop, model, draft) if draft else None,
        versions=tuple(
            RuleVersion(
                version=one.version,
                status=one.status,
                rules=len(one.rules),
                note=one.note,
                made_at=one.made_at,
                published_at=one.published_at,
            )
            for one in sets.all()
        ),
    )


def drafted(shop: Shop, rules: Sequence[Rule], note: str) -> RuleBooks:
    """Keep these rules as the draft.

    Raises:
        BadInput: two rules have one name.
    """
    twice = [name for name, count in Counter(rule.name for rule in rules).items() if count > 1]
    if twice:
        raise BadInput(
            f"Two rules are named {twice[0]!r}.",
            hint="Give each rule a name of its own: replies and reasons tell them apart by it.",
            field="rules",
        )
    told = [
        rule.model_dump(mode="json", exclude_defaults=True) | {"kind": rule.kind} for rule in rules
    ]
    RuleSets(shop.database).draft(told, note)
    return shown(shop)


def publish(shop: Shop, version: int) -> RuleBooks:
    """Let the draft hold from the next request on."""
    RuleSets(shop.database).publish(version)
    return shown(shop)


def undo(shop: Shop) -> RuleBooks:
    """Go back to the rules before; undone again, forward."""
    RuleSets(shop.database).undo()
    return shown(shop)


def discard(shop: Shop) -> RuleBooks:
    """Throw the draft away."""
    RuleSets(shop.database).discard()
    return shown(shop)


def draft(shop: Shop) -> RuleSet:
    """The draft.

    Raises:
        NotFound: there is none.
    """
    found = RuleSets(shop.database).of(DRAFT)
    if found is None:
        raise NotFound(
            "There is no draft of the rules.", hint="Write one: shopkeeper recommend draft-rules"
        )
    return found


def _book(shop: Shop, model: Fitted, rules: RuleSet | None) -> RuleBook:
    made = book(shop, model, rules)
    who = serving(shop, model)
    order = who.published.item_ids if isinstance(who, Serving) else model.history.item_ids
    return RuleBook(
        version=rules.version if rules else 0,
        note=rules.note if rules else "",
        rules=read(rules),
        conflicts=tuple(conflicts(made.compiled(order))),
    )
