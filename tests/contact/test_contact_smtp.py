"""The e-mail channel against another's SMTP server (aiosmtpd): its dialogue, TLS and sign-in."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from shopkeeper.contact.channels.base import Surroundings, plug
from shopkeeper.contact.letter import Content, Letter, Outcome


class _Box:
    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes, bool]] = []

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.taken.append((envelope.rcpt_tos[0], envelope.content, session.ssl is not None))
        return "250 2.0.0 taken"


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "tls.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context


@pytest.fixture
def box() -> _Box:
    return _Box()


@pytest.fixture
def server(box: _Box, certificate: ssl.SSLContext) -> Iterator[Controller]:
    def sign_in(_server: Any, _session: Any, _envelope: Any, _kind: Any, data: Any) -> AuthResult:
        return AuthResult(success=data.login == b"shop" and data.password == b"right")

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(
        box, "127.0.0.1", port, tls_context=certificate, authenticator=sign_in, auth_required=False
    )
    controller.start()
    yield controller
    controller.stop()


def _letters() -> list[Letter]:
    words = Content(subject="Spring 春天", text=".\n..two\nend", html="<p>x</p>")
    return [Letter(f"{n:032x}", f"c{n}@example.com", words) for n in range(3)]


def test_letters_arrive_whole_over_one_connection_with_tls(
    server: Controller, box: _Box, tmp_path: Path
) -> None:
    around = {
        "SHOPKEEPER_EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
        "SHOPKEEPER_EMAIL_FROM": "Shop <news@shop.example>",
    }
    channel = plug("email").open(Surroundings(tmp_path, around))
    assert [channel.send(one).outcome for one in _letters()] == [Outcome.ACCEPTED] * 3
    channel.close()
    assert [(to, tls) for to, _, tls in box.taken] == [
        (f"c{n}@example.com", True) for n in range(3)
    ]
    message = message_from_bytes(box.taken[0][1], policy=default)
    assert message["Subject"] == "Spring 春天"
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == [".", "..two", "end"]


def test_a_certificate_that_nobody_vouches_for_gets_no_password(
    server: Controller, box: _Box, tmp_path: Path
) -> None:
    around = {
        "SHOPKEEPER_EMAIL_URL": f"smtp+starttls://shop:right@127.0.0.1:{server.port}",
        "SHOPKEEPER_EMAIL_FROM": "Shop <news@shop.example>",
    }
    channel = plug("email").open(Surroundings(tmp_path, around))
    result = channel.send(_letters()[0])
    assert (result.outcome, result.code, result.fault) == (Outcome.LATER, "connect", True)
    assert "SSL" in result.answer
    channel.close()
    assert box.taken == []
