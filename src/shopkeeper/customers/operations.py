"""What `customers` can do."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from shopkeeper.core.errors import NotAllowed
from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.core.settings import Language
from shopkeeper.customers.types import (
    Changes,
    ClusterMap,
    CustomerPredictions,
    Draft,
    Fairness,
    Forecast,
    Freshness,
    Identities,
    LookAlikes,
    ManualList,
    ManualLists,
    Meaning,
    Members,
    Overlap,
    Placement,
    PredictionRun,
    PrivacyBudget,
    PrivateCounts,
    Profile,
    Refreshed,
    Rfm,
    Scores,
    SegmentDetail,
    SegmentList,
    SegmentMembers,
    SensitiveTopics,
    TraitList,
)
from shopkeeper.metrics.types import Number

Offset = Annotated[int, Field(ge=0)]
Limit = Annotated[int, Field(ge=1, le=1000)]
GroupedBy = Literal["tastes", "habits"]
Horizon = Literal[30, 60, 90]
Share = Annotated[float, Field(gt=0, lt=1)]
Epsilon = Annotated[float, Field(ge=0.01, le=5)]
ListName = Annotated[str, Field(min_length=1, max_length=60)]
Listed = Annotated[tuple[str, ...], Field(min_length=1, max_length=200_000)]
Definition = Annotated[str, Field(min_length=1, max_length=8000)]


@operation(effect=READ, example={"lang": "en"})
def rfm(ctx: Context, as_of: date | None = None, lang: Language = "en") -> Rfm:
    """The RFM segments: how many customers, how much revenue, and what to do for each.

    As of the last day of data, or of ``as_of``; definitions stand in the reply.
    """
    from shopkeeper.customers.summary import segments

    return segments(ctx.shop, as_of, lang)


@operation(effect=READ, example={"segment": "champions", "limit": 5})
def members(
    ctx: Context, segment: str, offset: Offset = 0, limit: Limit = 50, lang: Language = "en"
) -> Members:
    """The customers of one RFM segment with their figures and scores, those worth most first."""
    from shopkeeper.customers.summary import members as page

    return page(ctx.shop, segment, (offset, limit), lang)


@operation(effect=READ, example={"customer_id": "C1"})
def segment(ctx: Context, customer_id: str, lang: Language = "en") -> Placement:
    """The RFM segment of one customer, with the reasons in words."""
    from shopkeeper.customers.summary import placement

    return placement(ctx.shop, customer_id, lang)


@operation(effect=READ, example={"customer_id": "C1"})
def identities(ctx: Context, customer_id: str) -> Identities:
    """The ids that stood for one customer, devices and merged accounts alike, each with its periods."""
    from shopkeeper.customers.identity import identities as known

    return known(ctx.shop, customer_id)


@operation(effect=WRITE, example={"sent_id": "device-1"})
def undo_identity(ctx: Context, sent_id: str) -> Identities:
    """Take back what was last said about an id; what was said before holds again.

    Nothing is rewritten: from the next copy of the identities on, queries count its events so.
    """
    from shopkeeper.customers.identity import undo

    return undo(ctx.shop, ctx.actor, sent_id)


@operation(effect=WRITE, job=True, nightly=True)
def predict(ctx: Context) -> PredictionRun:
    """Predict of every buyer who stays away, when the next order comes, how many, and their worth.

    Learned from windows of the shop's own past and measured on days held out; each prediction with its
    reasons. Nothing is predicted of who refuses personalisation. Replaces what the run before said.
    """
    from shopkeeper.customers.predict.run import predict as run

    return run(ctx)


@operation(effect=READ, example={"customer_id": "C1"})
def predictions(ctx: Context, customer_id: str, lang: Language = "en") -> CustomerPredictions:
    """What is predicted of one customer, each with its interval and the reasons in words."""
    from shopkeeper.customers.predict.shown import forecasts

    return forecasts(ctx.shop, customer_id, lang)


@operation(effect=READ, example={"prediction": "churn_60", "limit": 5})
def scores(
    ctx: Context,
    prediction: str,
    offset: Offset = 0,
    limit: Limit = 50,
    least_first: bool = False,
    lang: Language = "en",
) -> Scores:
    """The customers by one prediction, greatest first, with reasons: who may leave, who is worth most."""
    from shopkeeper.customers.predict.shown import scores as page

    return page(ctx.shop, prediction, (offset, limit), least_first, lang)


@operation(effect=READ, example={})
def prediction_health(ctx: Context) -> PredictionRun:
    """How good the newest predictions would have been on the shop's own past: AUC, calibration, gain."""
    from shopkeeper.customers.predict.shown import health

    return health(ctx.shop)


