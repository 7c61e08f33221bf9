"""Subject: one customer as erasure and export see them: each id, when it was theirs, what names them."""

from __future__ import annotations

import html
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

ERASED = "[erased]"
"""What stands in the place of a name or id inside a text of somebody else's."""

PSEUDONYM = "retained-"
"""How the name begins under which an erased customer's orders are kept for their term."""

PERSONAL = frozenset(
    {
        "address", "address.street", "anonymous_id", "anonymousid", "buyer", "client_id", "consignee",
        "contact", "customer", "customer_id", "customer_name", "customerid", "device_id", "member_id",
        "e_mail", "email", "first_name", "firstname", "full_name", "fullname", "given_name", "id_card",
        "last_name", "lastname", "family_name", "mobile", "name", "nick", "nick_name", "nickname",
        "openid", "phone", "receiver", "receiver_name", "recipient", "recipient_name", "surname",
        "referrer_id", "telephone", "unionid", "user", "user_id", "user_name", "userid", "username",
        "wechat", "会员号", "客户号", "用户号", "买家", "买家昵称", "地址", "姓名",
        "客户姓名", "手机", "手机号", "收件人", "收货人", "收货人姓名", "昵称", "用户名", "电话", "联系人",
    }
)  # fmt: skip
"""Fields (traits, properties, headings; casefolded) whose value stands for one person."""

ANONYMISED = "anonymised-"
"""How the name begins under which all that an anonymised customer did is kept."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[\d ()./-]{7,25}")
_SHORTEST = 6
_SHORTEST_NUMBER = 9


@dataclass(frozen=True)
class Held:
    """An id that was the customer's from ``start`` until before ``until``: µs since 1970, None: ever."""

    sent_id: str
    start: int | None = None
    until: int | None = None


@dataclass(frozen=True)
class Subject:
    """Who is erased. ``words`` are their e-mail, phone and the like, known of nobody else.

    ``shared`` ids were also somebody else's: rows of those others keep them. ``names`` are words that
    turn up by chance, short or common: they are the customer's only as the whole value of a field
    that stands for a person. ``common`` says how many words others are known by as well.
    ``within`` are ids that ids of others hold, as C12345 does C1234: whole values only, likewise.
    """

    customer_id: str
    pseudonym: str
    held: tuple[Held, ...]
    shared: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    common: int = 0
    keeps: bool = False
    within: frozenset[str] = frozenset()

    @property
    def ids(self) -> frozenset[str]:
        """The ids that were never anybody else's."""
        return frozenset(one.sent_id for one in self.held) - self.shared


def pseudonym(start: str = PSEUDONYM) -> str:
    """A new name for what is kept: random, so that nothing leads back from it."""
    return f"{start}{secrets.token_hex(8)}"


def is_telling(text: str) -> bool:
    """Whether a text is so particular that it can be searched for inside other texts.

    Short words and short numbers turn up by chance; they are looked for as whole values only.
    """
    if len(text) < _SHORTEST:
        return False
    return not text.isdigit() or len(text) >= _SHORTEST_NUMBER


def names_one(value: str) -> bool:
    """Whether a trait's value is an e-mail address or a telephone number."""
    digits = sum(c.isdigit() for c in value)
    return bool(_EMAIL.fullmatch(value) or (_PHONE.fullmatch(value) and digits >= 7))


@dataclass(frozen=True)
class Needles:
    """What to look for: ``whole`` as a whole value, ``inside`` also within other texts.

    ``names`` only as the whole value of a field in :data:`PERSONAL`.
    """

    whole: frozenset[str]
    inside: tuple[str, ...]
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *subjects: Subject) -> Needles:
        whole = frozenset(text for s in subjects for text in (*s.ids, *s.words) if text)
        names = frozenset(name for s in subjects for name in s.names if name)
        within = frozenset(one for s in subjects for one in s.within)
        return cls(whole, tuple(sorted(filter(is_telling, whole - within))), names)

    @cached_property  # asked for each row of large files
    def bare(self) -> frozenset[str]:
        """Those that are not looked for inside texts: too short, or part of the ids of others."""
        return self.whole - frozenset(self.inside)

    @cached_property
    def pattern(self) -> str:
        """A regular expression (RE2) for those inside texts; empty where there is none."""
        return "|".join(re.escape(text) for text in self.inside)

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """Those inside texts, also as JSON's escapes, HTML and addresses spell them."""
        return tuple(sorted({form for text in self.inside for form in _spelled(text)}))

    @cached_property
    def quoted(self) -> tuple[str, ...]:
        """Those that are looked for as whole values, as JSON quotes them, also within a text of JSON."""
        escaped = {json.dumps(text) for text in self.bare}
        plain = {json.dumps(text, ensure_ascii=False) for text in self.bare}
        return tuple(sorted(escaped | {json.dumps(form)[1:-1] for form in escaped | plain}))

    def in_stream(self, pieces: Iterable[bytes]) -> int:
        """How often the plain bytes of these pieces, one after the other, hold one of the spellings."""
        forms = [form.encode() for form in self.spellings]
        overlap = max(map(len, forms), default=1) - 1
        count, before = 0, b""
        for piece in pieces:
            window = before + piece
            count += sum(window.count(form) - before.count(form) for form in forms)
            before = window[len(window) - overlap :] if overlap else b""
        return count

    def in_text(self, text: str) -> bool:
        """Whether a text names one of the subjects."""
        return text in self.whole or any(form in text for form in self.spellings)

    def is_name(self, field: object, value: object) -> bool:
        """Whether that field's whole value is one of the names."""
        return (
            isinstance(value, str)
            and value.strip() in self.names
            and str(field).strip().casefold() in PERSONAL
        )

    def in_fields(self, value: Any) -> int:
        """In how many fields of a JSON value, however deep, one of the names stands."""
        if isinstance(value, Mapping):
            return sum(self.is_name(k, v) + self.in_fields(v) for k, v in value.items())
        return sum(map(self.in_fields, value)) if isinstance(value, list | tuple) else 0

    def scrubbed(self, value: Any) -> Any:
        """A JSON value with each mention replaced."""
        if isinstance(value, str):
            if value in self.whole:
                return ERASED
            for text in self.spellings:
                value = value.replace(text, ERASED)
            return value
        if isinstance(value, Mapping):
            return {
                self.scrubbed(k): ERASED if self.is_name(k, v) else self.scrubbed(v)
                for k, v in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.scrubbed(one) for one in value]
        return ERASED if str(value) in self.whole and not isinstance(value, float | bool) else value


def _spelled(text: str) -> set[str]:
    return {text, json.dumps(text)[1:-1], html.escape(text), quote(text), quote(text, safe="")}
