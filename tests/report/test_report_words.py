"""The report's words, and numbers as each language writes them."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import shopkeeper.collect
import shopkeeper.report
from shopkeeper.core.settings import Language
from shopkeeper.metrics.definitions import METRICS
from shopkeeper.report.numbers import Numbers
from shopkeeper.report.words import finding_words, words

_FOLDER = Path(shopkeeper.report.__file__).parent
_DYNAMIC = {
    "behind": ("events", "orders", "customers"),
    "cycle": ("day", "week", "month"),
    "retention": ("day", "week", "month"),
    "advice": ("goal", "channel", "offer", "message", "avoid", "measure"),
    "by": ("department", "item_id", "country", "channel"),
}


def _fields(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_both_languages_have_the_same_words_with_the_same_fields() -> None:
    english, chinese = words("en").texts, words("zh").texts
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert text.strip(), key
        assert chinese[key].strip(), key
        assert _fields(text) == _fields(chinese[key]), key


def test_chinese_is_chinese_and_english_is_not() -> None:
    for key, text in words("zh").texts.items():
        left = re.sub(r"\{\w+\}", "", text)
        assert re.search(r"[一-鿿]", left) or not re.search(r"[A-Za-z]{2}", left), key
        assert not re.search(r"[一-鿿][,;:?()]|[,;:?()][一-鿿]", text), f"{key}: half-width"
    assert not re.search(r"[一-鿿]", "".join(words("en").texts.values()))


def test_every_key_that_is_used_is_there() -> None:
    text = "".join(p.read_text("utf-8") for p in _FOLDER.rglob("*") if p.suffix in (".py", ".html"))
    used = set(re.findall(r'\bw\(\s*"([\w.-]+)"', text)) | set(re.findall(r'w\["([\w.]+)"\]', text))
    used |= set(re.findall(r'"(health\.\w+)"', text))
    assert len(used) > 80
    used |= {f"{group}.{name}" for group, names in _DYNAMIC.items() for name in names}
    assert used - words("en").texts.keys() == set()


def test_every_finding_of_collect_has_its_chinese_words() -> None:
    source = Path(shopkeeper.collect.__file__).with_name("findings.py").read_text("utf-8")
    codes = set(re.findall(r'code="(\w+)"', source))
    known = finding_words("zh").texts
    assert len(codes) > 10
    assert {key.partition(".")[0] for key in known} == codes
    for code in codes:
        assert {f"{code}.text", f"{code}.to_do"} <= known.keys()
        assert _fields(known[f"{code}.text"]) <= {"rows", "share", "days", "last"}


def test_every_metric_has_words_in_both_languages() -> None:
    for metric in METRICS.values():
        assert re.search(r"[一-鿿]", metric.zh)
        assert metric.en


def _numbers(lang: Language, currency: str = "CNY") -> Numbers:
    return Numbers(lang, currency, ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [
        (1234567.8, "money", "¥1.23m", "¥123.5万"),
        (99999.0, "money", "¥99,999", "¥99,999"),
        (123456.0, "count", "123,456", "12.3万"),
        (-2.5e9, "money", "−¥2.50bn", "−¥25.0亿"),
        (569.587, "money", "¥569.59", "¥569.59"),
        (0.4832, "share", "48.3%", "48.3%"),
        (7212.0, "count", "7,212", "7,212"),
        (1.5, "count", "1.50", "1.50"),
        (0.0, "money", "¥0.00", "¥0.00"),
        (-0.0001, "money", "¥0.00", "¥0.00"),
        (None, "money", "–", "–"),
    ],
)
def test_headlines_are_short(value: float | None, unit: str, english: str, chinese: str) -> None:
    assert _numbers("en").short(value, unit) == english
    assert _numbers("zh").short(value, unit) == chinese


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (400_000, "£400k", "£40万"),
        (15_000, "£15k", "£1.5万"),
        (2_500_000, "£2.5m", "£250万"),
        (800, "£800", "£800"),
        (0, "£0", "£0"),
        (-20_000, "−£20k", "−£2万"),
    ],
)
def test_axis_labels_mean_what_they_say(value: float, english: str, chinese: str) -> None:
    assert _numbers("en", "GBP").tick(value, "money") == english
    assert _numbers("zh", "GBP").tick(value, "money") == chinese


def test_amounts_changes_and_dates_are_written_in_full() -> None:
    english, chinese = _numbers("en"), _numbers("zh")
    assert english.money(1234567.891) == "¥1,234,567.89"
    assert _numbers("en", "XAU").money(2) == "XAU 2.00"
    assert english.relative(0.1234) == "+12.3%"
    assert english.relative(-0.5) == "−50.0%"
    assert english.relative(11.0) == "×12"
    assert english.relative(0.0) == "0.0%"
    assert english.points(-0.045) == "−4.5 pts"
    assert chinese.points(0.045) == "+4.5 个百分点"
    assert english.date(date(2011, 12, 9)) == "9 Dec 2011"
    assert chinese.date(date(2011, 12, 9)) == "2011年12月9日"
    assert chinese.brief(date(2011, 12, 1), "month") == "2011年12月"
    assert english.time(datetime(2024, 1, 1, 20, 5, tzinfo=UTC)) == "2 Jan 2024 04:05"