@operation(effect=READ, example={"lang": "en"})
def traits(ctx: Context, lang: Language = "en") -> TraitList:  # noqa: ARG001 - as every operation
    """Every trait of customers that segments may ask for, with what it rests on."""
    from shopkeeper.customers.traits.listing import listed

    return listed(lang)


@operation(effect=READ, example={"definition": "orders >= 2 and days_since_order >= 30"})
def explain_segment(ctx: Context, definition: Definition, segment: str = "") -> Meaning:
    """What a definition means: its canonical text, its JSON, and a sentence in English and Chinese.

    ``definition`` is text or JSON (docs/segments.md). ``segment`` is the one that it is to become a
    version of: it may then not refer to itself.
    """
    from shopkeeper.customers.segmenting.meaning import meaning
    from shopkeeper.customers.segmenting.parsing import parse

    return meaning(ctx.shop, parse(definition), segment or None)


@operation(effect=READ, example={"definition": "orders >= 2"})
def forecast_segment(
    ctx: Context, definition: Definition, exact: bool = False, segment: str = ""
) -> Forecast:
    """How many customers a definition would select: in a large shop from a sample, with its interval.

    ``exact`` counts everybody, which may take a minute.
    """
    from shopkeeper.customers.segmenting.forecasting import forecast
    from shopkeeper.customers.segmenting.parsing import parse

    return forecast(ctx.shop, parse(definition), exact, segment or None)


@operation(
    effect=WRITE, example={"request": "customers who bought at least 2 times in the last 90 days"}
)
def draft_segment(ctx: Context, request: str) -> Draft:
    """A definition for a request in plain words, in English or Chinese: a proposal that nobody runs yet.

    The shop's language model writes it where one is set; else rules read what they know, and the reply
    says what they left over.
    """
    from shopkeeper.customers.segmenting.asking import drafted

    return drafted(ctx.shop, request)


@operation(effect=READ, example={"lang": "en"})
def segments(ctx: Context, lang: Language = "en", archived: bool = False) -> SegmentList:
    """The segments by rules: what each says, how many are in, and what no longer runs and why."""
    from shopkeeper.customers.segmenting.listing import segments as listed

    return listed(ctx.shop, lang, archived)


@operation(effect=READ, example={"segment": "S1"})
def segment_detail(ctx: Context, segment: str, lang: Language = "en") -> SegmentDetail:
    """One segment by rules with its versions and its size over time."""
    from shopkeeper.customers.segmenting.listing import detail

    return detail(ctx.shop, segment, lang)


@operation(effect=READ, example={"segment": "S1", "limit": 5})
def segment_members(
    ctx: Context, segment: str, offset: Offset = 0, limit: Limit = 50, lang: Language = "en"
) -> SegmentMembers:
    """Who is in a segment by rules, since when, and why; as of the last refresh."""
    from shopkeeper.customers.segmenting.listing import members as page

    return page(ctx.shop, segment, (offset, limit), lang)


@operation(effect=READ, example={"limit": 5})
def segment_changes(ctx: Context, segment: str = "", limit: Limit = 100) -> Changes:
    """Who entered a segment and who left it, latest first; of all segments without one."""
    from shopkeeper.customers.segmenting.listing import changes

    return changes(ctx.shop, segment or None, limit)


@operation(effect=READ, example={})
def segment_overlap(ctx: Context, segments: tuple[str, ...] = ()) -> Overlap:
    """How many customers each two segments share; of all of them where none is named."""
    from shopkeeper.customers.segmenting.listing import overlap

    return overlap(ctx.shop, segments)


@operation(effect=WRITE, example={"name": "Regulars", "definition": "orders >= 2"})
def save_segment(
    ctx: Context,
    name: str,
    definition: Definition,
    segment: str = "",
    draft: bool = False,
    note: str = "",
) -> SegmentDetail:
    """Keep a definition as a new segment, or as a further version of ``segment``.

    A draft has no members. The members of others are found at the next refresh.
    """
    from shopkeeper.customers.segmenting import listing, saving
    from shopkeeper.customers.segmenting.parsing import parse

    parsed = parse(definition)
    if segment:
        kept = saving.change(ctx.shop, segment, name, parsed, draft=draft, note=note)
    else:
        kept = saving.save(ctx.shop, name, parsed, draft, note)
    return listing.detail(ctx.shop, kept.id, "en")


