"""What templates consist of, and what the operations on them answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shopkeeper.core.plan import Planned
from shopkeeper.core.settings import Language
from shopkeeper.core.types import Value

State = Literal["draft", "submitted", "approved", "rejected", "withdrawn"]
Ruling = Literal["block", "needs_evidence", "allowed"]
Occasion = Literal[
    "back_in_stock", "price_cut", "reorder", "new_arrival", "win_back", "thanks", "cart",
    "substitute", "second_order",
]  # fmt: skip
Variable = Annotated[str, StringConstraints(max_length=500)]


class Part(Value):
    """The words in one language; with variables as ``{{ customer.name | default: "there" }}``.

    On channels whose words a provider has approved, ``template_id`` and ``variables`` are what is sent and
    ``text`` is the approved wording, in which ``${name}`` stands for a variable: for previews and checks.
    """

    subject: Annotated[str, StringConstraints(max_length=500)] = ""
    text: Annotated[str, StringConstraints(max_length=100_000)] = ""
    html: Annotated[str, StringConstraints(max_length=300_000)] = ""
    template_id: Annotated[str, StringConstraints(max_length=200)] = ""
    variables: dict[str, Variable] = Field(default={}, max_length=30)


Parts = Annotated[dict[Language, Part], Field(min_length=1)]


class Evidence(Value):
    """What the author holds in proof of some words: a document's name or number."""

    quote: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    document: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=300)]


Items = Annotated[tuple[str, ...], Field(max_length=10)]
Evidences = Annotated[tuple[Evidence, ...], Field(max_length=50)]


class Body(Value):
    """What an author writes: the words by language, the items they are about, proofs."""

    parts: Parts
    item_ids: Items = ()
    evidence: Evidences = ()
    written_by: str = Field(default="person", description="person, house, or a model's name")
    occasion: Occasion | None = Field(default=None, description="why now, where it was proposed")


class Fact(Value):
    """One thing that the words say of an item, as it was when they were approved."""

    item_id: str
    name: str
    value: str
    fact_id: str = ""


class Altered(Value):
    """A fact that is no longer so: what holds now; null: nothing does."""

    item_id: str
    name: str
    value: str
    now: str | None


class Check(Value):
    """One finding in the words: whether it blocks, needs a proof, or is allowed because of what."""

    verdict: Ruling
    code: str
    where: str = Field(description="language and part: zh.text")
    start: int = Field(description="first character in that part")
    end: int
    quote: str
    because: str = Field(description="a code: which rule, exception or fact decides")
    detail: str = ""
    document: str = Field(default="", description="the author's proof, where it needed one")

    @property
    def stops(self) -> bool:
        """Whether the words cannot be submitted as they stand."""
        return self.verdict == "block" or (
            self.verdict == "needs_evidence" and not self.document
        )  # fmt: skip


class Withdrawal(Value):
    """Who took the approval of a version back, when and why."""

    by: str
    at: datetime
    reason: str


class Version(Value):
    """One approved version: immutable, and what it rests on."""

    template_id: str
    version: int
    name: str
    channel: str
    purpose: str
    parts: dict[Language, Part]
    item_ids: tuple[str, ...]
    facts: tuple[Fact, ...]
    label: dict[Language, str] = Field(description="what says that a machine wrote it; often empty")
    evidence: tuple[Evidence, ...]
    written_by: str
    occasion: Occasion | None
    author: str
    editors: tuple[str, ...]
    approver: str
    approved_at: datetime
    checks: tuple[Check, ...]
    digest: str
    withdrawn: Withdrawal | None = Field(
        default=None, description="null: it may be sent, as far as people go"
    )

    @property
    def content_id(self) -> str:
        """By which events and messages name it."""
        return f"{self.template_id}@{self.version}"


class Checked(Value):
    """What the checks say of words; ``ready``: nothing keeps them from being submitted."""

    ready: bool
    checks: tuple[Check, ...]
    facts: tuple[Fact, ...]


class Shown(Value):
    """One version of a template as it stands, with live findings while it is not approved."""

    template_id: str
    name: str
    channel: str
    purpose: str
    version: int
    state: State
    body: Body
    digest: str
    author: str
    editors: tuple[str, ...]
    made_at: datetime
    changed_at: datetime
    submitted_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    withdrawn: Withdrawal | None
    ready: bool
    checks: tuple[Check, ...]
    facts: tuple[Fact, ...]
    label: dict[Language, str]
    unreadable: str = Field(default="", description="why the words cannot be checked at all")
    altered: Altered | None = Field(
        default=None, description="a fact that is no longer as it was approved"
    )
    approved_version: int | None = Field(description="the newest approved version")
    before: Body | None = Field(
        default=None, description="the last approved words, where this version is to replace them"
    )


class TemplateRow(Value):
    """One template in a list: its newest version, and the newest that may be sent."""

    template_id: str
    name: str
    channel: str
    purpose: str
    version: int
    state: State
    languages: tuple[Language, ...]
    item_ids: tuple[str, ...]
    occasion: Occasion | None
    author: str
    changed_at: datetime
    approved_version: int | None


class Listed(Value):
    """Templates, the newest first, and how many wait for approval."""

    templates: tuple[TemplateRow, ...]
    waiting: int


class VersionRow(Value):
    """One version in the history of a template."""

    version: int
    state: State
    author: str
    editors: tuple[str, ...]
    made_at: datetime
    submitted_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    withdrawn: Withdrawal | None
    digest: str
    content_id: str


class Versions(Value):
    """The versions of one template, the newest first."""

    template_id: str
    name: str
    versions: tuple[VersionRow, ...]


class Letter(Value):
    """A letter as one reader would get it; ``problem`` says why they would get none."""

    language: Language
    reader: str = Field(description="the customer, or a sample's name")
    content: dict[str, Any] | None
    wording: str = Field(
        default="", description="a provider's wording with its variables filled in"
    )
    problem: str = ""
    detail: str = ""


class Previewed(Value):
    """Letters in each language of the words."""

    letters: tuple[Letter, ...]


class Decided(Planned):
    """What became of an approval."""

    version: Version | None = None


class Proposal(Value):
    """One draft that passes the checks, ready for ``content draft``."""

    occasion: Occasion
    written_by: str
    name: str
    channel: str
    purpose: str
    body: Body
    checks: tuple[Check, ...]
    needed: tuple[str, ...] = Field(
        default=(), description="what only a person can add, such as the provider's template id"
    )


class Dropped(Value):
    """A draft that was not made, or did not pass, and why."""

    occasion: Occasion
    written_by: str
    why: str


class Proposals(Value):
    """Drafts for an item and a segment, and what was dropped."""

    item_id: str
    segment: str
    members: int | None
    drafts: tuple[Proposal, ...]
    dropped: tuple[Dropped, ...]


class Specs(Value):
    """What each channel takes."""

    specs: tuple[dict[str, Any], ...]
    variables: tuple[str, ...] = Field(description="what words may say, with an item's own facts")
    labels: dict[Language, str]
