"""Whether the words have the parts, the length, the signature and the way out that the channel asks for."""

from __future__ import annotations

import re
from typing import Final

from shopkeeper.content.checks.scene import MARKETING, Scene, Words
from shopkeeper.content.language import UNSUBSCRIBE
from shopkeeper.content.types import Part
from shopkeeper.core.settings import Language

_SIGNED: Final = re.compile(r"^\s*(?:【[^【】\s]{2,20}】|\[[^\[\]\n]{2,20}\])")
_SLOT: Final = re.compile(r"\$\{(\w+)\}")
_AI: Final = re.compile(r"AI\b|人工智能|由AI|artificial intelligence", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HIDDEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060-\u206f\ufeff]")


def look(scene: Scene) -> None:
    """Add what is missing, too much or too long."""
    for language, part in scene.body.parts.items():
        _parts(scene, language, part)
        if scene.spec.provider:
            _approved(scene, language, part)
    for words in scene.words:
        _length(scene, words)
        signs = _CONTROL if words.name == "subject" else _HIDDEN
        for one in signs.finditer(words.source):
            scene.add("block", "control_character", (words, one.start(), one.end()), "hidden")
    if scene.purpose == MARKETING:
        _way_out(scene)


def _parts(scene: Scene, language: Language, part: Part) -> None:
    for name in ("subject", "text", "html"):
        told = getattr(part, name)
        if told and name not in scene.spec.parts:
            scene.block("part_not_taken", f"{language}.{name}")
        elif name in scene.spec.needed and not told.strip():
            scene.block("part_missing", f"{language}.{name}")
    if (part.template_id or part.variables) and not scene.spec.provider:
        scene.block("part_not_taken", f"{language}.template_id")


def _approved(scene: Scene, language: Language, part: Part) -> None:
    if not part.template_id:
        scene.block("template_id_missing", f"{language}.template_id")
    wanted = set(_SLOT.findall(part.text))
    for name in sorted(wanted - set(part.variables)):
        scene.block("variable_without_value", f"{language}.variables", name)
    for name in sorted(set(part.variables) - wanted):
        scene.block("variable_not_in_wording", f"{language}.variables", name)
    if scene.spec.signature and not _SIGNED.match(part.text):
        scene.block("signature_missing", f"{language}.text")
    if scene.body.written_by not in ("person", "house") and not _AI.search(part.text):
        scene.block("label_missing", f"{language}.text")


def _length(scene: Scene, words: Words) -> None:
    kind = "value" if words.name.startswith("variables.") else words.name
    most = scene.spec.longest.get(kind, {}).get(words.language)
    there = len(scene.sample(words))
    if most is not None and there > most:
        scene.block("too_long", words.where, f"{there} > {most}")


def _way_out(scene: Scene) -> None:
    for language, part in scene.body.parts.items():
        if scene.spec.unsubscribe:
            for name in ("text", "html"):
                told = [one for one in scene.words if one.where == f"{language}.{name}"]
                if told and not any(v.name == UNSUBSCRIBE for v in told[0].variables):
                    scene.block("unsubscribe_missing", f"{language}.{name}")
        ways = scene.spec.opt_out.get(language, ())
        if ways and not any(one.casefold() in part.text.casefold() for one in ways):
            scene.block("unsubscribe_missing", f"{language}.text", ways[0])