@operation(
    effect=WRITE,
    example={
        "number": {"kind": "metric", "metric": "buyers", "since": "all"},
        "name": "Buyers of the month",
    },
)
def segment_of_number(
    ctx: Context,
    number: Number,
    name: Annotated[str, Field(max_length=120)] = "",
) -> SegmentDetail:
    """A segment of the customers behind a number of `metrics people`, as they are now: a list of them.

    Its members are found by a refresh that is queued at once. Who comes later is not in it: where a rule
    can say the same, save that with `save_segment`.
    """
    from shopkeeper.customers.segmenting import listing
    from shopkeeper.customers.segmenting.numbers import of_number

    return listing.detail(ctx.shop, of_number(ctx, number, name).id, "en")


@operation(effect=READ, example={})
def freshness(ctx: Context) -> Freshness:
    """As of when memberships, predictions and groups are, and whether an import made them old."""
    from shopkeeper.customers.freshness import freshness as told

    return told(ctx.shop)


@operation(effect=WRITE, example={"segment": "S1"})
def undo_segment(ctx: Context, segment: str) -> SegmentDetail:
    """Take the last change of a segment back: the version of before is in force again."""
    from shopkeeper.customers.segmenting import listing, saving

    return listing.detail(ctx.shop, saving.undo(ctx.shop, segment).id, "en")


@operation(effect=WRITE, example={"segment": "S1", "version": 1})
def restore_segment(ctx: Context, segment: str, version: int) -> SegmentDetail:
    """Put a version of the past in force again; brings an archived segment back."""
    from shopkeeper.customers.segmenting import listing, saving

    return listing.detail(ctx.shop, saving.restore(ctx.shop, segment, version).id, "en")


@operation(effect=WRITE, example={"segment": "S1"})
def archive_segment(ctx: Context, segment: str, archived: bool = True) -> SegmentDetail:
    """Put a segment away, or bring it back with ``archived`` false."""
    from shopkeeper.customers.segmenting import listing, saving

    return listing.detail(ctx.shop, saving.archive(ctx.shop, segment, archived).id, "en")


@operation(effect=WRITE, job=True, nightly=True)
def refresh_segments(ctx: Context) -> Refreshed:
    """Bring all memberships up to date in one pass; writes down who entered and who left.

    What ends with time alone ("not seen for 30 days") is found here too: it runs every night.
    """
    from shopkeeper.customers.segmenting.refreshing import refresh

    return refresh(ctx)


@operation(effect=READ, example={})
def lists(ctx: Context) -> ManualLists:
    """The lists of customers that people keep."""
    from shopkeeper.customers.segmenting.saving import lists as kept

    return kept(ctx.shop)


@operation(effect=WRITE, example={"name": "vip", "customer_ids": ["C1"]})
def put_on_list(
    ctx: Context, name: str, customer_ids: tuple[str, ...], note: str = ""
) -> ManualList:
    """Put customers on a list, which is made where there is none."""
    from shopkeeper.customers.segmenting.saving import put_on_list as put

    return put(ctx.shop, name, customer_ids, note)


@operation(effect=WRITE, example={"name": "vip", "customer_ids": ["C1"]})
def take_off_list(ctx: Context, name: str, customer_ids: tuple[str, ...]) -> ManualList:
    """Take customers off a list."""
    from shopkeeper.customers.segmenting.saving import take_off_list as take

    return take(ctx.shop, name, customer_ids)


@operation(effect=READ, example={})
def sensitive_topics(ctx: Context) -> SensitiveTopics:
    """Which sensitive topics conditions may ask about, and why; all are off at first."""
    from shopkeeper.customers.segmenting.saving import permitted

    return permitted(ctx.shop)


@operation(
    effect=WRITE, example={"topic": "minors", "allowed": True, "reason": "A bookshop for children."}
)
def allow_sensitive(
    ctx: Context, topic: str, allowed: bool = True, reason: str = ""
) -> SensitiveTopics:
    """Let conditions ask about a sensitive topic, with a reason, or no longer; the owner alone may."""
    from shopkeeper.customers.segmenting.saving import permit

    if not ctx.actor.holds("*:*"):
        raise NotAllowed("Only the owner may decide on sensitive topics.", hint="Ask the owner.")
    return permit(ctx.shop, topic, allowed, reason)


