"""How good the lists would have been: every head, the mixture and popularity on the shop's own past."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from shopkeeper.core.types import CannotSay
from shopkeeper.recommend.behaviours import adopted, told
from shopkeeper.recommend.cases import Cases, choices_since, last_choices, only
from shopkeeper.recommend.fitting import fit_heads, last_validation, mask, weigh_on
from shopkeeper.recommend.heads.base import FittedHead, Goods
from shopkeeper.recommend.heads.base import Head as Recipe
from shopkeeper.recommend.heads.popular import FittedPopular
from shopkeeper.recommend.history import DAY_MS, Floats, History, Ints
from shopkeeper.recommend.mixture import BUCKETS, Mask, Mixture, given
from shopkeeper.recommend.ranking import Ranked, ranked
from shopkeeper.recommend.types import Bin, Gain, Group, Head, Protocol, Score
from shopkeeper.stats import bootstrap

WEEK: Final = 7
MIXTURE: Final = "mixture"
RECENT: Final = "popular_7_days"
LEAST: Final = 20
_LENGTHS: Final = ((0, 0), (1, 1), (2, 3), (4, 7), (8, 15), (16, None))
_BINS: Final = 10
_PRIOR: Final = 0.01  # an item that nobody chose in the week keeps a little probability

Tell = Callable[[str], None]
Recipes = Mapping[str, Recipe]


@dataclass(frozen=True)
class Trial:
    """One split: the choices asked for, and what each model made of them."""

    cases: Cases
    found: dict[str, Ranked]
    weights: Mixture
    left_out: int


def leave_one_out(
    history: History, goods: Goods, most: int, tell: Tell, recipes: Recipes
) -> Protocol | CannotSay:
    """Everybody's last choice, by models that saw everything before it."""
    test = last_choices(history, most)
    validation = last_validation(test.learned, most)
    if min(len(test.chosen), len(validation.chosen)) < LEAST:
        count = min(len(test.chosen), len(validation.chosen))
        return CannotSay(
            reason=f"{count} customers have a last choice and one before it.",
            needed=f"at least {LEAST}",
            code="few_last",
            values={"count": count, "least": LEAST},
        )
    return _protocol("leave_one_out", [trial(validation, test, goods, tell, recipes)])


def by_week(
    history: History, goods: Goods, weeks: int, most: int, tell: Tell, recipes: Recipes
) -> Protocol | CannotSay:
    """The first choice of each customer in each of the last weeks, by models of the time before it."""
    splits = by_weeks(history, weeks, most)
    trials = [trial(*split, goods, tell, recipes) for split in splits]
    if not trials:
        return CannotSay(
            reason="Too few customers have a choice in each of the last two weeks.",
            needed=f"at least {LEAST}",
            code="few_weeks",
            values={"least": LEAST},
        )
    return _protocol("by_week", trials)


def by_weeks(history: History, weeks: int, most: int) -> Iterator[tuple[Cases, Cases]]:
    """Validation and test, the week after it, for each of the last weeks that has enough choices."""
    for back in range(weeks):
        start = history.end - (back + 1) * WEEK * DAY_MS + 1
        until = only(history, history.time < start + WEEK * DAY_MS)
        test = choices_since(until, start, most)
        validation = choices_since(test.learned, start - WEEK * DAY_MS, most)
        if min(len(test.chosen), len(validation.chosen)) >= LEAST:
            yield validation, test


def trial(validation: Cases, test: Cases, goods: Goods, tell: Tell, recipes: Recipes) -> Trial:
    """Weights on the validation alone; then heads on everything but the test, which is asked once."""
    weighed = weigh_on(validation, goods, tell, recipes)
    fitted = adopted(fit_heads(test.learned, goods, tell, recipes), weighed.heads)
    mixture = replace(weighed, heads=fitted)
    cases, rest = askable(test)
    models = {MIXTURE: mixture, RECENT: _alone(_recent(test.learned))}
    models |= {name: _alone(head, weighed.sharpness[name]) for name, head in fitted.items()}
    found = {}
    for name, model in models.items():
        tell(f"{name}: ranking")
        found[name] = ranked(model, cases.queries, cases.chosen, rest)
    return Trial(cases, found, weighed, len(test.chosen) - len(cases.chosen))


def askable(cases: Cases) -> tuple[Cases, Mask]:
    """The choices that may be shown at all, and the mask of each: what is owned is left out."""
    shown = mask(cases.learned, cases.queries)
    assert shown.excluded is not None  # noqa: S101 - mask() always says what is owned
    asked = np.flatnonzero(given(shown.excluded, cases.chosen) == 0)
    return cases.part(asked), replace(shown, excluded=shown.excluded[asked])


def _alone(head: FittedHead, sharpness: float = 1.0) -> Mixture:
    return Mixture({"one": head}, {"one": sharpness}, np.ones((len(BUCKETS), 1)))


def _recent(history: History) -> FittedPopular:
    """How many chose each item in the last seven days."""
    late = history.time > history.end - WEEK * DAY_MS
    if history.bought.any():
        late &= history.bought
    counted = np.bincount(history.item[late], minlength=len(history.item_ids))
    return FittedPopular((counted + _PRIOR).astype(np.float32))


