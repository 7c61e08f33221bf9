"""What a customer thinks, from the readings of their own texts."""

from __future__ import annotations

import narwhals as nw

from shopkeeper.customers.ordinal import ordinal
from shopkeeper.customers.traits.scene import Scene, favourite, ratio
from shopkeeper.warehouse.source import Frame

OPTIONAL = True
SENTIMENT, ASPECTS, THEME = "sentiment", "aspects", "theme"
NEGATIVE = "negative"


def said(scene: Scene) -> Frame:
    """One row a finding: customer_id, text_id, day, task, label, value, span; of the newest reading."""
    texts = scene.resolved(
        scene.source.texts()
        .filter(~nw.col("customer_id").is_null(), nw.col("day") <= nw.lit(scene.as_of))
        .select("text_id", "customer_id", "rating")
    )
    found = scene.source.readings().filter(~nw.col("label").is_null())
    newest = found.group_by("text_id", "task").agg(nw.col("time").max().alias("newest"))
    found = found.join(newest, on=["text_id", "task"], how="inner")
    found = found.filter(nw.col("time") == nw.col("newest"))
    columns = ("text_id", "day", "task", "label", "value", "span", "opinion")
    return found.select(*columns).join(texts, on="text_id", how="inner")


def frames(scene: Scene) -> list[Frame]:
    """Texts, ratings and sentiment; the aspect most complained of."""
    texts = scene.resolved(
        scene.source.texts()
        .filter(~nw.col("customer_id").is_null(), nw.col("day") <= nw.lit(scene.as_of))
        .select("customer_id", "day", "rating")
    )
    written = texts.group_by("customer_id").agg(
        nw.len().alias("texts"),
        nw.col("rating").mean().alias("average_rating"),
        nw.col("day").max().alias("last_text"),
    )
    found = said(scene)
    bad = nw.when(nw.col("label") == NEGATIVE).then(nw.lit(1)).otherwise(nw.lit(0))
    moods = (
        found.filter(nw.col("task") == SENTIMENT)
        .with_columns(bad=bad)
        .group_by("customer_id")
        .agg(nw.col("bad").sum().alias("negative_texts"), nw.len().alias("judged"))
    )
    complaints = found.filter(nw.col("task") == ASPECTS, nw.col("value") < 0)
    complaints = complaints.select("customer_id", "label", points=nw.lit(1))
    return [written, moods, favourite(complaints, "label", "points", "complains_of")]


def columns(scene: Scene) -> dict[str, nw.Expr]:
    """The traits."""
    today = nw.lit(scene.as_of.toordinal())
    return {
        "texts": nw.coalesce(nw.col("texts"), nw.lit(0)),
        "average_rating": nw.col("average_rating"),
        "days_since_text": today - ordinal(nw.col("last_text")),
        "negative_texts": nw.coalesce(nw.col("negative_texts"), nw.lit(0)),
        "negative_share": ratio(nw.col("negative_texts"), nw.col("judged")),
        "complains_of": nw.col("complains_of"),
    }
