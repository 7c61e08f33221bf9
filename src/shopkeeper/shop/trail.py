"""What the audit chain records of an operation: who, what and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from shopkeeper.core.errors import ShopkeeperError
from shopkeeper.core.operation import Actor
from shopkeeper.store.audit.chain import Audit


@contextmanager
def audited(
    audit: Audit, actor: Actor, operation: str, arguments: Mapping[str, Any]
) -> Iterator[None]:
    """Append one entry when the block ends, whether it succeeded or not.

    The chain itself strips the arguments of what may be personal data.
    """
    try:
        yield
    except ShopkeeperError as error:
        audit.append(actor, operation, {**arguments, "outcome": type(error).__name__})
        raise
    except BaseException:
        audit.append(actor, operation, {**arguments, "outcome": "failed"})
        raise
    audit.append(actor, operation, {**arguments, "outcome": "done"})
