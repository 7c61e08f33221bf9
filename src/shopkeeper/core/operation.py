"""Operation: one thing the platform can do, declared once, projected onto every surface.

A capability's entry point is a typed function of a :class:`Context`. The decorator keeps the
function's own signature for Python callers; CLI, HTTP, MCP, docs and contract tests read
:attr:`Operation.arguments` (a pydantic model made of the signature) and :attr:`Operation.reply`.
"""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cache, cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from shopkeeper.core import discovery
from shopkeeper.core.errors import BadInput, Conflict, NotAllowed, UnknownName
from shopkeeper.core.plan import Plan, Step, plan_of

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop

P = ParamSpec("P")
R = TypeVar("R", bound=BaseModel)
Planner = Callable[..., Sequence[Step]]
"""Given the context and the arguments of a call, what it would do."""


class Effect(IntEnum):
    """What a call may change, from nothing to what cannot be taken back."""

    READ = 0
    WRITE = 1
    CONTACT = 2
    MONEY = 3
    IRREVERSIBLE = 4


READ, WRITE, IRREVERSIBLE = Effect.READ, Effect.WRITE, Effect.IRREVERSIBLE
CONFIRM = "confirm"
"""The argument of planned operations by which a person confirms a plan's hash."""

_MAY_CONFIRM = frozenset({"person", "local", "job"})
"""A job was confirmed by a person when it was queued: :meth:`Operation.admit` saw to it."""


@dataclass(frozen=True)
class Actor:
    """Who asks: a person, a key or the local owner, and what they may do.

    A scope is ``capability:read``, ``capability:write`` or, for either half, ``*``.
    """

    kind: str
    name: str
    scopes: frozenset[str] = frozenset()

    def may(self, capability: str, effect: Effect) -> bool:
        """Whether the actor may run an operation of that capability and effect."""
        return self.holds(f"{capability}:{'write' if effect > Effect.READ else 'read'}")

    def holds(self, scope: str) -> bool:
        """Whether the actor's scopes include this one; who may write may also read."""
        capability, _, verb = scope.partition(":")
        verbs = {verb, "*"} | ({"write"} if verb == "read" else set())
        return any(
            f"{where}:{held}" in self.scopes for where in {capability, "*"} for held in verbs
        )

    def reading(self, capabilities: Sequence[str]) -> Actor:
        """The same actor, who may also read these capabilities."""
        return replace(self, scopes=self.scopes | {f"{one}:read" for one in capabilities})


OWNER = Actor("local", "owner", frozenset({"*:*"}))
"""Who opens the shop's folder on this machine: the operating system has already let them in."""


class Progress(Protocol):
    """Told how far a job is; raises :class:`~shopkeeper.core.errors.Cancelled` when it must stop."""

    def __call__(self, done: float, total: float | None, message: str) -> None: ...


def silent(done: float, total: float | None, message: str) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Context:
    """What an operation is given: the shop, who asks, and where to tell progress."""

    shop: Shop
    actor: Actor = OWNER
    progress: Progress = field(default=silent)


