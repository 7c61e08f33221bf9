"""E-mail by SMTP: one connection for many letters, TLS, DKIM, one-click unsubscription (RFC 8058).

Set up by ``SHOPKEEPER_EMAIL_URL`` (``smtp://host:25`` for STARTTLS where the server offers it,
``smtps://user:password@host:465`` for TLS from the start, ``smtp+starttls://…`` where it must) and
``SHOPKEEPER_EMAIL_FROM``; a key for DKIM by ``SHOPKEEPER_EMAIL_DKIM_KEY`` (a PEM file) and
``SHOPKEEPER_EMAIL_DKIM_SELECTOR``.

SMTP has no way to ask what became of a message: a connection that breaks between the end of DATA and its
answer leaves it unknown, and it is not sent again.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from shopkeeper.contact.channels import base
from shopkeeper.contact.channels.base import Surroundings
from shopkeeper.contact.dkim import Signing
from shopkeeper.contact.letter import Content, Letter, Outcome, Result
from shopkeeper.contact.mail import Envelope, compose, envelope, refuse_breaks
from shopkeeper.core.errors import BadInput

KIND: Final = "email"
REPEATABLE: Final = False
_SECONDS: Final = 60.0
_LETTERS: Final = 200
"""Of one connection: some servers refuse more."""

_PERMANENT = 500
_CLOSING = 421
_NOBODY = ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10")
_BY_CONTENT = "554"


def check(content: Content) -> None:
    """Refuse what is no e-mail."""
    base.need(content, "subject")
    refuse_breaks("content.subject", content.subject)
    base.refuse(content, "template_id", why="an e-mail carries its words")
    if not (content.text or content.html):
        raise BadInput("The content has no words.", hint="Give it a text.", field="content.text")


@dataclass(frozen=True)
class Server:
    """Where letters are handed over."""

    host: str
    port: int
    tls: str
    user: str = ""
    password: str = field(default="", repr=False)
    seconds: float = _SECONDS

    @classmethod
    def of(cls, url: str, seconds: float) -> Server:
        """The server of an address, or :class:`BadInput`."""
        parts = urlsplit(url)
        kinds = {"smtp": ("offered", 25), "smtp+starttls": ("needed", 587), "smtps": ("all", 465)}
        if parts.scheme not in kinds or not parts.hostname:
            raise BadInput(
                "SHOPKEEPER_EMAIL_URL is no address of a mail server.",
                hint="Write smtp://host:25, smtp+starttls://user:password@host:587 or smtps://….",
                field="SHOPKEEPER_EMAIL_URL",
            )
        tls, port = kinds[parts.scheme]
        if parts.password and tls == "offered":
            raise BadInput(
                "A password would be sent in the clear.",
                hint="Use smtp+starttls:// or smtps://.",
                field="SHOPKEEPER_EMAIL_URL",
            )
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, parts.port or port, tls, user, password, seconds)


def open_channel(around: Surroundings) -> EmailChannel:
    """The channel, not connected yet."""
    url = around.need("SHOPKEEPER_EMAIL_URL", "smtps://user:password@host:465")
    seconds = float(around.get("SHOPKEEPER_EMAIL_SECONDS", str(_SECONDS)))
    key = around.get("SHOPKEEPER_EMAIL_DKIM_KEY")
    told = around.need("SHOPKEEPER_EMAIL_FROM", "Shop <news@example.com>")
    who = envelope(
        told,
        around.get("SHOPKEEPER_EMAIL_BOUNCES"),
        around.get("SHOPKEEPER_EMAIL_MAILTO"),
        _signing(around, key, told) if key else None,
    )
    return EmailChannel(Server.of(url, seconds), who)


def _signing(around: Surroundings, key: str, sender: str) -> Signing:
    selector = around.need("SHOPKEEPER_EMAIL_DKIM_SELECTOR", "the key's name in the DNS")
    path = Path(key)
    if not path.is_file():
        raise BadInput(
            "There is no file for the DKIM key.",
            hint="Set SHOPKEEPER_EMAIL_DKIM_KEY to the path of a PEM file.",
            field="SHOPKEEPER_EMAIL_DKIM_KEY",
        )
    otherwise = sender.rstrip("> ").rpartition("@")[2]
    domain = around.get("SHOPKEEPER_EMAIL_DKIM_DOMAIN", otherwise)
    return Signing.of(domain, selector, path.read_bytes())


class EmailChannel:
    """Hands letters to one server over one connection, opened again when it breaks."""

    def __init__(self, server: Server, envelope: Envelope) -> None:
        self._server = server
        self._envelope = envelope
        self._smtp: smtplib.SMTP | None = None
        self._sent = 0

    def send(self, letter: Letter) -> Result:
        """Hand one letter over."""
        try:
            message = compose(letter, self._envelope)
        except BadInput as error:
            return Result(Outcome.REFUSED, "content", error.message)
        try:
            smtp = self._connected()
        except smtplib.SMTPAuthenticationError as error:
            self._drop()
            return Result(Outcome.LATER, str(error.smtp_code), "sign-in refused", fault=True)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Result(Outcome.LATER, "connect", type(error).__name__, fault=True)
        return self._handed_over(smtp, letter.address, message)

    def arrived(self, message_id: str) -> bool | None:  # noqa: ARG002 - as every channel
        """SMTP cannot say."""
        return None

    def close(self) -> None:
        """Say good-bye."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                smtp.quit()

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is not None and self._sent >= _LETTERS:
            self.close()
        if self._smtp is None:
            self._smtp, self._sent = _connect(self._server), 0
        return self._smtp

    def _handed_over(self, smtp: smtplib.SMTP, address: str, message: bytes) -> Result:
        """The dialogue of one letter. Until the final dot is sent, nothing has left."""
        try:
            for code, answer in (
                smtp.mail(self._envelope.bounces),
                smtp.rcpt(address),
                smtp.docmd("DATA"),
            ):
                if code >= 400:
                    return self._refused(smtp, code, answer)
            smtp.send(_stuffed(message))
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Result(Outcome.LATER, "dropped", type(error).__name__, fault=True)
        try:
            smtp.send(b".\r\n")
            code, answer = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Result(Outcome.UNSURE, "dropped_after_data", type(error).__name__, fault=True)
        self._sent += 1
        if code < 400:
            return Result(Outcome.ACCEPTED, str(code), _words(answer))
        return self._refused(smtp, code, answer)

    def _refused(self, smtp: smtplib.SMTP, code: int, answer: bytes) -> Result:
        if code == _CLOSING:
            self._drop()
        else:
            try:
                smtp.rset()
            except (OSError, smtplib.SMTPException):
                self._drop()
        words = _words(answer)
        if code < _PERMANENT:
            # 421: the server as a whole; any other: this letter, as greylisting does
            return Result(Outcome.LATER, str(code), words, fault=code == _CLOSING)
        nobody = words.startswith(_NOBODY) or (code == 550 and not words.startswith("5.7"))
        return Result(Outcome.REFUSED, str(code), words, bad_address=nobody)


def _connect(server: Server) -> smtplib.SMTP:
    trust = ssl.create_default_context()
    smtp: smtplib.SMTP
    if server.tls == "all":
        smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=server.seconds, context=trust)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=server.seconds)
    try:
        # The last line is sent by itself: it must not wait for the answer to the lines before.
        if smtp.sock is not None:
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.ehlo_or_helo_if_needed()
        if server.tls == "needed" or (server.tls == "offered" and smtp.has_extn("starttls")):
            # Without a password and where it was not asked for, any certificate is better than none.
            smtp.starttls(context=trust if server.tls == "needed" else _any_certificate())
            smtp.ehlo()
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _stuffed(message: bytes) -> bytes:
    """The message with its dots doubled at the start of lines, ending in a line break."""
    doubled = message.replace(b"\r\n.", b"\r\n..")
    if doubled.startswith(b"."):
        doubled = b"." + doubled
    return doubled if doubled.endswith(b"\r\n") else doubled + b"\r\n"


def _words(answer: bytes) -> str:
    return answer.decode("utf-8", "replace")[:500]
