from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopkeeper.core.errors import BadInput
from shopkeeper.store.customers import Customer, Customers, Identity
from shopkeeper.store.database import Database
from shopkeeper.store.log import ID_LIMIT, Entry, IntakeLog

Make = Callable[..., Entry]


def _ids(log: IntakeLog) -> list[str]:
    return [payload.decode() for _, _, payload in log.read(0, 1_000_000)]


def test_rows_come_back_whole_and_in_order(database: Database, noon: datetime) -> None:
    log = IntakeLog(database)
    payload = '{"title":"红枣 🧧"}'.encode()
    rows = [
        Entry("a", "u", "", noon, "events", payload),
        Entry("b", "u", "", noon, "texts", b"\x00\xff"),
        Entry("c", "u", "", noon, "traits", b""),
    ]
    assert log.append([rows]) == [3]
    read = log.read(0, 10)
    assert [(table, data) for _, table, data in read] == [
        ("events", payload),
        ("texts", b"\x00\xff"),
        ("traits", b""),
    ]
    seqs = [seq for seq, _, _ in read]
    assert seqs == sorted(set(seqs))
    assert log.last() == seqs[-1]
    assert log.read(seqs[1], 10) == read[2:]
    assert log.read(0, 2) == read[:2]


def test_an_empty_log_answers(database: Database) -> None:
    log = IntakeLog(database)
    assert log.append([]) == []
    assert log.append([[], []]) == [0, 0]
    assert (log.last(), log.read(0, 10), log.tail(0, ["x"])) == (0, [], [])


def test_duplicates_are_counted_per_group(database: Database, entry: Make) -> None:
    log = IntakeLog(database)
    assert log.append([[entry("a"), entry("b")]]) == [2]
    groups = [[entry("b"), entry("c"), entry("c")], [entry("c"), entry("d")], [entry("a")]]
    assert log.append(groups) == [1, 1, 0]
    assert _ids(log) == ["a", "b", "c", "d"]


def test_the_first_of_two_rows_with_one_id_stays(database: Database, noon: datetime) -> None:
    log = IntakeLog(database)
    rows = [Entry("a", "u", "", noon, "events", data) for data in (b"first", b"second")]
    log.append([rows])
    log.append([[Entry("a", "u", "", noon, "events", b"third")]])
    assert [payload for _, _, payload in log.read(0, 10)] == [b"first"]


@given(groups=st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=5), max_size=5))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_counts_are_those_of_a_plain_set(
    database: Database, entry: Make, groups: list[list[str]]
) -> None:
    log = IntakeLog(database)
    known = set(_ids(log))
    expected = []
    for group in groups:
        expected.append(len(set(group) - known))
        known |= set(group)
    assert log.append([[entry(one) for one in group] for group in groups]) == expected
    assert sorted(_ids(log)) == sorted(known)


def test_tail_finds_rows_by_either_id_after_a_point(database: Database, entry: Make) -> None:
    log = IntakeLog(database)
    log.append([[entry("1", "ann", "phone"), entry("2", "", "phone"), entry("3", "bob", "phone")]])
    point = log.last()
    log.append([[entry("4", "ann", "laptop"), entry("5", "ann", "ann"), entry("6")]])
    assert log.tail(0, ["ann"]) == [b"1", b"4", b"5"]
    assert log.tail(0, ["ann", "phone"]) == [b"1", b"2", b"3", b"4", b"5"]
    assert log.tail(point, ["ann", "phone", "ann"]) == [b"4", b"5"]
    assert log.tail(0, [""]) == log.tail(0, []) == log.tail(0, ["nobody"]) == []


def test_settled_rows_leave_the_tail_and_stay_in_the_log(database: Database, entry: Make) -> None:
    log = IntakeLog(database)
    log.append([[entry("1", "ann")]])
    log.settle(log.last())
    log.append([[entry("2", "ann")]])
    assert log.tail(0, ["ann"]) == [b"2"]
    assert _ids(log) == ["1", "2"]
    assert log.append([[entry("1", "ann")]]) == [0]