class Operation(Generic[P, R]):
    """A declared operation: call it with a ``Shop`` (as its local owner) or a ``Context``."""

    def __init__(
        self,
        function: Callable[Concatenate[Context, P], R],
        effect: Effect,
        example: Mapping[str, Any],
        job: bool,
        plan: Planner | None = None,
        reads: Sequence[str] = (),
    ) -> None:
        update_wrapper(self, function)
        self.function: Callable[..., R] = function
        self.effect = effect
        self.example = dict(example)
        self.job = job
        self.plan = plan
        self.reads = tuple(reads)
        self.nightly = self.awaited = self.recorded = False
        # ``try_`` is called try: Python's own style for a name that is a keyword or a builtin.
        self.name: str = function.__name__.rstrip("_")
        self.capability: str = function.__module__.rpartition(".")[0].rpartition(".")[2]

    @property
    def full_name(self) -> str:
        return f"{self.capability}.{self.name}"

    @property
    def only_looks(self) -> bool:
        """Whether a call leaves nothing behind."""
        return self.effect == READ and not self.recorded

    @property
    def summary(self) -> str:
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @cached_property
    def _hints(self) -> dict[str, Any]:
        # Context.shop is a forward reference across layers: only the other names are resolved.
        raw = {k: v for k, v in self.function.__annotations__.items() if k != "ctx"}
        module = importlib.import_module(self.function.__module__)
        holder = type("Hints", (), {"__annotations__": raw, "__module__": module.__name__})
        return typing.get_type_hints(holder, vars(module), include_extras=True)

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """The signature as a pydantic model: frozen, unknown arguments refused."""
        parameters = list(inspect.signature(self.function).parameters.values())[1:]
        fields: dict[str, Any] = {
            p.name: (self._hints[p.name], ... if p.default is p.empty else p.default)
            for p in parameters
        }
        title = "".join(
            part.title() for part in (*self.capability.split("_"), *self.name.split("_"))
        )
        config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
        return create_model(f"{title}Arguments", __config__=config, **fields)

    @cached_property
    def reply(self) -> type[R]:
        """The pydantic model of what a call returns."""
        return typing.cast("type[R]", self._hints["return"])

    def __call__(self, where: Shop | Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
        ctx = where if isinstance(where, Context) else Context(where)
        bound = inspect.signature(self.function).bind(ctx, *args, **kwargs)
        return self.run(ctx, dict(list(bound.arguments.items())[1:]))

    def check(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments with their types, or a :class:`BadInput` that names the wrong one."""
        for key in arguments:
            if key not in self.arguments.model_fields:
                raise UnknownName("argument", key, self.arguments.model_fields, field=key)
        try:
            checked = self.arguments.model_validate(dict(arguments))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            message = first["msg"].removeprefix("Value error, ")
            raise BadInput(f"{where}: {message}", hint=self._shape(where), field=where) from error
        return {name: getattr(checked, name) for name in self.arguments.model_fields}

    def _shape(self, where: str) -> str:
        name = where.partition(".")[0]
        known, example = self.arguments.model_fields.get(name), self.example.get(name)
        if example is not None:
            return f"For example: {example!r}."
        kind = known.annotation if known is not None else None
        if kind is None:
            return ""
        return f"Expected: {kind.__name__ if isinstance(kind, type) else kind}."

    def permit(self, actor: Actor) -> None:
        """Raise :class:`NotAllowed` unless the actor may run this operation."""
        if not actor.may(self.capability, self.effect):
            need = f"{self.capability}:{'read' if self.effect == Effect.READ else 'write'}"
            raise NotAllowed(
                f"{actor.name} may not run {self.full_name}.",
                hint=f"Ask the owner for the scope {need!r}.",
            )

    def asks(self, arguments: Mapping[str, Any]) -> bool:
        """Whether a call with these arguments only asks what would happen."""
        return self.plan is not None and not arguments.get(CONFIRM)

    def admit(self, actor: Actor, arguments: Mapping[str, Any]) -> None:
        """:meth:`permit`, and for a confirmation also that a person gives it: no key, no agent."""
        self.permit(actor)
        if self.plan is None or self.asks(arguments) or actor.kind in _MAY_CONFIRM:
            return
        raise NotAllowed(
            f"{actor.name} is a key: only a person may confirm {self.full_name}.",
            hint="Sign in to the console, or run it on the machine that holds the shop.",
            field=CONFIRM,
        )

    def run(self, ctx: Context, arguments: Mapping[str, Any]) -> R:
        """Check the right and the arguments, do it, and audit it if it writes.

        An operation above ``WRITE`` answers with its plan until a person confirms the plan's hash.

        Raises:
            Conflict: what was confirmed is no longer what would happen.
        """
        self.admit(ctx.actor, arguments)
        checked = self.check(arguments)
        ctx = replace(ctx, actor=ctx.actor.reading(self.reads)) if self.reads else ctx
        if self.effect == Effect.READ:
            return self.function(ctx, **checked)
        if self.plan is not None:
            plan = self._planned(ctx, checked)
            if self.asks(checked):
                return self.reply.model_validate({"plan": plan})
            if checked[CONFIRM] != plan.hash:
                raise Conflict(
                    "What would happen is no longer what was confirmed.",
                    hint=f"Ask for the plan again and confirm it: {plan.hash}",
                    field=CONFIRM,
                )
        with ctx.shop.audited(ctx.actor, self.full_name, checked):
            return self.function(ctx, **checked)

    def _planned(self, ctx: Context, checked: Mapping[str, Any]) -> Plan:
        assert self.plan is not None  # noqa: S101 - the caller looked
        asked = {name: value for name, value in checked.items() if name != CONFIRM}
        return plan_of(self.full_name, asked, self.plan(ctx, **asked))


def operation(
    *,
    effect: Effect,
    example: Mapping[str, Any] | None = None,
    job: bool = False,
    plan: Planner | None = None,
    reads: Sequence[str] = (),
    nightly: bool = False,
    page: Literal["", "waits", "shows"] = "",
) -> Callable[[Callable[Concatenate[Context, P], R]], Operation[P, R]]:
    """Declare a function of a :class:`Context` as an operation.

    Args:
        effect: what a call may change.
        example: arguments with which the contract tests and the docs call it.
        job: whether it may take long; it then runs in the background on a server, with progress.
        plan: needed above ``WRITE`` and refused below. Given the context and the arguments but for
            ``confirm``, it says what would happen. The function then has an argument
            ``confirm: str = ""``, and its reply is a :class:`~shopkeeper.core.plan.Planned`.
        reads: other capabilities whose reads it composes: whoever may run it sees so much of them, as
            long as it runs, without a scope of their own.
        nightly: a job that the worker runs once a night with its arguments as they stand by default.
        page: that a customer's page ``waits`` for the answer: a server has threads for such calls alone, so
            that slow questions of the staff do not hold them up. Or that it also ``shows`` it, and the answer
            is written down as seen: whoever may read may call that, but no agent that may only look.
    """
    if (effect > Effect.WRITE) != (plan is not None):
        raise ValueError("an operation above WRITE, and no other, needs a plan")
    if nightly and not (job and plan is None):
        raise ValueError("what runs by night is a job that needs nobody's confirmation")

    def declare(function: Callable[Concatenate[Context, P], R]) -> Operation[P, R]:
        if plan is not None and CONFIRM not in inspect.signature(function).parameters:
            raise ValueError(f"{function.__name__} needs the argument {CONFIRM}")
        declared = Operation(function, effect, example or {}, job, plan, reads)
        declared.nightly, declared.awaited, declared.recorded = nightly, bool(page), page == "shows"
        return declared

    return declare


def of(capability: str) -> dict[str, Operation[Any, Any]]:
    """The operations of one capability, by name, in the order in which they are written."""
    modules = discovery.capabilities()
    if capability not in modules:
        raise UnknownName("capability", capability, modules)
    return dict(_declared(modules[capability]))


@cache
def _declared(module: str) -> dict[str, Operation[Any, Any]]:
    declared = vars(importlib.import_module(module)).values()
    return {o.name: o for o in declared if isinstance(o, Operation)}


def find(full_name: str) -> Operation[Any, Any]:
    """The operation called ``capability.name``."""
    capability, _, name = full_name.partition(".")
    known = of(capability)
    if name not in known:
        raise UnknownName("operation", name, known)
    return known[name]
