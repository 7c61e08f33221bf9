"""A file as bytes: its digest, its encoding and its text, unpacked with a limit."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO

from shopkeeper.core.errors import BadInput, TooLarge

_CHUNK = 1 << 20
_MARKS = (  # UTF-32's mark starts like UTF-16's, so it comes first
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ESCAPE = "shopkeeper-escape"


@dataclass(frozen=True)
class Limits:
    """What a file may contain before it is taken for broken or hostile."""

    cell_bytes: int = 65_536
    line_chars: int = 32 << 20
    unpacked_bytes: int = 64 << 30
    ratio: int = 200
    ratio_from: int = 256 << 20
    batch_rows: int = 65_536
    batch_chars: int = 48 << 20


@dataclass(frozen=True)
class File:
    """One file to import. Everything is read anew when asked for; nothing is held in memory."""

    path: Path
    limits: Limits = field(default_factory=Limits)

    @property
    def packed(self) -> bool:
        return self.path.suffix.lower() == ".gz"

    @property
    def suffix(self) -> str:
        """``.csv`` for ``sales.csv`` and for ``sales.csv.gz``."""
        name = self.path.with_suffix("") if self.packed else self.path
        return name.suffix.lower()

    @cached_property
    def sha256(self) -> str:
        """Of the file as it lies there, in hexadecimal digits."""
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    @contextmanager
    def binary(self) -> Iterator[IO[bytes]]:
        """The file's bytes, unpacked.

        Raises:
            BadInput: the gzip data are damaged.
            TooLarge: it unpacks to more than a file like it ever would.
        """
        if not self.packed:
            with self.path.open("rb") as stream:
                yield stream
            return
        with self.path.open("rb") as raw:
            counted = _Unpacked(raw, self.path.stat().st_size, self.limits)
            try:
                yield io.BufferedReader(counted, _CHUNK)
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise BadInput(
                    f"{self.path.name!r} is not a whole gzip file: {error}.",
                    hint="Copy or pack it again.",
                    field="path",
                ) from error

    @contextmanager
    def text(self, encoding: str | None) -> Iterator[IO[str]]:
        """The file's text. Bytes that are not of this encoding become lone surrogates.

        Readers find them with :func:`damaged` and refuse that row, not the file.
        """
        chosen = encoding or self.encoding
        try:
            codecs.lookup(chosen)
        except LookupError as error:
            raise BadInput(
                f"There is no encoding {chosen!r}.",
                hint="Use utf-8, gb18030, utf-16, latin-1 …",
                field="file.encoding",
            ) from error
        with self.binary() as stream:
            wrapper = io.TextIOWrapper(stream, encoding=chosen, errors=_ESCAPE, newline="")
            try:
                yield wrapper
            except UnicodeError as error:  # UTF-16 cut in the middle of a unit, for one
                raise BadInput(
                    f"{self.path.name!r} cannot be read as {chosen}: {error}.",
                    hint="Name its encoding in the mapping: [file] encoding = …",
                    field="file.encoding",
                ) from error
            finally:
                wrapper.detach()

    @cached_property
    def encoding(self) -> str:
        """The encoding found in the file: by its mark, else UTF-8, UTF-16, GB18030 or Big5 by its bytes.

        Raises:
            BadInput: it is none of them; says how to name it.
        """
        with self.binary() as stream:
            head = stream.read(_CHUNK)
            for mark, name in _MARKS:
                if head.startswith(mark):
                    return name
            if wide := _wide(head):
                return wide
            faults, total = _faults_in_utf8(head, stream)
        if not faults:
            return "utf-8"
        for name in ("gb18030", "big5"):
            if self._chinese(name):
                return name
        if faults <= max(3, total // 10_000):
            return "utf-8"  # a few broken characters: their rows are refused one by one
        raise BadInput(
            f"{self.path.name!r} is written in an encoding that cannot be told for certain.",
            hint='Name it in the mapping: [file] encoding = "latin-1" (or cp1252, big5, shift_jis …).',
            field="file.encoding",
        )

    def _chinese(self, encoding: str) -> bool:
        """Whether the file reads as this one of China's encodings, most of it in usual characters."""
        usual_in = {"gb18030": _usual, "big5": _usual_traditional}[encoding]
        with self.binary() as stream:
            decoder = codecs.getincrementaldecoder(encoding)("strict")
            common = other = 0
            while True:
                chunk = stream.read(_CHUNK)
                try:
                    text = decoder.decode(chunk, final=not chunk)
                except UnicodeDecodeError:
                    return False
                beyond = [c for c in text[:200_000] if c > "\x7f"]
                usual = sum(map(usual_in, beyond))
                common, other = common + usual, other + len(beyond) - usual
                if not chunk:
                    return common >= 4 * other and common > 0


def damaged(text: str) -> bool:
    """Whether the text holds bytes that did not belong to the file's encoding."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def legible(text: str) -> str:
    """``text`` with each such byte shown as its number, so that it can be stored."""
    return "".join(f"\\x{ord(c) & 0xFF:02x}" if "\ud800" <= c <= "\udfff" else c for c in text)


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end] or error.object[error.start : error.start + 1]
    return "".join(chr(0xDC00 + byte) for byte in wrong), error.start + len(wrong)


codecs.register_error(_ESCAPE, _escape)


def _wide(head: bytes) -> str | None:
    sample = head[:4096]
    if len(sample) < 4:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > len(sample) // 5 and even <= odd // 10:
        return "utf-16-le"
    if even > len(sample) // 5 and odd <= even // 10:
        return "utf-16-be"
    return None


def _faults_in_utf8(head: bytes, stream: IO[bytes]) -> tuple[int, int]:
    decoder = codecs.getincrementaldecoder("utf-8")(_ESCAPE)
    faults = total = 0
    chunk = head
    while True:
        text = decoder.decode(chunk, final=not chunk)
        if not text.isascii() and damaged(text):
            faults += sum("\udc00" <= c <= "\udcff" for c in text)
        total += len(chunk)
        if not chunk:
            return faults, total
        chunk = stream.read(_CHUNK)


def _usual(character: str) -> bool:
    try:
        return len(character.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return character in "€¥£…—“”‘’·"


def _usual_traditional(character: str) -> bool:
    """Of Big5's punctuation or its 5,401 frequent characters, which come first."""
    try:
        return b"\xa1\x40" <= character.encode("big5") <= b"\xc6\x7e"
    except UnicodeEncodeError:
        return False


class _Unpacked(io.RawIOBase):
    """gzip that stops when a small file becomes an enormous one."""

    def __init__(self, raw: IO[bytes], packed: int, limits: Limits) -> None:
        self._gzip = gzip.GzipFile(fileobj=raw, mode="rb")
        self._allowed = min(
            limits.unpacked_bytes, max(limits.ratio_from, limits.ratio * max(1, packed))
        )
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._gzip.read(len(buffer))
        self._given += len(data)
        if self._given > self._allowed:
            raise TooLarge(
                "The packed file unpacks to far more than its size allows.",
                hint="Unpack it yourself and import the result if it is what you expect.",
                field="path",
            )
        buffer[: len(data)] = data
        return len(data)
