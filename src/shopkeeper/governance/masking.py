"""Masks the personal data of texts that somebody gives; nothing of them is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from shopkeeper.collect.paths import permitted
from shopkeeper.core.errors import BadInput, NotAllowed, TooLarge
from shopkeeper.core.operation import Context
from shopkeeper.governance.types import MaskedText, Masking
from shopkeeper.trust.personal import Masker, Patterns

_LARGEST: Final = 5_000_000  # bytes of a file, and characters of all texts


def masked(ctx: Context, texts: Sequence[str], path: str) -> Masking:
    """See the operation ``mask``.

    Raises:
        BadInput: neither texts nor a file, or both; or the file is not text in UTF-8.
        TooLarge: the file, or all texts together, are larger than 5 MB.
        NotAllowed: the file is outside the inbox, or the actor may not import it.
    """
    if bool(texts) == bool(path):
        raise BadInput("Give either texts or a file.", hint="texts, or path.", field="texts")
    given = _lines(ctx, path) if path else texts
    if sum(map(len, given)) > _LARGEST:
        raise TooLarge(
            "The texts are longer than 5 million characters.", hint="Mask them in parts.",
            field="texts",
        )  # fmt: skip
    patterns = Patterns(ctx.shop.settings.order_numbers)
    done: list[MaskedText] = []
    kinds: Counter[str] = Counter()
    for place, text in enumerate(given):
        if place % 1_000 == 0:
            ctx.progress(place, len(given), "masking")
        one = Masker(patterns).mask(text)
        kinds.update(one.kinds)
        done.append(MaskedText(text=one.text, kinds=dict(one.kinds)))
    return Masking(
        texts=tuple(done),
        kinds=dict(sorted(kinds.items())),
        unchanged=sum(not one.kinds for one in done),
    )


def _lines(ctx: Context, path: str) -> list[str]:
    if ctx.actor.kind != "local" and not ctx.actor.holds("collect:write"):
        raise NotAllowed(
            f"{ctx.actor.name} may not read files of the inbox.",
            hint="Give the texts themselves, or ask the owner for the scope 'collect:write'.",
            field="path",
        )
    file = permitted(path, ctx.shop.folder, ctx.actor)
    if file.stat().st_size > _LARGEST:
        raise TooLarge(f"{file.name!r} is larger than 5 MB.", hint="Split it.", field="path")
    try:
        return file.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{file.name!r} is not text in UTF-8.", hint="Save it as UTF-8.", field="path"
        ) from error
