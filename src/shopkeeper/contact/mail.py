"""One e-mail as bytes: plain and HTML parts, headers that no value can break, and a DKIM signature."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html.parser import HTMLParser

from shopkeeper.contact import addresses
from shopkeeper.contact.dkim import Signing, signature
from shopkeeper.contact.letter import Letter
from shopkeeper.core.errors import BadInput

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class Envelope:
    """Who writes: the address that readers see, its name, and where bounces go."""

    sender: str
    name: str
    bounces: str
    mailto: str = ""
    signing: Signing | None = None

    @property
    def domain(self) -> str:
        return addresses.domain(self.sender)


def envelope(told: str, bounces: str, mailto: str, signing: Signing | None) -> Envelope:
    """The envelope of ``Name <address>``.

    Raises:
        BadInput: that is no address.
    """
    refuse_breaks("from", told)
    name, sender = parseaddr(told)
    sender, back = addresses.email(sender), addresses.email(bounces) if bounces else ""
    if not sender or (bounces and not back):
        raise BadInput(
            "The sender's address is none.",
            hint="Set SHOPKEEPER_EMAIL_FROM to: Shop <news@example.com>.",
            field="SHOPKEEPER_EMAIL_FROM",
        )
    return Envelope(sender, name, back or sender, mailto, signing)


def refuse_breaks(name: str, value: str) -> None:
    """Refuse a value that would end its header and start another."""
    if _CONTROL.search(value):
        raise BadInput(
            f"{name} holds a line break or a control character.",
            hint="Remove it: a header must stay on one line.",
            field=name,
        )


def compose(letter: Letter, envelope: Envelope) -> bytes:
    """The message, ready for DATA: CRLF lines, ASCII only, signed where there is a key.

    Raises:
        BadInput: a value would break a header.
    """
    content = letter.content
    for name, value in (
        ("subject", content.subject),
        ("address", letter.address),
        ("unsubscribe_url", letter.unsubscribe_url),
    ):
        refuse_breaks(name, value)
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(envelope.name, addr_spec=envelope.sender)
    message["To"] = Address(addr_spec=letter.address)
    message["Subject"] = content.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = message_id(letter.message_id, envelope)
    if letter.unsubscribe_url:
        message["List-Id"] = f"<{_label(letter.purpose)}.{envelope.domain}>"
        message["Precedence"] = "bulk"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(content.text or plain(content.html), cte="base64")
    if content.html:
        message.add_alternative(content.html, subtype="html", cte="base64")
    made = _unsubscribing(letter, envelope) + message.as_bytes()
    signing = envelope.signing
    return made if signing is None else signature(made, signing, datetime.now(UTC)) + made


def message_id(ours: str, envelope: Envelope) -> str:
    """The Message-ID of our message: the same at every try."""
    return f"<{ours}@{envelope.domain}>"


def _unsubscribing(letter: Letter, envelope: Envelope) -> bytes:
    """The headers of RFC 8058, each on one line: folded, some receivers read them wrongly."""
    if not letter.unsubscribe_url:
        return b""
    links = [f"<{letter.unsubscribe_url}>"]
    links += [f"<mailto:{envelope.mailto}>"] if envelope.mailto else []
    lines = (
        f"List-Unsubscribe: {', '.join(links)}\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    )
    return lines.encode("ascii")


def _label(purpose: str) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", purpose.lower()).strip("-") or "list"


class _Words(HTMLParser):
    """Collects the words of a page, with links in brackets."""

    _BLOCKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table"})
    _HIDDEN = frozenset({"style", "script", "head", "title"})

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._links: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in self._HIDDEN
        if tag in self._BLOCKS:
            self.parts.append("\n")
        if tag == "a":
            self._links.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in self._HIDDEN
        if tag in self._BLOCKS:
            self.parts.append("\n")
        if tag == "a" and self._links and (link := self._links.pop()):
            self.parts.append(f" <{link}>")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def plain(html: str) -> str:
    """The words of an HTML part, for readers without HTML."""
    words = _Words()
    words.feed(html)
    words.close()
    lines = (" ".join(line.split()) for line in "".join(words.parts).splitlines())
    return "\n".join(line for line in lines if line) + "\n"
