"""What comes back: reports of providers, opens and clicks, and customers who say no, over a real server."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import orjson
import pytest
from tests.contact.conftest import PERSON, SECRET, World
from tests.contact.mailbox import Mailbox

from shopkeeper.contact import bots
from shopkeeper.contact.dressing import dressed
from shopkeeper.contact.letter import Content
from shopkeeper.contact.links import Links
from shopkeeper.contact.signatures import headers, secrets
from shopkeeper.contact.telling import tell
from shopkeeper.core.errors import BadInput
from shopkeeper.store.message_events import Happened, MessageEvents, Seen
from shopkeeper.store.suppressions import Suppressions


@pytest.fixture
def message(world: World, mailbox: Mailbox, sent: Callable[..., int]) -> str:
    """The id of a message that was sent to ann."""
    world.rules()
    world.clock.now = datetime.now(UTC) - timedelta(minutes=1)
    world.customer("ann", phone="13800138000")
    world.queue("ann", labels={"variant_id": "B", "experiment_id": "x1", "propensity": 0.5})
    sent()
    world.clock.now = datetime.now(UTC)
    return world.one("ann").message_id


def report(web: httpx2.Client, what: str, event_id: str = "e1", **data: Any) -> httpx2.Response:
    now = datetime.now(UTC)
    body = orjson.dumps({"type": what, "timestamp": now.isoformat(), "data": data})
    signed = headers(secrets(SECRET, "S"), event_id, now, body)
    return web.post("/v1/contact/events/email", content=body, headers=signed)


def test_a_report_counts_once_however_often_it_comes(
    web: httpx2.Client, world: World, message: str
) -> None:
    first = report(web, "email.delivered", message_id=message)
    assert first.json() == {"new": True, "counted": True}
    again = report(web, "email.delivered", message_id=message)
    assert again.json() == {"new": False, "counted": False}
    assert world.one("ann").state == "delivered"
    assert [e.kind for e in MessageEvents(world.shop.database).of(world.one("ann").number)] == [
        "sent",
        "delivered",
    ]


def test_a_report_of_somebody_else_changes_nothing(
    web: httpx2.Client, world: World, message: str
) -> None:
    body = orjson.dumps({"type": "email.delivered", "timestamp": "2026-01-01T00:00:00Z",
                         "data": {"message_id": message}})  # fmt: skip
    assert web.post("/v1/contact/events/email", content=body).status_code == 401
    old = datetime.now(UTC) - timedelta(minutes=6)
    signed = headers(secrets(SECRET, "S"), "e1", old, body)
    assert web.post("/v1/contact/events/email", content=body, headers=signed).status_code == 401
    signed = headers((b"another-secret-0123456",), "e1", datetime.now(UTC), body)
    assert web.post("/v1/contact/events/email", content=body, headers=signed).status_code == 401
    assert world.one("ann").state == "accepted"
    assert report(web, "email.delivered", message_id="nobody").status_code == 404
    assert report(web, "email.danced", message_id=message).json()["error"]["field"] == "type"
    assert report(web, "sms.delivered", message_id=message).status_code == 422
    assert web.post("/v1/contact/events/sms", content=b"{}").json()["error"]["code"] == "BadInput"
    assert web.post("/v1/contact/events/pigeon", content=b"{}").status_code == 422


@pytest.mark.parametrize(
    ("kind", "data", "state", "reasons"),
    [
        ("bounced", {"kind": "hard"}, "bounced", ["bounce"]),
        ("bounced", {"kind": "soft"}, "accepted", []),
        ("complained", {}, "complained", ["complaint"]),
        ("unsubscribed", {}, "accepted", ["unsubscribe"]),
    ],
)
def test_bounces_complaints_and_unsubscriptions_keep_the_customer_from_more(
    web: httpx2.Client,
    world: World,
    message: str,
    kind: str,
    data: dict[str, str],
    state: str,
    reasons: list[str],
) -> None:
    assert report(web, f"email.{kind}", message_id=message, **data).status_code == 200
    assert world.one("ann").state == state
    found = Suppressions(world.shop.database).of(address="ann@example.com")
    assert [one.reason for one in found] == reasons
    may = world.shop.consent.may("ann", "marketing", "email")
    assert may is (kind != "unsubscribed")


def test_one_click_takes_back_this_consent_and_no_other(
    web: httpx2.Client, world: World, mailbox: Mailbox, message: str
) -> None:
    world.say("ann", "GRANT", "sms")
    data = mailbox.taken[0].data
    url = re.search(rb"List-Unsubscribe: <(https://shop.example[^>]+)>", data)
    assert url is not None
    path = url[1].decode().removeprefix("https://shop.example")
    for language, word in (("zh-CN,zh;q=0.9,en;q=0.8", "退订"), ("en-GB", "Unsubscribe")):
        page = web.get(path, headers={"accept-language": language})
        assert page.status_code == 200
        assert f"<button>{'确认退订' if word == '退订' else word}</button>" in page.text
        assert "style-src 'sha256-" in page.headers["content-security-policy"]
    assert web.head(path).status_code == 200
    assert world.shop.consent.may("ann", "marketing", "email")  # a scanner's GET changes nothing
    assert web.post(path, content=b"List-Unsubscribe=Maybe").status_code == 422
    assert world.shop.consent.may("ann", "marketing", "email")
    done = web.post(path, content=b"List-Unsubscribe=One-Click")
    assert done.status_code == 200
    assert not world.shop.consent.may("ann", "marketing", "email")
    assert world.shop.consent.may("ann", "marketing", "sms")
    said = world.shop.consent.history("ann")[-1]
    assert (said.status.value, said.proof["message_id"]) == ("REVOKED", message)
    entries = Suppressions(world.shop.database).of(address="ann@example.com")
    assert [(e.reason, e.channel, e.purpose) for e in entries] == [
        ("unsubscribe", "email", "marketing")
    ]
    entry = world.shop.audit.entries().entries[0]
    assert (entry.operation, entry.actor) == ("contact.unsubscribe", "browser:unsubscribe link")
    assert "'ann'" not in str(entry.details)
    assert (
        web.post(path, content=b"List-Unsubscribe=One-Click").status_code == 200
    )  # safe to repeat
    assert web.post(path, data={"sure": "yes"}).status_code == 200  # the page's own button


def test_a_token_that_was_changed_or_is_of_another_kind_does_nothing(
    web: httpx2.Client, world: World, message: str
) -> None:
    links = Links.of(world.shop.database)
    right = links.token("unsubscribe", ["ann", "email", "marketing", message])
    told, _, signature = right.partition(".")
    other = base64.urlsafe_b64encode(
        orjson.dumps(["unsubscribe", "bob", "email", "marketing", message])
    ).decode()
    wrong = [f"{other}.{signature}", f"{told}.", told, "x" * 5000, f"{told}.{signature}é"]
    wrong.append(links.token("click", ["ann", "email", "marketing", message]))
    for token in wrong:
        page = web.post(f"/v1/contact/unsubscribe/{token}", content=b"List-Unsubscribe=One-Click")
        assert page.status_code == 422
        assert "text/html" in page.headers["content-type"]
    assert world.shop.consent.may("ann", "marketing", "email")
    with pytest.raises(BadInput):
        links.read("open", right)


def test_a_tracked_link_leads_where_the_shop_said_and_nowhere_else(
    web: httpx2.Client, world: World, message: str
) -> None:
    links = Links.of(world.shop.database)
    target = "https://tea.example/spring?a=1&b=茶"
    path = links.click(message, target).removeprefix("https://shop.example")
    answer = web.get(path, headers=PERSON, follow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("https://tea.example/spring?a=1&b=")
    forged = web.get("/v1/contact/click/aHR0cHM6Ly9ldmlsLmV4YW1wbGU.AAAA", follow_redirects=False)
    assert forged.status_code == 422
    web.head(path, headers=PERSON, follow_redirects=False)
    web.get(path, headers={"user-agent": "Barracuda Sentinel"}, follow_redirects=False)
    picture = web.get(links.opened(message).removeprefix("https://shop.example"), headers=PERSON)
    assert picture.headers["content-type"] == "image/gif"
    seen = MessageEvents(world.shop.database).of(world.one("ann").number)
    assert [(e.kind, e.counted, e.why) for e in seen if e.kind != "sent"] == [
        ("clicked", True, ""),
        ("clicked", False, "head_request"),
        ("clicked", False, "known_agent"),
        ("opened", True, ""),
    ]


def test_what_people_did_goes_to_the_shops_log_once_and_what_machines_did_does_not(
    world: World, message: str
) -> None:
    events = MessageEvents(world.shop.database)
    start = world.clock.now

    def happened(number: int, seconds: float, link: str, why: str = "") -> None:
        at = start + timedelta(seconds=seconds)
        events.note(message, Happened(f"c{number}", "clicked", at, why, link))

    for number in range(3):  # a scanner: three links within two seconds, as a person's browser
        happened(number, 10 + number * 0.7, f"https://tea.example/{number}")
    happened(3, 100, "https://tea.example/0")
    happened(4, 130, "https://tea.example/1", "known_agent")
    assert tell(world.shop) == 1  # "sent" alone is old enough to be judged
    world.clock.forward(minutes=10)
    assert tell(world.shop) == 1
    assert tell(world.shop) == 0
    rows = [orjson.loads(payload) for _, _, payload in world.shop.log.read(0, 99)]
    assert [row["name"] for row in rows] == ["email_sent", "email_clicked"]
    click = rows[1]
    assert click["user_id"] == "ann"
    assert (click["variant_id"], click["experiment_id"], click["propensity"]) == ("B", "x1", 0.5)
    assert click["properties"]["link"] == "https://tea.example/0"
    with world.shop.writer("test") as writer:
        assert writer.drain() == 2
    why = {e.event_id: e.why for e in events.of(world.one("ann").number)}
    assert [why[f"c{n}"] for n in range(5)] == [*["many_links_at_once"] * 3, "", "known_agent"]


def test_an_open_within_two_seconds_of_sending_is_a_machines(world: World, message: str) -> None:
    found = world.one("ann")
    assert found.sent_at is not None
    seen = [
        Seen(1, "a", "opened", found.sent_at + timedelta(seconds=1), True, "", None),
        Seen(2, "b", "opened", found.sent_at + timedelta(seconds=9), True, "", None),
    ]
    assert bots.bursts(found, seen) == {1: "too_soon"}


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        (PERSON["user-agent"], ""),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50", ""),
        ("Mozilla/5.0", "no_browser"),
        ("", "no_browser"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", "known_agent"),
        (
            "Mozilla/5.0 (Windows NT 5.1) Firefox/11.0 (via ggpht.com GoogleImageProxy)",
            "known_agent",
        ),
        ("curl/8.5", "known_agent"),
        ("python-httpx2/2.16", "known_agent"),
    ],
)
def test_who_fetches(agent: str, why: str) -> None:
    assert bots.by_request("GET", agent) == why


def test_links_in_a_page_are_tracked_and_the_one_to_unsubscribe_is_not(world: World) -> None:
    links = Links.of(world.shop.database, world.environment)
    page = (
        '<body><a class="x" href="https://tea.example/?a=1&amp;b=2">tea</a> '
        "<a href='mailto:x@y.cn'>write</a> <A HREF='{{unsubscribe_url}}'>stop</A></body>"
    )
    content = Content(subject="s", text="stop: {{unsubscribe_url}}", html=page)
    plain = dressed(content, "https://u.example/?a&b", links, "")
    assert plain.text == "stop: https://u.example/?a&b"
    assert "https://tea.example/?a=1&amp;b=2" in plain.html
    assert "<img" not in plain.html
    tracked = dressed(content, "https://u.example/", links, "m" * 32)
    found = re.search(r'href="https://shop.example/v1/contact/click/([^"]+)"', tracked.html)
    assert found is not None
    assert links.read("click", found[1]) == ["m" * 32, "https://tea.example/?a=1&b=2"]
    assert "mailto:x@y.cn" in tracked.html
    assert "HREF='https://u.example/'" in tracked.html
    assert tracked.html.endswith('alt=""></body>')