def test_purge_removes_moved_rows_that_are_old(database: Database, noon: datetime) -> None:
    log = IntakeLog(database)
    days = [Entry(str(d), "u", "", noon + timedelta(days=d), "events", b"") for d in range(10)]
    log.append([[one] for one in days])
    seqs = [seq for seq, _, _ in log.read(0, 100)]
    assert log.purge(seqs[2], noon + timedelta(days=5)) == 3  # old enough were 5, moved 3
    assert log.purge(seqs[9], noon + timedelta(days=5)) == 2  # moved were all, old enough 2
    assert [seq for seq, _, _ in log.read(0, 100)] == seqs[5:]
    assert log.append([[days[5]], [days[0]]]) == [0, 1]  # known for as long as it is kept


def test_purge_in_several_transactions_removes_all(
    database: Database, entry: Make, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shopkeeper.store.log._PURGE_ROWS", 7)
    log = IntakeLog(database)
    log.append([[entry(str(number)) for number in range(30)]])
    assert log.purge(log.last(), noon + timedelta(days=1)) == 29


def test_a_number_is_never_given_twice_even_when_everything_is_purged(
    database: Database, entry: Make, noon: datetime
) -> None:
    log = IntakeLog(database)
    log.append([[entry("a"), entry("b")]])
    last = log.last()
    log.purge(last, noon + timedelta(days=1))
    assert log.last() == last
    log.append([[entry("c")]])
    assert log.last() > last
    assert [data for _, _, data in log.read(last, 10)] == [b"c"]


class _Pause(list[Identity]):
    """Identities that are not there until the test says so: the transaction stays open meanwhile."""

    def __init__(self) -> None:
        super().__init__([Identity("v", "c", "test", datetime.now(UTC))])
        self.reached, self.go = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[Identity]:
        self.reached.set()
        assert self.go.wait(20)
        return iter(())


def test_a_reader_never_passes_a_row_that_is_not_committed(
    database: Database, url: str, entry: Make
) -> None:
    log, other = IntakeLog(database), Database(url)
    pause = _Pause()
    slow = threading.Thread(
        target=log.append, args=([[entry("slow")]],), kwargs={"identities": pause}
    )
    quick = threading.Thread(target=IntakeLog(other).append, args=([[entry("quick")]],))
    slow.start()
    assert pause.reached.wait(20)  # "slow" has its number and is not committed
    quick.start()
    quick.join(0.3)
    meanwhile = log.read(0, 10)
    pause.go.set()
    slow.join()
    quick.join()
    other.close()
    assert meanwhile == []
    assert _ids(log) == ["slow", "quick"]


def test_identities_and_customers_are_committed_with_the_rows(
    database: Database, entry: Make, noon: datetime
) -> None:
    log, customers = IntakeLog(database), Customers(database)
    log.append(
        [[entry("1", "ann")]],
        identities=[Identity("phone", "ann", "identify", noon)],
        customers=[Customer("ann", noon, traits={"city": "上海"})],
    )
    assert customers.customer_of("phone") == "ann"
    assert customers.get("ann").traits == {"city": "上海"}


def test_nothing_is_kept_of_a_transaction_that_fails(
    database: Database, entry: Make, noon: datetime
) -> None:
    log, customers = IntakeLog(database), Customers(database)
    with pytest.raises(BadInput, match="customer_id is empty"):
        log.append(
            [[entry("1", "ann")]],
            customers=[Customer("ann", noon)],
            identities=[Identity("phone", "", "identify", noon)],
        )
    assert (log.last(), list(customers.all())) == (0, [])
    assert log.tail(0, ["ann"]) == []


@pytest.mark.parametrize("bad", ["", "x" * (ID_LIMIT + 1), "nul\0", "half \ud83d"])
def test_an_id_that_cannot_be_stored_is_refused_before_it_reaches_the_others(
    noon: datetime, bad: str
) -> None:
    with pytest.raises(BadInput) as raised:
        Entry(bad, "u", "", noon, "events", b"")
    assert raised.value.field == "event_id"
    if bad:
        with pytest.raises(BadInput) as raised:
            Entry("e", bad, "", noon, "events", b"")
        assert raised.value.field == "user_id"


def test_the_longest_ids_are_stored(database: Database, noon: datetime) -> None:
    log = IntakeLog(database)
    ids = [("𝒳" * (ID_LIMIT - 3)) + str(number) for number in range(100, 103)]
    log.append([[Entry(one, one, one[::-1], noon, "events", b"x") for one in ids]])
    assert log.tail(0, ids) == [b"x"] * 3
