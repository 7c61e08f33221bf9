"""The page that is laid out from a letter's text: says the same, escaped, with its links and its way out."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.content.conftest import Approve, person

from shopkeeper.contact.dressing import dressed
from shopkeeper.contact.letter import Content
from shopkeeper.contact.links import Links
from shopkeeper.content.layout import page
from shopkeeper.content.operations import check, preview
from shopkeeper.content.rendering import letters
from shopkeeper.core.settings import Language
from shopkeeper.shop import Shop

OUT = "{{unsubscribe_url}}"
TEXT = (
    'Dear {{ customer.name | default: "customer" }},\n\n{{ item.title }} is back.\nCome & see: '
    "https://shop.example/tea?a=1&b=2.\n\nYour {{ shop.name }}\n\n"
    "No more of these letters? Unsubscribe: {{ unsubscribe_url }}\n"
)


class Page(HTMLParser):
    """The words and links of a page, and whether its tags are closed in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & set(self.open):
            self.words.append(data)


def laid(text: str, lang: Language = "en", label: str = "") -> str:
    return page(lang, "Leaf & Co", ("Tea", text), label)


def test_an_email_without_a_page_gets_one_made_of_its_text(tea: Shop, make: Approve) -> None:
    version = make({"en": {"subject": "{{ item.title }}", "text": TEXT}}, written_by="openai:any")
    [letter] = letters(tea, version, ["C1"])
    content = letter.content or {}
    assert content["text"].startswith("Dear Ann Lee,\n\nSpring tea is back.\nCome & see: https:")
    made, told = content["html"], Page(content["html"])
    assert '<html lang="en">' in made
    assert "<title>Spring tea</title>" in made
    assert "max-width:600px" in made
    assert "Spring tea is back.<br>\nCome &amp; see: " in made
    assert told.links == ["https://shop.example/tea?a=1&b=2", OUT]
    words = "".join(told.words)
    assert words.index("Test shop") < words.index("Dear Ann Lee,")
    assert words.index("No more of these letters? Unsubscribe") > words.index("Your Test shop")
    assert words.rstrip().endswith("(This message was written with AI.)")


def test_other_channels_and_authors_pages_stay_as_they_are(tea: Shop, make: Approve) -> None:
    for channel in ("file", "webhook"):
        version = make({"en": {"text": "Tea is here."}}, channel=channel, item_ids=())
        [letter] = letters(tea, version, ["C1"])
        assert letter.content == {"text": "Tea is here."}
    own = "<p>My own.</p>{{ unsubscribe_url }}"
    version = make({"en": {"subject": "Hi", "text": TEXT, "html": own}})
    [letter] = letters(tea, version, ["C1"])
    assert (letter.content or {})["html"] == f"<p>My own.</p>{OUT}"


def test_a_preview_shows_the_page_that_is_sent(tea: Shop, make: Approve) -> None:
    parts: Any = {"en": {"subject": "{{ item.title }}", "text": TEXT}}
    version = make(parts)
    [seen] = preview(person(tea, "bo"), parts, "email", ("tea",), "C1").letters
    [letter] = letters(tea, version, ["C1"])
    assert seen.content == letter.content


def test_values_are_escaped(tea: Shop, make: Approve) -> None:
    version = make({"en": {"subject": "{{ item.title }}", "text": TEXT}})
    tea.people.upsert([{"customer_id": "H", "traits": {"name": '<img src=x onerror="a()">'}}])
    [letter] = letters(tea, version, ["H"])
    made = (letter.content or {})["html"]
    assert "<img" not in made
    assert "Dear &lt;img src=x onerror=&quot;a()&quot;&gt;," in made


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("See https://a.example/tea.", ["https://a.example/tea"]),
        ("(https://a.example/x_(y)) and HTTP://B.example!", ["https://a.example/x_(y)", "HTTP://B.example"]),
        ("详情见https://a.example/茶，或 http://b.example/c。", ["https://a.example/", "http://b.example/c"]),
        ('https://a.example/"><script>', ["https://a.example/"]),
        ("javascript:alert(1) ftp://a.example https:// a", []),
    ],
)  # fmt: skip
def test_web_addresses_become_links(text: str, links: list[str]) -> None:
    found = Page(laid(text))
    assert found.links == links
    assert text in "".join(found.words)


@pytest.mark.parametrize(
    ("lang", "text", "foot", "stays"),
    [
        ("zh", f"茶到了。\n\n不想再收到？退订：{OUT}", "不想再收到？退订", ""),
        ("en", f"Tea is here. Unsubscribe: {OUT}", "Unsubscribe", "Tea is here."),
        ("en", f"Hello,\n{'Long words. ' * 9}Unsubscribe: {OUT}", "Unsubscribe", "Long words."),
        ("en", f"Tea.\n\n{OUT} to stop.", "to stop", ""),
        ("zh", f"茶。\n\n{OUT}", "退订", ""),
        ("en", f"Tea.\n\nClick {OUT} to unsubscribe.", "Click to unsubscribe", ""),
    ],
)
def test_the_way_out_is_one_small_link_at_the_foot(
    lang: Language, text: str, foot: str, stays: str
) -> None:
    made = laid(text, lang)
    last = re.findall(r"<p style=\"[^\"]*13px[^\"]*\">(.*?)</p>", made)
    assert [unescape(re.sub("<[^>]+>", "", one)) for one in last] == [foot]
    assert Page(made).links == [OUT]
    assert stays in made.split("13px")[0]
    assert made.count(OUT) == 1


@given(st.text(max_size=200))
def test_whatever_the_words_are_the_page_is_whole_and_says_them(text: str) -> None:
    text = text.replace("\r", " ").replace("\x00", " ")
    found = Page(laid(text))
    said = "".join("".join(found.words).split())
    assert said.startswith("Leaf&Co" + "".join(text.split()))


def test_links_in_a_text_are_tracked_and_the_way_out_is_not() -> None:
    links = Links(b"k" * 32, "https://shop.example")
    text = f"Tea: https://shop.example/tea?a=1&b=2\n\nUnsubscribe: {OUT}"
    url = links.unsubscribe("C1", "email", "marketing", "m1")
    made = dressed(Content(subject="Tea", text=text, html=laid(text)), url, links, "m1")
    tracked, out = Page(made.html).links
    token = tracked.rpartition("/")[2]
    assert links.read("click", token) == ["m1", "https://shop.example/tea?a=1&b=2"]
    assert out == url
    assert links.opened("m1") in made.html
    assert made.text == text.replace(OUT, url)


def test_a_text_at_its_limit_makes_a_page_that_contact_takes(tea: Shop) -> None:
    parts: Any = {"en": {"subject": "Hi", "text": "a\n\n" * 13_300 + "{{ unsubscribe_url }}"}}
    assert check(tea, parts, "email").ready
    [seen, _] = preview(tea, parts, "email").letters
    Content.model_validate(seen.content)
