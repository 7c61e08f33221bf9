"""What became of the messages of one step: by state, by variant, and what customers did with them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from shopkeeper.store.contact_tables import message_events, messages
from shopkeeper.store.database import Database
from shopkeeper.store.experiment_tables import assignments
from shopkeeper.store.messages import WAITING, State
from shopkeeper.store.reach import REACHED

_M, _E, _A = messages.c, message_events.c, assignments.c


class Deliveries:
    """Counts over the outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def states(self, step: str) -> list[tuple[str, str, int]]:
        """How many messages stand in each state, and for which reason."""
        query = select(_M.state, _M.reason, func.count()).where(_M.step == step)
        query = query.group_by(_M.state, _M.reason).order_by(_M.state, _M.reason)
        with self._database.connect() as connection:
            return [(state, reason, n) for state, reason, n in connection.execute(query)]

    def waiting(self, step: str, most: int) -> int:
        """How many messages have not left and are not over, counted up to ``most``."""
        states = (*WAITING, State.SENDING.value)
        # Few messages wait and many are over: the index on states is the better one, whatever is guessed.
        ours = func.coalesce(_M.step, "") == step
        some = select(_M.number).where(_M.state.in_(states), ours).limit(most).subquery()
        with self._database.connect() as connection:
            return connection.scalar(select(func.count()).select_from(some)) or 0

    def left(self, step: str, since: datetime) -> int:
        """How many messages have left since then."""
        query = select(func.count()).where(
            _M.step == step, _M.state.in_(REACHED), _M.sent_at >= since
        )
        with self._database.connect() as connection:
            return connection.scalar(query) or 0

    def by_variant(self, step: str, experiment_id: str) -> dict[str, int]:
        """How many messages left for each variant of the experiment; "" where that is not known."""
        variant = func.coalesce(_A.variant_id, "")
        query = (
            select(variant, func.count())
            .select_from(messages)
            .outerjoin(
                assignments,
                (_A.experiment_id == experiment_id) & (_A.unit_id == _M.customer_id),
            )
            .where(_M.step == step, _M.state.in_(REACHED))
            .group_by(variant)
        )
        with self._database.connect() as connection:
            return {str(name): int(n) for name, n in connection.execute(query)}

    def responses(self, step: str, experiment_id: str) -> list[tuple[str, str, bool, int]]:
        """Kind, variant, whether people did it, and how many messages it happened to."""
        variant = func.coalesce(_A.variant_id, "")
        query = (
            select(_E.kind, variant, _E.counted, func.count(_E.message.distinct()))
            .select_from(message_events)
            .join(messages, _M.number == _E.message)
            .outerjoin(
                assignments,
                (_A.experiment_id == experiment_id) & (_A.unit_id == _M.customer_id),
            )
            .where(_M.step == step)
            .group_by(_E.kind, variant, _E.counted)
        )
        with self._database.connect() as connection:
            return [(k, v, bool(c), n) for k, v, c, n in connection.execute(query)]