def _protocol(name: str, trials: Sequence[Trial]) -> Protocol:
    customer = np.concatenate([trial.cases.customer for trial in trials])
    names = list(trials[0].found)
    merged = {n: _merged([trial.found[n] for trial in trials]) for n in names}
    ours, base = merged[MIXTURE], merged[RECENT]
    # Seven days are few: where they are the worse probability they are no fair bar.
    bar = min(merged[n].loss.mean() for n in (RECENT, "popular"))
    bought = np.concatenate([_times_chosen(trial) for trial in trials])
    lengths = np.concatenate([trial.cases.queries.lengths for trial in trials])
    size = len(trials[0].cases.learned.item_ids)
    share = np.mean([_share(trial.cases.learned) for trial in trials], axis=0)
    return Protocol(
        name=name,
        cases=len(customer),
        customers=len(np.unique(customer)),
        left_out=sum(trial.left_out for trial in trials),
        scores=tuple(_score(n, merged[n], customer, (size, share)) for n in names),
        gain=Gain(
            over=RECENT,
            ndcg10=bootstrap.mean(ours.ndcg - base.ndcg, of=customer),
            log_loss_ratio=round(float(ours.loss.mean() / bar), 4),
        ),
        groups=tuple(_groups(ours, base, customer, lengths, bought)),
        reliability=tuple(_reliability(ours, np.concatenate([t.cases.chosen for t in trials]))),
        weights=tuple(head_shares(trials[0].weights)),
    )


def _merged(parts: Sequence[Ranked]) -> Ranked:
    names = Ranked.__dataclass_fields__
    return Ranked(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _share(history: History) -> Floats:
    """Each item's share of all rows, an item that nobody chose as if half a row had been."""
    counted = np.bincount(history.item, minlength=len(history.item_ids)) + 0.5
    return np.asarray(counted / counted.sum())


def _times_chosen(trial: Trial) -> Ints:
    learned = trial.cases.learned
    counted = np.bincount(learned.item, minlength=len(learned.item_ids))
    return np.asarray(counted[trial.cases.chosen])


def _score(name: str, found: Ranked, customer: Ints, goods: tuple[int, Floats]) -> Score:
    size, share = goods
    shown = np.bincount(found.items.ravel(), minlength=size)
    rank = np.arange(1, size + 1)
    gini = float(((2 * rank - size - 1) * np.sort(shown)).sum() / (size * shown.sum()))
    covers = bool((found.probability > 0).all())
    return Score(
        model=name,
        hr10=bootstrap.mean(found.hit, of=customer),
        ndcg10=bootstrap.mean(found.ndcg, of=customer),
        log_loss=round(float(found.loss.mean()), 4) if covers else None,
        coverage=round(float((shown > 0).mean()), 4),
        novelty=round(float(-np.log2(share[found.items]).mean()), 3),
        gini=round(gini, 4),
    )


def _groups(
    ours: Ranked, base: Ranked, customer: Ints, lengths: Ints, chosen: Ints
) -> Iterator[Group]:
    parts = [
        (f"history {low}" if low == high else f"history {low}-{high}" if high else f"history {low}+",
         (lengths >= low) & (lengths <= (high if high is not None else lengths)))
        for low, high in _LENGTHS
    ]  # fmt: skip
    parts += [("new items", chosen == 0), ("items chosen 1-3 times", (chosen > 0) & (chosen < 4))]
    parts += [("items chosen 4 times or more", chosen >= 4)]
    for name, rows in parts:
        if rows.any():
            yield Group(
                name=name,
                cases=int(rows.sum()),
                hr10=bootstrap.mean(ours.hit[rows], of=customer[rows]),
                ndcg10=bootstrap.mean(ours.ndcg[rows], of=customer[rows]),
                ndcg10_popular=bootstrap.mean(base.ndcg[rows], of=customer[rows]),
            )


def _reliability(found: Ranked, chosen: Ints) -> Iterator[Bin]:
    """What the top slots claimed beside what happened, in bins of as many slots each."""
    claimed = found.claimed.ravel()
    happened = (found.items == chosen[:, None]).ravel()
    order = np.argsort(claimed, kind="stable")
    for rows in np.array_split(order, _BINS):
        if len(rows):
            yield Bin(
                slots=len(rows),
                claimed=round(float(claimed[rows].mean()), 6),
                happened=round(float(happened[rows].mean()), 6),
            )


def head_shares(mixture: Mixture) -> Iterator[Head]:
    """Each head's sharpness and its weights, by length of history and by how sure it is."""
    sure = np.zeros(len(mixture.heads))
    if mixture.confidence is not None:
        sure = np.diag(mixture.confidence.slopes)
    for place, name in enumerate(mixture.heads):
        yield Head(
            name=name,
            sharpness=mixture.sharpness[name],
            by_history=tuple(round(float(w), 4) for w in mixture.weights[:, place]),
            behaviours=told(mixture.heads[name]),
            when_sure=round(float(np.exp(sure[place])), 4),
        )
