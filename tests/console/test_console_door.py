"""The door from outside: plain HTTP against a real console process."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import httpx2
import pytest
from tests.console.conftest import PASSWORD, Console, console

from shopkeeper.shop import Shop

WRONG = "That name and password do not go together."


def enter(client: httpx2.Client, name: str, password: str = PASSWORD) -> httpx2.Response:
    return client.post("/sign-in", data={"name": name, "password": password})


def test_only_the_right_password_opens_and_all_else_looks_the_same(served: Console) -> None:
    with served.client(**{"Accept-Language": "en"}) as client:
        wrong = enter(client, "viewer@example.com", "not the password at all")
        nobody = enter(client, "nobody@example.com")
        assert wrong.status_code == nobody.status_code == 401
        assert WRONG in wrong.text
        assert WRONG in nobody.text
        assert not client.cookies
        right = enter(client, "viewer@example.com")
        assert right.status_code == 303
        assert right.headers["location"] == "/"
        cookie = right.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        page = client.get("/", headers={"Accept": "text/html"})
        assert page.status_code == 200


def test_who_is_not_signed_in_sees_the_sign_in_page_and_nothing_else(served: Console) -> None:
    with served.client(**{"Accept": "text/html", "Accept-Language": "en"}) as client:
        answer = client.get("/customers")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/sign-in?why=missing&to=%2Fcustomers"
        client.cookies.set("shopkeeper_session", "made-up.0123456789abcdef")
        forged = client.get("/customers", follow_redirects=True)
        assert "could not be verified" in forged.text
        for path in ("/_nicegui_ws/socket.io/?EIO=4&transport=polling", "/_nicegui/x/static/a.js"):
            assert client.get(path, headers={"Accept": "*/*"}).status_code == 401
        for path in ("/reports/file/report.html", "/docs", "/openapi.json"):
            assert client.get(path, headers={"Accept": "*/*"}).status_code == 401


def test_posts_from_other_sites_are_refused(served: Console) -> None:
    body = {"name": "viewer@example.com", "password": PASSWORD}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {},
    ):
        with httpx2.Client(base_url=served.url, headers=headers, timeout=20) as client:
            answer = client.post("/sign-in", data=body)
            assert answer.status_code == 403, headers
            assert "set-cookie" not in answer.headers
            assert client.post("/sign-out").status_code == 403


def test_another_host_name_is_not_answered(served: Console) -> None:
    with served.client(Host="evil.example") as client:
        assert client.get("/sign-in").status_code == 421


def test_headers_say_what_a_browser_may_do(served: Console) -> None:
    with served.client(Accept="text/html") as client:
        door = client.get("/sign-in")
        assert "script-src" not in door.headers["content-security-policy"]
        assert "default-src 'none'" in door.headers["content-security-policy"]
        enter(client, "viewer@example.com")
        page = client.get("/")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"https?:", policy)
        for answer in (door, page):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"(src|href)=[\"']?(https?:)?//", page.text)


def test_attempts_to_sign_in_are_limited(tmp_path: Path) -> None:
    with Shop.create(tmp_path / "shop") as shop:
        shop.persons.add("mei@example.com", PASSWORD, "viewer")
    with (
        console(tmp_path / "shop", "--idle-minutes", "0.02") as running,
        running.client(**{"Accept": "text/html", "Accept-Language": "zh"}) as client,
    ):
        for _ in range(12):  # who knows the password may come as often as they like
            assert enter(client, "mei@example.com").status_code == 303
        time.sleep(1.5)
        late = client.get("/data", follow_redirects=True)
        assert "登录已过期" in late.text
        answers = [enter(client, "mei@example.com", "wrong wrong wrong") for _ in range(11)]
        assert [a.status_code for a in answers] == [401] * 10 + [429]
        assert "尝试次数过多" in answers[-1].text
        assert enter(client, "mei@example.com").status_code == 429


def test_the_first_owner_comes_in_once_with_the_printed_code(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    Shop.create(folder).close()
    with (
        console(folder) as running,
        running.client(**{"Accept-Language": "en"}) as client,
        Shop.open(folder) as shop,
    ):
        assert running.code
        stored = b"".join(p.read_bytes() for p in folder.glob("shop.sqlite*"))
        assert running.code.encode() not in stored
        form = {
            "code": running.code,
            "name": "boss",
            "password": "too short",
            "again": "too short",
        }
        assert client.post("/set-up", data=form).status_code == 422
        assert not shop.persons.list()
        form |= {"password": PASSWORD, "again": PASSWORD + "x"}
        assert client.post("/set-up", data=form).status_code == 422
        form["again"] = PASSWORD
        assert client.post("/set-up", data=form | {"code": "wrong"}).status_code == 401
        done = client.post("/set-up", data=form)
        assert done.status_code == 303
        assert [(p.name, p.role) for p in shop.persons.list()] == [("boss", "owner")]
        client.cookies.clear()
        again = client.post("/set-up", data=form | {"name": "thief"})
        assert again.status_code == 401
        assert "not valid" in again.text
        assert len(shop.persons.list()) == 1
        entries = [e.operation for e in shop.audit.entries().entries]
        assert "console.set_up" in entries
        assert PASSWORD not in json.dumps([e.details for e in shop.audit.entries().entries])


def test_reports_are_served_by_name_only_and_without_the_consoles_rights(served: Console) -> None:
    folder = served.folder / "reports"
    folder.mkdir(exist_ok=True)
    (folder / "made.html").write_text("<p>a report</p>", "utf-8")
    (served.folder / "secret.html").write_text("no", "utf-8")
    with served.client() as client:
        enter(client, "viewer@example.com")
        good = client.get("/reports/file/made.html")
        assert good.status_code == 200
        assert good.headers["content-security-policy"].startswith("sandbox")
        for name in ("nothing.html", "shop.sqlite", "secret.html", "..%5Csecret.html"):
            assert client.get(f"/reports/file/{name}").status_code == 404, name
        for name in ("..%2Fsecret.html", "..%2F..%2Fetc%2Fpasswd", "%2e%2e/secret.html"):
            answer = client.get(f"/reports/file/{name}")
            assert answer.text != "no", name
            assert "root:" not in answer.text


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example"])
def test_signing_in_leads_nowhere_else(served: Console, to: str) -> None:
    with served.client() as client:
        data = {"name": "viewer@example.com", "password": PASSWORD, "to": to}
        assert client.post("/sign-in", data=data).headers["location"] == "/"


def test_a_script_in_a_name_or_a_shop_is_text_on_the_door(served: Console) -> None:
    with served.client(**{"Accept-Language": "en"}) as client:
        answer = enter(client, '"><script>alert(1)</script>', "x" * 12)
        assert "<script" not in answer.text
        assert "&lt;i&gt;Hills" in answer.text
