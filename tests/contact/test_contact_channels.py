"""Each channel against a real server, and one contract that all keep."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contact.mailbox import Mailbox
from tests.contact.provider import Provider

from shopkeeper.contact.channels.base import Channel, Surroundings, plug, plugs
from shopkeeper.contact.channels.email import _stuffed
from shopkeeper.contact.dkim import Signing
from shopkeeper.contact.letter import Content, Letter, Outcome, Result
from shopkeeper.contact.mail import compose, envelope, plain
from shopkeeper.contact.signatures import headers, secrets, verify
from shopkeeper.core.errors import BadInput, NotSignedIn, UnknownName
from shopkeeper.core.events import CHANNELS

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
WORDS = Content(
    subject="Spring 春天", text="Hello", html="<p>Hello <a href='https://a.b'>you</a></p>"
)
TEMPLATE = Content(template_id="T1", variables={"name": "Ann"})
ADDRESS = {
    "email": "ann@example.com",
    "phone": "13800138000",
    "openid": "oAbCdEf12345",
    "customer": "C7",
}
CONTENT = {"email": WORDS, "webhook": WORDS, "file": WORDS, "sms": TEMPLATE, "wechat": TEMPLATE}
NAMES = [one.name for one in plugs()]


def letter(name: str, content: Content | None = None, number: int = 1) -> Letter:
    kind = plug(name).kind
    return Letter(
        f"{number:032x}", ADDRESS[kind], content or CONTENT[name], "spring-1", "marketing", "spring",
        "https://shop.example/v1/contact/unsubscribe/abc.def",
    )  # fmt: skip


class Bench:
    """One channel open towards a server on loopback that counts what arrives."""

    def __init__(self, name: str, folder: Path, mailbox: Mailbox, provider: Provider) -> None:
        self.name, self.mailbox, self.provider = name, mailbox, provider
        self.folder = folder
        prefix = f"SHOPKEEPER_{name.upper()}"
        url = f"smtp://127.0.0.1:{mailbox.port}" if name == "email" else provider.url
        self.environment = {
            f"{prefix}_URL": url,
            f"{prefix}_SECRET": SECRET,
            f"{prefix}_SECONDS": "1",
            "SHOPKEEPER_EMAIL_FROM": "Shop <news@shop.example>",
        }
        self.channel: Channel = plug(name).open(Surroundings(folder, self.environment))

    @property
    def arrived(self) -> int:
        if self.name == "email":
            return len(self.mailbox.taken)
        if self.name == "file":
            path = self.folder / "outgoing" / "letters.jsonl"
            return len(path.read_text().splitlines()) if path.exists() else 0
        return len({one.headers["webhook-id"] for one in self.provider.posted})


@pytest.fixture(params=NAMES)
def bench(request: pytest.FixtureRequest, tmp_path: Path, provider: Provider) -> Iterator[Bench]:
    with Mailbox() as mailbox:
        made = Bench(request.param, tmp_path, mailbox, provider)
        yield made
        made.channel.close()


def test_contract_a_letter_arrives_and_the_channel_can_be_used_again(bench: Bench) -> None:
    for number in (1, 2):
        result = bench.channel.send(letter(bench.name, number=number))
        assert result.outcome is Outcome.ACCEPTED, result
    assert bench.arrived == 2
    assert bench.channel.arrived("f" * 32) in (None, False)
    if bench.channel.arrived("f" * 32) is False:
        assert bench.channel.arrived(f"{1:032x}") is True


def test_contract_a_repeatable_channel_shows_the_same_id_again(bench: Bench) -> None:
    for _ in range(2):
        bench.channel.send(letter(bench.name))
    assert bench.arrived == (1 if plug(bench.name).repeatable else 2)


def test_contract_a_server_that_is_away_is_no_error_but_later(bench: Bench, tmp_path: Path) -> None:
    if bench.name == "file":
        return
    prefix = f"SHOPKEEPER_{bench.name.upper()}_URL"
    scheme = "smtp" if bench.name == "email" else "http"
    away = bench.environment | {prefix: f"{scheme}://127.0.0.1:9"}
    channel = plug(bench.name).open(Surroundings(tmp_path, away))
    result = channel.send(letter(bench.name))
    assert (result.outcome, result.fault) == (Outcome.LATER, True)
    channel.close()


def test_contract_a_channel_that_is_not_set_up_says_what_is_missing(bench: Bench) -> None:
    if bench.name == "file":
        return
    with pytest.raises(BadInput, match=f"SHOPKEEPER_{bench.name.upper()}_URL is missing") as raised:
        plug(bench.name).open(Surroundings(bench.folder, {}))
    assert "Set SHOPKEEPER_" in raised.value.hint


def test_contract_an_empty_content_is_refused_with_the_part_that_is_missing(bench: Bench) -> None:
    with pytest.raises(BadInput) as raised:
        plug(bench.name).check(Content())
    assert (raised.value.field or "").startswith("content.")
    plug(bench.name).check(CONTENT[bench.name])


def test_a_channel_that_is_none_says_which_is_near() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'email'"):
        plug("emial")


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"template_id": "T1", "text": "buy now"}, "content.text"),
        ({"template_id": "T1", "variables": {"name": "x" * 71}}, "content.variables.name"),
        ({"template_id": "T1", "variables": {"na me": "x"}}, "content.variables"),
        ({"template_id": "T1", "variables": {"name": "a\nb"}}, "content.variables.name"),
        ({"variables": {"name": "x"}}, "content.template_id"),
    ],
)
def test_an_sms_is_an_approved_template_and_no_free_text(
    content: dict[str, object], field: str
) -> None:
    with pytest.raises(BadInput) as raised:
        plug("sms").check(Content.model_validate(content))
    assert raised.value.field == field


@pytest.fixture(scope="module")
def key() -> tuple[bytes, bytes]:
    """A DKIM key: the private one as PEM, the public one as the DNS has it."""
    made = rsa.generate_private_key(65537, 2048)
    private = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = made.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def test_an_email_is_signed_has_both_parts_and_one_click_headers_on_one_line(
    key: tuple[bytes, bytes],
) -> None:
    private, public = key
    who = envelope(
        "掌柜 Shop <news@shop.example>", "bounce@shop.example", "stop@shop.example",
        Signing.of("shop.example", "s1", private),
    )  # fmt: skip
    long = "https://shop.example/v1/contact/unsubscribe/" + "x" * 300
    made = Letter("a" * 32, "ann@example.com", WORDS, purpose="marketing", unsubscribe_url=long)
    raw = compose(made, who)
    assert f"List-Unsubscribe: <{long}>, <mailto:stop@shop.example>\r\n".encode() in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    assert b"\n" not in raw.replace(b"\r\n", b"")
    others = [n for n in raw.split(b"\r\n") if len(n) > 998]
    assert not others
    message = message_from_bytes(raw, policy=default)
    assert message["Subject"] == "Spring 春天"
    assert message["From"].addresses[0].display_name == "掌柜 Shop"
    assert message["Message-ID"] == f"<{'a' * 32}@shop.example>"
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert page is not None
    assert text.get_content().strip() == "Hello"
    assert "<p>Hello" in page.get_content()

    def dns(name: bytes, timeout: int = 5) -> bytes:
        assert name.rstrip(b".") == b"s1._domainkey.shop.example"
        return public

    assert dkim.verify(raw, dnsfunc=dns)
    signed = raw.partition(b"DKIM-Signature:")[2].partition(b"\r\nList-")[0].lower()
    assert b"list-unsubscribe" in signed
    assert b"list-unsubscribe-post" in re.sub(rb"\s+", b"", signed)
    for old, new in (
        (b"Subject: ", b"Subject: Re "),
        (b"unsubscribe/x", b"unsubscribe/y"),
        (b"From: ", b"From: x@evil.example\r\nFrom: "),
        (b"SGVsbG8", b"SGVsbG9"),
    ):
        assert not dkim.verify(raw.replace(old, new, 1), dnsfunc=dns)


@pytest.mark.parametrize("pem", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_dkim_key_that_is_none_is_named(pem: bytes) -> None:
    with pytest.raises(BadInput, match="DKIM key") as raised:
        Signing.of("shop.example", "s1", pem)
    assert raised.value.field == "SHOPKEEPER_EMAIL_DKIM_KEY"


@settings(max_examples=40)
@given(st.text(max_size=300), st.text(max_size=80).filter(lambda s: s.isprintable()))
def test_whatever_the_words_the_signature_holds(
    key: tuple[bytes, bytes], text: str, subject: str
) -> None:
    private, public = key
    who = envelope("a@shop.example", "", "", Signing.of("shop.example", "s1", private))
    text = text.encode("utf-8", "ignore").decode()
    one = Content(subject=subject.encode("utf-8", "ignore").decode(), text=text, html="<p>x</p>")
    raw = compose(Letter("a" * 32, "ann@example.com", one), who)
    assert dkim.verify(raw, dnsfunc=lambda *_asked, **_more: public)


@pytest.mark.parametrize(
    "bad", ["\r\nBcc: all@example.com", "\nX: y", "\r", "\0", "\u2028x", "\x85"]
)
def test_nothing_can_add_a_header(bad: str, tmp_path: Path) -> None:
    who = envelope("Shop <news@shop.example>", "", "", None)
    subject = Content(subject=f"Hi{bad}", text="x")
    made = [
        Letter("1" * 32, "ann@example.com", subject),
        Letter("1" * 32, f"ann@example.com{bad}", WORDS),
        Letter("1" * 32, "ann@example.com", WORDS, unsubscribe_url=f"https://a.b/{bad}"),
    ]
    for one in made:
        with pytest.raises(BadInput, match="line break"):
            compose(one, who)
    with pytest.raises(BadInput):
        plug("email").check(subject)
    with pytest.raises(BadInput):
        envelope(f"Shop{bad} <news@shop.example>", "", "", None)


def test_words_of_a_page_for_readers_without_html() -> None:
    page = (
        "<head><style>p{}</style></head><p>Tea &amp; cups</p><script>x()</script><a href='u'>go</a>"
    )
    assert plain(page) == "Tea & cups\ngo <u>\n"


def test_dots_at_the_start_of_lines_are_doubled_and_the_message_ends_its_line() -> None:
    assert _stuffed(b".a\r\n.\r\n..b\r\nc.") == b"..a\r\n..\r\n...b\r\nc.\r\n"


def test_a_password_is_not_sent_in_the_clear_nor_shown(tmp_path: Path) -> None:
    around = {"SHOPKEEPER_EMAIL_FROM": "a@b.cn", "SHOPKEEPER_EMAIL_URL": "smtp://u:geheim@h:25"}
    with pytest.raises(BadInput, match="in the clear") as raised:
        plug("email").open(Surroundings(tmp_path, around))
    assert "geheim" not in str(raised.value)
    assert "geheim" not in repr(Surroundings(tmp_path, around))


Answers = list[tuple[int, dict[str, str], bytes] | float]


@pytest.mark.parametrize(
    ("answers", "outcome", "check"),
    [
        ([(200, {}, b'{"id": "m-9"}')], Outcome.ACCEPTED, lambda r: r.reference == "m-9"),
        ([(202, {}, b"ok")], Outcome.ACCEPTED, lambda r: r.reference is None),
        ([(410, {}, b"")], Outcome.DISABLED, lambda r: r.fault),
        ([(422, {}, b'{"code": "invalid_recipient"}')], Outcome.REFUSED, lambda r: r.bad_address),
        ([(400, {}, b"no")], Outcome.REFUSED, lambda r: not r.bad_address),
        (
            [(429, {"Retry-After": "90"}, b"")],
            Outcome.LATER,
            lambda r: r.wait_s == 90 and not r.fault,
        ),
        ([(503, {}, b"")], Outcome.LATER, lambda r: r.fault),
        ([(302, {"Location": "http://127.0.0.1:9/"}, b"")], Outcome.LATER, lambda r: r.fault),
        ([(401, {}, b"")], Outcome.LATER, lambda r: r.fault),
        ([1.3], Outcome.UNSURE, lambda r: r.fault),
    ],
)
def test_what_a_web_provider_answers(
    provider: Provider,
    tmp_path: Path,
    answers: Answers,
    outcome: Outcome,
    check: Callable[[Result], bool],
) -> None:
    around = {
        "SHOPKEEPER_WEBHOOK_URL": provider.url,
        "SHOPKEEPER_WEBHOOK_SECRET": SECRET,
        "SHOPKEEPER_WEBHOOK_SECONDS": "1",
    }
    provider.answers = answers
    channel = plug("webhook").open(Surroundings(tmp_path, around))
    result = channel.send(letter("webhook"))
    assert result.outcome is outcome
    assert check(result)
    channel.close()


def test_a_call_is_signed_as_standard_webhooks_says(provider: Provider, tmp_path: Path) -> None:
    old = "whsec_" + base64.b64encode(b"x" * 24).decode()
    around = {"SHOPKEEPER_SMS_URL": provider.url, "SHOPKEEPER_SMS_SECRET": f"{SECRET} {old}"}
    channel = plug("sms").open(Surroundings(tmp_path, around))
    channel.send(letter("sms"))
    channel.close()
    (call,) = provider.posted
    told = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    right = base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
    assert call.headers["webhook-signature"].split()[0] == f"v1,{right}"
    assert len(call.headers["webhook-signature"].split()) == 2  # while secrets are changed
    assert call.headers["webhook-id"] == f"{1:032x}"
    assert call.data == {
        "message_id": f"{1:032x}", "to": "13800138000", "template_id": "T1", "variables": {"name": "Ann"},
    }  # fmt: skip


def test_the_signature_of_the_standards_own_example() -> None:
    """The worked example of the Standard Webhooks specification."""
    keys = secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "SECRET")
    at = datetime.fromtimestamp(1614265330, UTC)
    made = headers(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_call_is_believed_only_with_a_right_signature_of_late() -> None:
    keys, now, body = secrets(SECRET, "S"), datetime(2026, 3, 4, tzinfo=UTC), b'{"a": 1}'
    made = headers(keys, "m1", now, body)
    assert verify(keys, made, body, now) == "m1"
    assert verify((b"y" * 24, *keys), made, body, now + timedelta(seconds=299)) == "m1"
    wrong = [
        (made, body + b" ", now),
        (made, body, now + timedelta(seconds=301)),
        (made, body, now - timedelta(seconds=301)),
        (made | {"webhook-id": "m2"}, body, now),
        (made | {"webhook-timestamp": "²"}, body, now),
        (made | {"webhook-signature": "v1,"}, body, now),
        (made | {"webhook-signature": "v1,é"}, body, now),
        ({}, body, now),
    ]
    for told, sent, at in wrong:
        with pytest.raises(NotSignedIn):
            verify(keys, told, sent, at)
    for secret in ("", "whsec_", "whsec_c2hvcnQ=", "whsec_!!"):
        with pytest.raises(BadInput):
            secrets(secret, "S")


def test_what_comes_of_its_messages_counts_as_nobodys_activity() -> None:
    assert {one.name for one in plugs()} <= set(CHANNELS)
