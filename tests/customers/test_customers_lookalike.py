"""Look-alikes: found where a list shares something, refused where it does not."""

import numpy as np
import pytest
from tests.customers.crowd import crowd

from shopkeeper.core.errors import BadInput, NotFound
from shopkeeper.customers.operations import look_alike, look_alikes, scores
from shopkeeper.shop import Shop


def test_who_shares_a_taste_is_found_and_told_why(shop: Shop) -> None:
    bought = crowd(shop, 600, 200, taste=0.95)
    # A few of those who buy cups, of which one in two customers is.
    cups = [who for n, who in enumerate(bought) if n % 2 and len(bought[who]) > 1][:80]
    found = look_alike(shop, "cups", tuple(cups))
    assert found.missing is None
    assert found.seeds == 80
    assert found.lift is not None
    assert found.lift.low > 1.2
    assert found.lift.gain_low > 0  # recency, frequency and money know nothing of tastes
    assert not {one.customer_id for one in found.rows} & set(cups)
    assert np.mean([int(one.customer_id[1:]) % 2 for one in found.rows]) > 0.9
    assert found.rows[0].reasons
    assert all(reason.weight > 0 for one in found.rows for reason in one.reasons)
    page = look_alikes(shop, "cups", limit=3, lang="zh")
    assert [one.customer_id for one in page.rows] == [one.customer_id for one in found.rows[:3]]
    assert page.total == len(bought) - 80
    with pytest.raises(Exception, match="prediction"):
        scores(shop, "lookalike:cups")


def test_a_list_that_shares_nothing_is_said_to(shop: Shop) -> None:
    bought = crowd(shop, 500, 150)
    drawn = np.random.default_rng(5).permutation(list(bought))[:60].tolist()
    found = look_alike(shop, "chance", tuple(drawn))
    assert found.missing is not None
    assert "nothing in common" in found.missing.reason
    assert found.rows == ()


def test_a_list_that_is_too_short_or_unnamed_is_refused(shop: Shop) -> None:
    bought = crowd(shop, 200, 100)
    few = look_alike(shop, "few", (*list(bought)[:10], "nobody"))
    assert few.missing is not None
    assert few.given == 11
    assert few.seeds == 10
    assert "Only 10" in few.missing.reason
    with pytest.raises(BadInput, match="no name"):
        look_alike(shop, "a b'; --", ("c1",))
    with pytest.raises(NotFound, match="No look-alikes"):
        look_alikes(shop, "unknown")
