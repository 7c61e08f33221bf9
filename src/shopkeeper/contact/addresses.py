"""Addresses of customers: which trait holds one, its normal form, and whether it can be one at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

_TRAITS: Final[dict[str, tuple[str, ...]]] = {
    "email": ("email", "e_mail", "mail"),
    "phone": ("phone", "mobile", "telephone"),
    "openid": ("openid", "wechat_openid"),
    "customer": (),
}
"""Kinds of addresses, and the traits in which one may stand; a customer's own id needs none."""

_ZONES: Final = ("time_zone", "timezone")
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_PHONE = re.compile(r"\+?[0-9]{7,15}")
_OPENID = re.compile(r"[A-Za-z0-9_-]{6,64}")
_APART = str.maketrans("", "", " -().\u00a0")


def of(kind: str, customer_id: str, traits: Mapping[str, str]) -> str | None:
    """The customer's address of that kind in its normal form; empty: it is none; None: there is none.

    A line break or any other character that could end a header makes it none.
    """
    if kind == "customer":
        return customer_id
    for name in _TRAITS[kind]:
        if told := traits.get(name):
            return NORMAL[kind](told)
    return None


def zone(traits: Mapping[str, str]) -> str:
    """The name of the customer's time zone, as they or their device told it; empty: not known."""
    for name in _ZONES:
        if told := traits.get(name):
            return told
    return ""


def email(told: str) -> str:
    """An e-mail address with its domain in lower case and ASCII; empty where it is none."""
    local, at, domain = told.strip(" ").rpartition("@")
    if not at or len(local) > 64 or len(domain) > 253:
        return ""
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    address = f"{local}@{domain.lower()}"
    return address if _EMAIL.fullmatch(address) else ""


def phone(told: str) -> str:
    """A telephone number of digits alone, with a plus where it had one; empty where it is none."""
    number = told.strip(" ").translate(_APART)
    return number if number.isascii() and _PHONE.fullmatch(number) else ""


def _openid(told: str) -> str:
    return told if _OPENID.fullmatch(told) else ""


NORMAL: Final[dict[str, Callable[[str], str]]] = {
    "email": email,
    "phone": phone,
    "openid": _openid,
    "customer": str,
}


def normal(kind: str, told: str) -> str:
    """The normal form of an address; empty where it is none."""
    return NORMAL[kind](told)


def same(kind: str, address: str) -> str:
    """The form by which an address is suppressed: e-mail addresses of any case are one."""
    return address.casefold() if kind == "email" else address.lstrip("+")


def domain(address: str) -> str:
    """The domain of an e-mail address; empty for other addresses."""
    return address.rpartition("@")[2] if "@" in address else ""
