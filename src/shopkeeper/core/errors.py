"""What can go wrong, as one tree. Each says what to do, its HTTP status and whether to try again.

ShopkeeperError
├── BadInput                 what was given cannot be taken; names the field
│   └── UnknownName          no such thing by that name; says what is near
├── NotSignedIn              nobody known is asking
├── NotAllowed               known, but without the right
│   └── NotSent              a text whose owner did not agree was not sent to a remote model
├── NotFound                 asked for by id and not there
├── Conflict                 true in another state: refresh and decide again
│   └── LeaseHeld            another process writes the tables; says which
├── TooLarge                 more than one request may carry
├── TooMany                  more than the rate allows
├── Cancelled                somebody stopped the job
├── MissingExtra             an optional library is absent; says the pip command
├── Unavailable              a part of the system does not answer for the moment
├── ModelFailed              a language model gave no answer that can be used
│   ├── ModelBusy            it may answer later; says when
│   ├── BadReply             it answered in another form than asked, also when told so
│   └── CannotAnswer         no model that writes is configured
├── OverBudget               the cap on what models may cost leaves no room
└── Corrupt                  stored data do not add up; nothing was guessed
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from shopkeeper.core.text import did_you_mean


class ShopkeeperError(Exception):
    """The root: catch this to catch every error that Shopkeeper raises on purpose."""

    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def to_json(self) -> dict[str, Any]:
        """The one shape in which every surface shows an error."""
        return {
            "error": {
                "code": type(self).__name__,
                "message": self.message,
                "hint": self.hint,
                "field": self.field,
                "retryable": self.retryable,
            }
        }


class BadInput(ShopkeeperError):
    status = 422


class UnknownName(BadInput):
    """Built from the wrong name and the known ones, so that it can say what was meant."""

    def __init__(
        self, what: str, name: str, known: Iterable[str], *, field: str | None = None
    ) -> None:
        names = sorted(known)
        near = did_you_mean(name, names)
        hint = f"Did you mean {near!r}?" if near else f"Known: {', '.join(names) or 'none'}."
        super().__init__(f"No {what} is named {name!r}.", hint=hint, field=field)


class NotSignedIn(ShopkeeperError):
    status = 401


class NotAllowed(ShopkeeperError):
    status = 403


class NotSent(NotAllowed):
    """Nothing left this machine."""


class NotFound(ShopkeeperError):
    status = 404


class Conflict(ShopkeeperError):
    status = 409


class LeaseHeld(Conflict):
    retryable = True


class TooLarge(ShopkeeperError):
    status = 413


class TooMany(ShopkeeperError):
    status = 429
    retryable = True


class Cancelled(ShopkeeperError):
    status = 409


class MissingExtra(ShopkeeperError):
    """Built from what needs the library and the extra that brings it."""

    status = 501

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs an optional library.", hint=f"Run: pip install 'shopkeeper[{extra}]'"
        )


class Unavailable(ShopkeeperError):
    status = 503
    retryable = True


class ModelFailed(ShopkeeperError):
    """Also says what the failed answer cost, in tokens; None: not known, perhaps all it could."""

    status = 502

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        field: str | None = None,
        tokens_in: int | None = 0,
        tokens_out: int | None = 0,
    ) -> None:
        super().__init__(message, hint=hint, field=field)
        self.tokens_in = tokens_in
        self.tokens_out = tokens_out


class ModelBusy(ModelFailed):
    """``after`` is the number of seconds that the model asks to wait, where it says so."""

    status = 503
    retryable = True
    after: float | None = None


class BadReply(ModelFailed):
    pass


class CannotAnswer(ModelFailed):
    status = 501


class OverBudget(ShopkeeperError):
    status = 402


class Corrupt(ShopkeeperError):
    status = 500
