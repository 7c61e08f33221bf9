from __future__ import annotations

import subprocess
import sys

import pytest
from tests.governance.conftest import ANN, NAMES, World
from tests.governance.test_governance_erase import traces

from shopkeeper.core.operation import OWNER, Context
from shopkeeper.governance.operations import certificates, erase
from shopkeeper.shop import Shop

KILLED = """
import os, sys
from shopkeeper.core.operation import OWNER, Context
from shopkeeper.governance.operations import erase
from shopkeeper.shop import Shop
folder, who, step = sys.argv[1], sys.argv[2], int(sys.argv[3])
def die(done, total, message):
    if done == step:
        os.kill(os.getpid(), 9)
with Shop.open(folder) as shop:
    plan = erase(shop, [who]).plan
    print(plan.hash, flush=True)
    erase(Context(shop, OWNER, die), [who], confirm=plan.hash)
"""


def _finish(shop: Shop, confirm: str) -> None:
    plan = erase(shop, [ANN]).plan
    assert plan is not None
    assert plan.hash == confirm  # what was confirmed once still holds
    done = erase(Context(shop, OWNER), [ANN], confirm=confirm)
    assert done.certificate is not None
    assert done.certificate.clean
    listed = certificates(shop)
    assert (len(listed.certificates), listed.running) == (1, 0)
    assert shop.restrictions.list() == []


class Stopped(BaseException):
    pass


@pytest.mark.parametrize("step", range(1, 7))
def test_an_interrupted_erasure_leaves_the_customer_restricted_and_is_finished(
    world: World, step: int
) -> None:
    def stop(done: float, total: float | None, message: str) -> None:
        if done == step:
            raise Stopped

    plan = erase(world.shop, [ANN]).plan
    assert plan is not None
    with pytest.raises(Stopped):
        erase(Context(world.shop, OWNER, stop), [ANN], confirm=plan.hash)
    assert all(event["customer_id"] != ANN for event in world.events())
    if step < 6:
        assert [one.customer_id for one in world.shop.restrictions.list()] == [ANN]
    _finish(world.shop, plan.hash)
    assert {e["order_id"] for e in world.events() if e["order_id"]} == {"A-0", "A-1", "B-1"}
    world.shop.close()
    assert traces(world.shop.folder, *NAMES) == []


def test_a_killed_erasure_is_finished_by_the_next_call(world: World) -> None:
    folder = world.shop.folder
    world.shop.close()
    command = [sys.executable, "-c", KILLED, str(folder), ANN, "3"]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert killed.returncode == -9, killed.stderr
    with Shop.open(folder) as shop:
        assert [one.customer_id for one in shop.restrictions.list()] == [ANN]
        _finish(shop, killed.stdout.strip())
    assert traces(folder, *NAMES) == []