@operation(effect=READ, example={"customer_id": "C1"})
def profile(ctx: Context, customer_id: str, lang: Language = "en") -> Profile:
    """Everything known of one customer as of this second, each with its evidence and date.

    Traits, stage of life, consent, opinions from their own texts, predictions, the segments they are in
    and why, and what to do next. Events that still wait in the log count.
    """
    from shopkeeper.customers.profile.making import profile as made

    return made(ctx.shop, customer_id, lang)


@operation(effect=WRITE, job=True, nightly=True)
def cluster(ctx: Context, by: GroupedBy = "tastes") -> ClusterMap:
    """Look for groups of customers who are alike, by what they like or how they buy, if there are any.

    The number of groups is one that two halves of the customers agree on and that leaves gaps between
    groups. A group that is found again keeps its id.
    """
    from shopkeeper.customers.clusters.run import cluster as run

    return run(ctx, by)


@operation(effect=READ, example={"by": "tastes"})
def clusters(ctx: Context, by: GroupedBy = "tastes", lang: Language = "en") -> ClusterMap:
    """The groups that were found last, with names, what sets each apart, and a map of some customers."""
    from shopkeeper.customers.clusters.shown import shown

    return shown(ctx.shop, by, lang)


@operation(effect=WRITE, job=True, example={"name": "loyal", "customer_ids": ["C1", "C2"]})
def look_alike(ctx: Context, name: ListName, customer_ids: Listed) -> LookAlikes:
    """Find who is like the customers of a list, and measure on halves of it how far to trust that.

    Args:
        ctx: the shop and who asks.
        name: what to call it; a second run of the same name replaces the first.
        customer_ids: the list: at least 40 who have bought.
    """
    from shopkeeper.customers.lookalike.run import look_alike as run

    return run(ctx, name, customer_ids)


@operation(effect=READ, example={"name": "loyal"})
def look_alikes(
    ctx: Context, name: ListName, offset: Offset = 0, limit: Limit = 50, lang: Language = "en"
) -> LookAlikes:
    """Who is most like the customers of a list, each with reasons, and how much better than chance."""
    from shopkeeper.customers.lookalike.shown import shown

    return shown(ctx.shop, name, (offset, limit), lang)


@operation(effect=READ, example={"segment": "S1", "trait": "orders"}, job=True)
def fairness(
    ctx: Context,
    trait: Annotated[str, Field(min_length=1, max_length=80)],
    segment: str = "",
    horizon: Horizon | None = None,
    threshold: Share = 0.5,
    least: Annotated[int, Field(ge=20, le=100_000)] = 50,
) -> Fairness:
    """Whether a segment or a prediction treats groups of customers alike, with intervals.

    Args:
        ctx: the shop and who asks.
        trait: what the groups are made of: a trait that is computed, or one that was told.
        segment: the segment, such as S1; or
        horizon: the chance of staying away for so many days, judged on the last ones.
        threshold: from which chance somebody counts as chosen.
        least: groups of fewer customers are left out.
    """
    from shopkeeper.customers.fairness.report import checked, of_prediction, of_segment

    checked(segment, horizon)
    if horizon is None:
        return of_segment(ctx.shop, segment, trait, least)
    return of_prediction(ctx, horizon, trait, threshold, least)


@operation(effect=WRITE, example={"purpose": "a report for a partner", "epsilon": 0.5})
def private_counts(
    ctx: Context,
    purpose: Annotated[str, Field(min_length=3, max_length=200)],
    epsilon: Epsilon = 0.5,
    segments: Annotated[tuple[str, ...], Field(max_length=100)] = (),
) -> PrivateCounts:
    """How many customers are in each segment, with noise that hides each single one.

    Args:
        ctx: the shop and who asks.
        purpose: what the report is for; stands in the ledger.
        epsilon: how much it may tell: smaller is more private and less exact.
        segments: which, such as S1; all without.
    """
    from shopkeeper.customers.private.counting import private_counts as counted

    return counted(ctx, segments, epsilon, purpose)


@operation(effect=READ, example={})
def privacy_budget(ctx: Context) -> PrivacyBudget:
    """What may be spent on private counts in a year, what is spent, and on what."""
    from shopkeeper.customers.private.counting import budget

    return budget(ctx.shop)


@operation(effect=WRITE, example={"epsilon": 4.0, "why": "agreed with the data officer"})
def set_privacy_budget(
    ctx: Context,
    epsilon: Annotated[float, Field(gt=0, le=20)],
    why: Annotated[str, Field(min_length=3, max_length=500)],
) -> PrivacyBudget:
    """Set what may be spent on private counts in any 365 days."""
    from shopkeeper.customers.private.counting import allow

    return allow(ctx, epsilon, why)
