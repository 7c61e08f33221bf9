"""What the operations on personal data answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shopkeeper.core.plan import Planned
from shopkeeper.core.types import Value


class Restricted(Value):
    """A customer whose data are kept but not used."""

    customer_id: str
    since: datetime
    reason: str


class Restrictions(Value):
    """Every restricted customer."""

    restrictions: tuple[Restricted, ...]


class Exported(Value):
    """Where the file is, in the shop's folder, and how many rows of what it holds."""

    file: str
    bytes: int
    rows: dict[str, int]


class Found(Value):
    """In how many places something was found, and where."""

    where: str
    places: int


class Kept(Value):
    """What stays, how much of it, why and until when; ``code`` says the same to programs."""

    what: str
    rows: int
    why: str
    until: str
    code: Literal["", "orders", "older_orders", "events"] = ""
    days: int | None = None
    """How long after its order a row stays."""


class Remark(Value):
    """What a note of the certificate says, as a code, and of how many."""

    code: Literal[
        "copies", "unchanged_files", "common", "postgresql_log", "shared_devices", "interrupted"
    ]
    count: int = 0


class Backup(Value):
    """A copy of the shop in its folder, and when the sweep removes it (null: it has no term).

    The newest one stays beyond its term, until there is a newer one.
    """

    name: str
    made_at: datetime
    until: datetime | None


class Certificate(Value):
    """What an erasure, or an anonymisation, removed and kept, and the proof. It names no customer.

    ``before`` and ``after`` are the places where the customers' ids, e-mail addresses and telephone
    numbers stood, found by decoding every file of the shop and every cell of its database. A data file
    of the tables never changes: one that held nothing before, and is there still with the same size and
    time, is not decoded a second time; a note counts them.
    ``backups`` were made before: they are not searched, and hold what was removed until their term.
    """

    erasure_id: str
    kind: Literal["erased", "anonymised"] = "erased"
    customers: int
    ids: int
    searched_as_whole_values: int
    started_at: datetime
    finished_at: datetime
    removed: tuple[Found, ...]
    kept: tuple[Kept, ...]
    before: tuple[Found, ...]
    after: tuple[Found, ...]
    clean: bool
    backups: tuple[Backup, ...] = ()
    notes: tuple[str, ...]
    remarks: tuple[Remark, ...] = Field(
        default=(), description="the notes as codes, in the same order"
    )


class Erasure(Planned):
    """The plan, or once confirmed the certificate."""

    certificate: Certificate | None = None


class Certificates(Value):
    """Erasures, the newest first; one that a crash interrupted is ``running``."""

    certificates: tuple[Certificate, ...]
    running: int


class Search(Value):
    """Where ids, or other texts that name a customer, still stand; ``backups`` were not searched."""

    found: tuple[Found, ...]
    clean: bool
    backups: tuple[Backup, ...] = ()


class MaskedText(Value):
    """One text with masks such as ``<phone1>`` in place of personal data, and how many of each kind."""

    text: str
    kinds: dict[str, int]


class Masking(Value):
    """Masked texts in the order given; ``kinds`` counts what was masked in all of them.

    Masks start anew in each text: that two texts speak of the same person is not told. Masked is not
    anonymous: what is left may still point to somebody.
    """

    texts: tuple[MaskedText, ...]
    kinds: dict[str, int]
    unchanged: int


class Swept(Planned):
    """The plan, or once confirmed what was past its term: where, and how many rows or files."""

    removed: tuple[Found, ...] = ()
