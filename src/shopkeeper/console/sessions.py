"""Who is signed in: a signed cookie names a session that only this process knows."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from shopkeeper.core.errors import NotSignedIn

COOKIE = "shopkeeper_session"
_MOST = 10_000
_MESSAGES = {
    "missing": "Nobody is signed in.",
    "expired": "This session has ended.",
    "forged": "This session was not made here.",
}

Why = Literal["missing", "expired", "forged"]


class SessionEnded(NotSignedIn):
    """Nobody is signed in (any more); ``why`` says which words the sign-in page shows."""

    def __init__(self, why: Why) -> None:
        super().__init__(_MESSAGES[why], hint="Sign in.")
        self.why: Why = why


@dataclass
class Session:
    """One sign-in of one person; times are of the monotonic clock, so a jump of the date ends none."""

    key: str
    person: str
    opened: float
    used: float


class Sessions:
    """Open sessions. They end when idle, after a day's work, at sign-out, and with this process."""

    def __init__(
        self,
        secret: bytes,
        *,
        idle_seconds: float,
        longest_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secret = secret
        self._idle = idle_seconds
        self._longest = longest_seconds
        self._clock = clock
        self._open: dict[str, Session] = {}

    def open(self, person: str) -> str:
        """A new session; the text of its cookie."""
        self._sweep()
        now = self._clock()
        session = Session(secrets.token_urlsafe(24), person, now, now)
        self._open[session.key] = session
        return f"{session.key}.{self._sign(session.key)}"

    def find(self, cookie: str | None) -> Session:
        """The session of a cookie, or :class:`SessionEnded`. Looking does not keep it alive."""
        if not cookie:
            raise SessionEnded("missing")
        key, _, signature = cookie.partition(".")
        if not hmac.compare_digest(
            self._sign(key).encode(), signature.encode("utf-8", "surrogatepass")
        ):
            raise SessionEnded("forged")
        session = self._open.get(key)
        if session is None or not self.alive(session):
            self._open.pop(key, None)
            raise SessionEnded("expired")
        return session

    def alive(self, session: Session) -> bool:
        """Whether it has neither been idle nor open for too long, nor been closed."""
        now = self._clock()
        return (
            session.key in self._open
            and now - session.used < self._idle
            and now - session.opened < self._longest
        )

    def touch(self, session: Session) -> None:
        """Note that the person did something, or raise :class:`SessionEnded`."""
        if not self.alive(session):
            self._open.pop(session.key, None)
            raise SessionEnded("expired")
        session.used = self._clock()

    def close(self, session: Session) -> None:
        """Sign out: the cookie opens nothing from now on."""
        self._open.pop(session.key, None)

    def close_all(self, person: str) -> None:
        """Sign a person out wherever they are."""
        for session in [s for s in self._open.values() if s.person == person]:
            self.close(session)

    def _sweep(self) -> None:
        for session in [s for s in self._open.values() if not self.alive(s)]:
            self.close(session)
        while len(self._open) >= _MOST:  # somebody signs in without end: the oldest go
            self.close(min(self._open.values(), key=lambda s: s.used))

    def _sign(self, key: str) -> str:
        message = key.encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, message, hashlib.sha256).hex()
