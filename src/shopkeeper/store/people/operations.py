"""Who may sign in to the console."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shopkeeper.core.errors import Conflict, NotAllowed
from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.store.people.types import Invitation, People, Person, Role

Hours = Annotated[float, Field(gt=0, le=168)]


@operation(effect=WRITE, example={"name": "mei@example.com", "role": "viewer"})
def invite(ctx: Context, name: str, role: Role = "viewer", hours: Hours = 24) -> Invitation:
    """A code with which a person chooses a password, once; for a known person, a new password.

    Enter it on the console's page ``/set-up``. Nobody can give a role that may more than they may.
    """
    from shopkeeper.store.people.persons import check_name, scopes

    check_name(name)
    known = ctx.shop.persons.find(name)
    for given in {role, known.role} if known else {role}:
        _refuse_more(ctx, scopes(given), given)
    if known and known.role != role:
        raise Conflict(
            f"{name} is known already, as {known.role}.",
            hint="Invite them with that role for a new password, or change the role.",
            field="role",
        )
    return ctx.shop.invitations.create(name, role, hours=hours)


@operation(effect=READ, example={})
def show(ctx: Context) -> People:
    """Everybody who may sign in, by name, and the invitations that are still open."""
    return People(people=tuple(ctx.shop.persons.list()), invited=tuple(ctx.shop.invitations.list()))


@operation(effect=WRITE, example={"person": "mei@example.com"})
def disable(ctx: Context, person: str) -> Person:
    """The person, who can sign in no more and is signed out where they are; the last owner stays."""
    people = {p.name: p for p in ctx.shop.persons.list()}
    owners = [p for p in people.values() if p.role == "owner" and p.disabled_at is None]
    if [p.name for p in owners] == [person]:
        raise Conflict(f"{person} is the last owner.", hint="Make another owner first.")
    ctx.shop.persons.disable(person)
    return _known(ctx, person)


@operation(effect=WRITE, example={"person": "mei@example.com"})
def enable(ctx: Context, person: str) -> Person:
    """The person, who may sign in again with the password they had."""
    ctx.shop.persons.enable(person)
    return _known(ctx, person)


def _known(ctx: Context, name: str) -> Person:
    found = ctx.shop.persons.find(name)
    if found is None:
        raise Conflict(f"{name} is gone.", hint="Look at the list again.")
    return found


def _refuse_more(ctx: Context, wanted: frozenset[str], role: str) -> None:
    for scope in wanted:
        if not ctx.actor.holds(scope):
            raise NotAllowed(
                f"{ctx.actor.name} may not make somebody {role}.",
                hint="Ask an owner to invite them.",
                field="role",
            )
