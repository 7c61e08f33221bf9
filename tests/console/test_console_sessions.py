"""Sessions, attempts, kept replies and words, without a browser."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from pydantic import BaseModel

from shopkeeper.collect import mapping
from shopkeeper.console.cache import Replies
from shopkeeper.console.door import _inside
from shopkeeper.console.live import Part
from shopkeeper.console.mapping_text import SKELETON, with_columns
from shopkeeper.console.options import ConsoleOptions
from shopkeeper.console.pulse import Beat
from shopkeeper.console.sessions import SessionEnded, Sessions
from shopkeeper.console.tries import Tries
from shopkeeper.console.words import own
from shopkeeper.core.errors import TooMany


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(b"secret", idle_seconds=60, longest_seconds=600, clock=clock)


def test_a_session_ends_when_idle_and_lives_on_when_used(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.open("mei")
    for _ in range(5):
        clock.now += 50
        sessions.touch(sessions.find(cookie))
    clock.now += 61
    with pytest.raises(SessionEnded) as ended:
        sessions.find(cookie)
    assert ended.value.why == "expired"


def test_a_session_ends_after_its_longest_time_even_in_use(
    sessions: Sessions, clock: Clock
) -> None:
    cookie = sessions.open("mei")
    while clock.now < 550:
        clock.now += 50
        sessions.touch(sessions.find(cookie))
    clock.now += 50
    with pytest.raises(SessionEnded):
        sessions.find(cookie)


def test_looking_at_a_session_does_not_keep_it_alive(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.open("mei")
    clock.now += 40
    assert sessions.alive(sessions.find(cookie))
    clock.now += 40
    with pytest.raises(SessionEnded):
        sessions.find(cookie)


@pytest.mark.parametrize("change", ["x", ".", "", "\ud800", "key.0"])
def test_a_forged_cookie_is_no_session(sessions: Sessions, change: str) -> None:
    key = sessions.open("mei").partition(".")[0]
    for cookie in (f"{key}.{change}", f"{change}{key}", f"{key}{change}"):
        with pytest.raises(SessionEnded) as ended:
            sessions.find(cookie)
        assert ended.value.why == "forged"
    with pytest.raises(SessionEnded):
        Sessions(b"other", idle_seconds=60, longest_seconds=60).find(sessions.open("mei"))


def test_signing_out_ends_one_session_and_shutting_out_all(sessions: Sessions) -> None:
    first, second, other = sessions.open("mei"), sessions.open("mei"), sessions.open("li")
    sessions.close(sessions.find(first))
    with pytest.raises(SessionEnded):
        sessions.find(first)
    sessions.close_all("mei")
    with pytest.raises(SessionEnded):
        sessions.find(second)
    assert sessions.find(other).person == "li"


def test_attempts_are_limited_for_each_name_and_each_address(clock: Clock) -> None:
    tries = Tries(3, clock)
    for _ in range(3):
        tries.count("1.1.1.1", "mei")
    with pytest.raises(TooMany, match="Too many attempts"):
        tries.count("2.2.2.2", "MEI")
    for number in range(6):
        tries.count("1.1.1.1", f"n{number}")
    with pytest.raises(TooMany):
        tries.count("1.1.1.1", "another")
    clock.now += 59
    with pytest.raises(TooMany) as refused:
        tries.count("2.2.2.2", "mei")
    assert refused.value.hint == "Try again in 1 s."
    clock.now += 1
    tries.count("1.1.1.1", "mei")


def test_who_knows_the_password_signs_in_as_often_as_they_like() -> None:
    tries = Tries(3)
    for _ in range(50):
        tries.count("1.1.1.1", "mei").forgive()
    for _ in range(3):
        tries.count("1.1.1.1", "mei")
    with pytest.raises(TooMany):
        tries.count("1.1.1.1", "mei")


def test_names_tried_without_end_are_forgotten_but_not_where_they_come_from() -> None:
    tries = Tries(10_000)
    for number in range(25_000):
        tries.count("1.1.1.1", f"n{number}")
    for number in range(5_000):
        tries.count("1.1.1.1", f"m{number}")
    with pytest.raises(TooMany):
        tries.count("1.1.1.1", "another")


class Reply(BaseModel):
    number: int


@pytest.fixture
def room() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_a_reply_is_worked_out_once_for_all_who_ask_at_the_same_time(
    room: ThreadPoolExecutor,
) -> None:
    replies, calls = Replies(8), []
    begun = threading.Event()

    def work() -> Reply:
        calls.append(1)
        begun.wait(5)
        return Reply(number=7)

    asked = [replies.ask(("a",), (1,), work, room) for _ in range(4)]
    begun.set()
    assert [one.result(5) for one in asked] == [Reply(number=7)] * 4
    assert len(calls) == 1


def test_an_error_is_kept_for_nobody_and_old_replies_go(room: ThreadPoolExecutor) -> None:
    replies = Replies(2)

    def fail() -> Reply:
        raise ValueError("away")

    def answer(name: str, number: int) -> object:
        return replies.ask((name,), (1,), lambda: Reply(number=number), room).result(5)

    with pytest.raises(ValueError, match="away"):
        replies.ask(("a",), (1,), fail, room).result(5)
    assert answer("a", 1) == Reply(number=1)
    assert answer("a", 9) == Reply(number=1)
    for name in ("b", "c"):
        answer(name, 2)
    assert answer("a", 3) == Reply(number=3)


def test_what_was_replied_before_new_events_is_recalled_but_not_before_an_erasure(
    room: ThreadPoolExecutor,
) -> None:
    replies = Replies(8)
    held = threading.Event()

    def later() -> Reply:
        held.wait(5)
        return Reply(number=2)

    assert replies.last(("a",), (1, 7)) is None
    replies.ask(("a",), (1, 7), lambda: Reply(number=1), room).result(5)
    new = replies.ask(("a",), (2, 7), later, room)
    assert replies.last(("a",), (2, 7)) == Reply(number=1)
    assert replies.last(("a",), (2, 8)) is None  # the second number: somebody was restricted
    held.set()
    assert new.result(5) == Reply(number=2)
    assert replies.last(("a",), (3, 7)) == Reply(number=2)


def test_the_clock_may_jump_without_ending_a_session_or_freeing_an_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sessions = Sessions(b"secret", idle_seconds=60, longest_seconds=600)
    cookie, tries = sessions.open("mei"), Tries(2)
    tries.count("1.1.1.1", "mei")
    tries.count("1.1.1.1", "mei")
    now = time.time()
    for jump in (86_400 * 400, -86_400 * 400):
        monkeypatch.setattr(time, "time", lambda jump=jump: now + jump)
        assert sessions.find(cookie).person == "mei"
        with pytest.raises(TooMany):
            tries.count("1.1.1.1", "mei")


_NEEDED = {
    "events": ("time",),
    "items": ("item_id",),
    "customers": ("customer_id",),
    "texts": ("body", "time"),
}


def test_columns_are_put_into_a_mapping_and_the_rest_of_it_stays() -> None:
    text = (
        'about = "x"\ntarget = "events"\nextra = ["a", "b"]\n\n[file]\ntime_formats = ["%d/%m/%Y"]\n\n'
        '[columns]\ntime = "when"  # 95%\nprice = "p"  # 60%\n\n[event]\nname = "purchase"\n'
    )
    made = with_columns(text, {"time": 'w"hen]', "quantity": "[q]"}, ["c"])
    known = mapping.parse(made, "x")
    assert known.columns == {"time": 'w"hen]', "quantity": "[q]"}
    assert known.extra == ("c",)
    assert known.file.time_formats == ("%d/%m/%Y",)
    assert known.event.name == "purchase"
    again = mapping.parse(with_columns(made, {"time": "t"}, []), "x")
    assert (again.columns, again.extra) == ({"time": "t"}, ())
    for target, skeleton in SKELETON.items():
        needed = _NEEDED[target]
        columns = dict.fromkeys(needed, "x")
        assert mapping.parse(with_columns(skeleton, columns, []), "x").target == target


@pytest.mark.parametrize(
    ("asked", "went"),
    [
        ("/data", "/data"),
        ("/customer?id=1", "/customer?id=1"),
        ("", "/"),
        ("https://example.com/", "/"),
        ("//example.com/", "/"),
        ("/\\example.com", "/"),
        ("javascript:alert(1)", "/"),
        ("/sign-in", "/"),
    ],
)
def test_signing_in_leads_only_into_the_console(asked: str, went: str) -> None:
    assert _inside(asked) == went


def test_both_languages_have_the_same_words_with_the_same_gaps() -> None:
    english, chinese = own("en"), own("zh")
    assert english.keys() == chinese.keys()
    gap = re.compile(r"\{\w+\}")
    for key, text in english.items():
        assert text.strip(), key
        assert chinese[key].strip(), key
        # What comes in both languages is taken in this one.
        assert set(gap.findall(text.replace("{en}", "{zh}"))) == set(gap.findall(chinese[key])), key


def test_a_console_on_loopback_answers_to_this_machine_and_the_names_it_was_given() -> None:
    assert "localhost" in ConsoleOptions().hosts
    assert "shop.example.com" in ConsoleOptions(names=("Shop.example.com",)).hosts
    assert "localhost" not in ConsoleOptions(host="10.0.0.5").hosts


def test_a_live_part_that_must_wait_is_told_the_last_state_in_the_end() -> None:
    told: list[Beat] = []
    beats = [Beat((), (number,), 0) for number in range(4)]
    part = Part(cast("Any", None), told.append, every=0.05)

    def passed(seconds: float) -> None:
        time.sleep(seconds)
        part.tick()

    part.tell(beats[0])
    passed(0.03)  # at a moment of its own, half of the pause away at most
    assert told == beats[:1]
    part.tell(beats[1])
    part.tell(beats[2])
    part.tick()
    assert told == beats[:1]
    passed(0.09)
    assert told == [beats[0], beats[2]]
    passed(0.09)
    assert told == [beats[0], beats[2]]


def test_pages_that_many_have_open_are_not_all_drawn_in_the_same_moment() -> None:
    parts = [Part(cast("Any", None), lambda _: None, every=20.0) for _ in range(50)]
    for part in parts:
        part.tell(Beat((), (1,), 0))
    moments = sorted(part.due for part in parts)
    assert 5 < moments[-1] - moments[0] <= 10
    assert all(part.waiting is not None for part in parts)


def test_a_part_without_a_pause_is_told_at_once() -> None:
    told: list[Beat] = []
    part = Part(cast("Any", None), told.append, every=0.0)
    for number in range(3):
        part.tell(Beat((), (number,), 0))
    assert [beat.stamp for beat in told] == [(0,), (1,), (2,)]
