"""The experiment of a campaign ends with it, by the shop's clock, and its results stay as they are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.campaigns.conftest import Stage
from tests.campaigns.test_campaigns_results import bought

from shopkeeper.campaigns.launching import launch
from shopkeeper.campaigns.operations import measure, results, show, stop
from shopkeeper.campaigns.types import Results
from shopkeeper.experiments import operations as experiments
from shopkeeper.experiments.types import Experiment


def trial(stage: Stage, campaign_id: str) -> Experiment:
    return experiments.show(stage.shop, f"campaign-{campaign_id}").experiment


def figures(found: Results) -> object:
    return (found.verdict, found.arms, found.held_out, found.control_counted)


def test_a_stopped_campaign_stops_its_experiment_and_a_rehearsed_clock_holds(stage: Stage) -> None:
    segment = stage.segment(*stage.people(20))
    began = stage.clock.now
    campaign = stage.launched(segment, hold_out=0.5)
    found = trial(stage, campaign)
    assert (found.status, found.started_at) == ("running", began)
    stage.clock.forward(hours=1)
    stop(stage.shop, campaign, "enough")
    found = trial(stage, campaign)
    assert (found.status, found.stopped_at) == ("stopped", began + timedelta(hours=1))
    assert found.stop_reason == "the campaign was stopped"
    changes = experiments.show(stage.shop, found.experiment_id).changes
    assert {one.time for one in changes} == {began, began + timedelta(hours=1)}
    early = stage.confirmed(segment, hold_out=0.5)
    stop(stage.shop, early.campaign_id, "before it began")
    assert trial(stage, early.campaign_id).status == "stopped"
    drafted = stage.draft(segment, hold_out=0.5)
    assert stop(stage.shop, drafted.campaign_id, "never confirmed").status == "stopped"


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("by_hand", [False, True])
def test_results_after_the_end_are_those_before(stage: Stage, by_hand: bool) -> None:
    people = stage.people(300, "file")
    told = stage.template({"text": "Tea."}, channel="file")
    campaign = stage.launched(stage.segment(*people), told, hold_out=0.5, window_days=3)
    stage.send("file")
    launch(stage.shop)
    arms = stage.exposed(campaign)
    chances = {one: 0.2 if arm == "control" else 0.5 for one, arm in arms.items()}
    bought(stage, chances, stage.clock.now + timedelta(hours=2))
    stage.clock.forward(days=2)
    measure(stage.shop)
    assert trial(stage, campaign).status == "running"
    stage.clock.forward(days=3)
    before = results(stage.shop, campaign)
    assert before.verdict.kind == "verdict"
    assert trial(stage, campaign).status == "running"
    if by_hand:
        experiments.stop(stage.shop, f"campaign-{campaign}", "by a person")
    measure(stage.shop)
    found = trial(stage, campaign)
    assert (found.status, found.stopped_at) == ("stopped", stage.clock.now)
    assert found.stop_reason == ("by a person" if by_hand else "the last customer's window is over")
    after = results(stage.shop, campaign)
    assert figures(after) == figures(before)
    measure(stage.shop)
    assert trial(stage, campaign) == found
    stage.clock.forward(days=30)
    assert figures(results(stage.shop, campaign)) == figures(before)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_the_windows_of_a_stopped_campaign_go_on_to_ripen(stage: Stage) -> None:
    people = stage.people(200, "file")
    told = stage.template({"text": "Tea."}, channel="file")
    campaign = stage.launched(stage.segment(*people), told, hold_out=0.5, window_days=3)
    stage.send("file")
    stop(stage.shop, campaign, "enough was learnt")
    arms = stage.exposed(campaign)
    chances = {one: 0.2 if arm == "control" else 0.6 for one, arm in arms.items()}
    bought(stage, chances, stage.clock.now + timedelta(hours=2))
    stage.clock.forward(days=5)
    found = results(stage.shop, campaign)
    [arm] = found.arms
    assert arm.counted == sum(one == "A" for one in arms.values())
    assert arm.difference.kind == "estimate"
    assert arm.difference.low < 0.4 < arm.difference.high
    assert show(stage.shop, campaign).campaign.status == "stopped"
