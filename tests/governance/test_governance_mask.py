"""Masking texts on request: kinds and counts, one text a line, nothing kept of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shopkeeper.core.errors import BadInput, NotAllowed, TooLarge
from shopkeeper.core.operation import Actor, Context
from shopkeeper.governance.operations import mask, verify_erasure
from shopkeeper.shop.shop import Shop

PHONE, MAIL = "13800138000", "li.lei@example.com"
LETTER = f"请打 {PHONE} 或写信到 {MAIL}，还是 138 0013 8000"


def test_a_text_comes_back_with_masks_and_what_was_masked(shop: Shop) -> None:
    done = mask(shop, texts=(LETTER, "质量很好", "call 138-0013-8000 <phone1>"))
    first, second, third = done.texts
    assert PHONE not in first.text
    assert MAIL not in first.text
    assert first.text.startswith("请打 <手机1> 或写信到 <")
    assert (second.text, second.kinds) == ("质量很好", {})
    assert third.kinds == {"phone": 1}  # what only looks like a mask is no personal data
    assert done.kinds == {"phone": 3, "email": 1}
    assert done.unchanged == 1


def test_a_file_is_read_line_by_line_and_nothing_is_stored(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "letters.txt"
    file.write_text(f"\ufeff{LETTER}\n\nthanks\n", "utf-8")
    entries = shop.audit.entries().total
    done = mask(shop, path=str(file))
    assert [one.kinds for one in done.texts] == [{"phone": 2, "email": 1}, {}, {}]
    assert mask(shop, texts=tuple(file.read_text("utf-8-sig").splitlines())) == done
    assert shop.audit.entries().total == entries
    assert verify_erasure(shop, who=[PHONE]).clean


def test_from_outside_a_file_is_one_that_may_be_imported(shop: Shop) -> None:
    inbox = shop.folder / "inbox"
    inbox.mkdir()
    (inbox / "a.txt").write_text(LETTER, "utf-8")
    viewer = Context(shop, Actor("person", "viewer", frozenset({"*:read"})))
    with pytest.raises(NotAllowed, match="inbox"):
        mask(viewer, path="a.txt")
    editor = Context(shop, Actor("person", "ed", frozenset({"*:read", "collect:write"})))
    assert mask(editor, path="a.txt").kinds["phone"] == 2
    with pytest.raises(NotAllowed, match="outside"):
        mask(editor, path="../shopkeeper.toml")
    assert mask(viewer, texts=(LETTER,)).kinds["email"] == 1


def test_what_cannot_be_masked_says_why(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="either"):
        mask(shop)
    with pytest.raises(BadInput, match="either"):
        mask(shop, texts=("a",), path="b")
    binary = tmp_path / "b.txt"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="UTF-8"):
        mask(shop, path=str(binary))
    big = tmp_path / "big.txt"
    big.write_bytes(b"x" * 5_000_001)
    with pytest.raises(TooLarge):
        mask(shop, path=str(big))
