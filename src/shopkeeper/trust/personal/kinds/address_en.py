"""Street addresses as English texts write them, with what follows: unit, town, state, postal code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import CHECKED, SAID, SHAPED, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.surroundings import before

_STRONG_TYPE = (
    r"(?:Street|St|Avenue|Ave|Av|Road|Rd|Boulevard|Blvd|Drive|Lane|Ln|Terrace|Parkway|Pkwy|Highway"
    r"|Hwy|Crescent|Broadway)"
)
_WEAK_TYPE = (
    r"(?:Dr|Court|Ct|Place|Pl|Square|Sq|Ter|Way|Circle|Cir|Close|Cres|Gardens|Gdns|Mews|Row|Alley"
    r"|Trail|Trl|Walk|Quay|Grove|Hill|Loop|Plaza"
    r"|Rise|View|Park|Green|Wharf)"
)
_TYPE = rf"(?:{_STRONG_TYPE}|{_WEAK_TYPE})"
_UNIT = (
    r"(?:(?:Apt|Apartment|Unit|Suite|Ste|Flat|Floor|Fl|Room|Rm|Building|Bldg|Block|Tower"
    r"|Lot)\.? ?#?[A-Za-z0-9-]{1,6}|# ?[A-Za-z0-9-]{1,6}"
    r"|[0-9]{1,2}(?:st|nd|rd|th) [Ff]loor)"
)
_STATE = (
    r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]"
    r"|T[NX]|UT|V[AT]|W[AIVY]|NSW|VIC|QLD|ACT|TAS"
    r"|ON|QC|BC|AB|MB|SK|NS|NB)"
)
_CODE = (
    r"(?:[0-9]{4,6}(?:-[0-9]{4})?|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}"
    r"|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9])"
)
_TOWN = r"[A-Z][A-Za-z.'’-]{1,20}(?: [A-Z][A-Za-z.'’-]{1,20}){0,3}"
_TAIL = (
    rf"(?:,? {_UNIT}){{0,2}}(?:,? {_TOWN}(?=,| {_STATE}"
    rf"| {_CODE})){{0,3}}(?:,? {_STATE}(?![A-Za-z]))?(?:,? {_CODE}(?![A-Za-z0-9]))?"
    r"(?:,? (?:USA|UK|United Kingdom|Canada|Australia|Ireland|U\.S\.A?\.?))?"
)
_START = r"(?<![A-Za-z0-9$£€.#-])"
_STREET = re.compile(
    rf"{_START}(?:{_UNIT}, ){{0,2}}(?:[0-9]{{1,4}}[A-Za-z]?/)?[0-9]{{1,5}}(?:-[0-9]{{1,4}})?[A-Za-z]?,?"
    rf" (?:(?:[NSEW]|N[EW]|S[EW]|North|South|East"
    rf"|West)\.? )?(?:[A-Z0-9][A-Za-z0-9'’.-]{{0,20}} ){{1,4}}(?:(?P<strong>{_STRONG_TYPE})"
    rf"|{_WEAK_TYPE})(?![A-Za-z-])\.?(?: [NSEW]{{1,2}}\b)?(?P<tail>{_TAIL})"
)
_LOOSE = re.compile(
    rf"{_START}[0-9]{{1,5}}[a-z]? (?:[a-z0-9][a-z0-9'’.-]{{0,20}} ){{1,3}}{_TYPE}\b\.?"
    rf"(?:,? {_UNIT})?(?:,? [a-z]{{3,20}}(?: [a-z]{{3,20}})?,? (?:{_STATE} [0-9]{{5}}"
    rf"|[a-z]{{1,2}}[0-9][a-z0-9]? ?[0-9][a-z]{{2}}))?(?![a-z0-9])",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    rf"{_START}[0-9]{{1,4}}(?: bis| ter)?,? (?:[Rr]ue|Avenue|Boulevard|Place|Via|Viale|Piazza|Calle|Plaza"
    rf"|Avenida|Rua)(?: (?:d[eiu]|de la|des|del|della|dos|la|le"
    rf"|van"
    rf"|[A-ZÀ-Þ][A-Za-zÀ-ÿ'’-]{{1,20}})(?![A-Za-z])){{1,5}}(?:, [0-9]{{4,5}} [A-Z][A-Za-zÀ-ÿ-]{{2,20}})?"
    rf"|{_START}[A-ZÄÖÜ][A-Za-zÀ-ÿ.-]{{2,25}}(?:straße|strasse|str\.|weg|platz|allee|gasse|straat"
    rf"|laan) [0-9]{{1,4}}[a-z]?(?:, [0-9]{{4,5}} [A-Z][A-Za-zÀ-ÿ-]{{2,20}})?"
)
_BOX = re.compile(rf"{_START}P\.? ?O\.? ?Box [0-9]{{1,6}}{_TAIL}", re.IGNORECASE)
_BARE = re.compile(rf"(?<![A-Za-z0-9]){_TOWN}, {_STATE} [0-9]{{5}}(?:-[0-9]{{4}})?(?![0-9])")
_SAID = re.compile(
    r"address|live|ship|deliver|send|mail|moved?|located|drop|return|house|home|office|reside|staying"
    r"|street",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"address|live (?:at|on)|ship (?:it )?to|deliver\w* (?:it |them )?to|send \w* ?\w* ?to|moved to"
    r"|i['’]m at|staying at",
    re.IGNORECASE,
)
_NOT_A_NAME = re.compile(
    r"[0-9]+[A-Za-z]? (?:Oz|X|Count|Ml|Pcs?|Set|Star|Best|Great|Day|Days|Hour|Week|Year|Pack|Piece"
    r"|Inch|Way)\b",
    re.IGNORECASE,
)


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _STREET.finditer(text):
        said = _SAID.search(before(text, hit.start(), 40)) is not None
        sure = said or hit["strong"] or hit["tail"]
        if sure and not _NOT_A_NAME.match(hit[0]):
            yield Candidate("address", hit.start(), hit.end(), CHECKED if said else SHAPED)
    for hit in _LOOSE.finditer(text):
        if _STRONG.search(before(text, hit.start(), 24)) and not _NOT_A_NAME.match(hit[0]):
            yield Candidate("address", hit.start(), hit.end(), SHAPED)
    for pattern in (_FOREIGN, _BOX):
        for hit in pattern.finditer(text):
            yield Candidate("address", hit.start(), hit.end(), SAID)
    for hit in _BARE.finditer(text):
        if _SAID.search(before(text, hit.start(), 40)):
            yield Candidate("address", hit.start(), hit.end(), SHAPED)


RECOGNISER = Recogniser(
    "address",
    "地址",
    "address",
    re.compile(r"[0-9][A-Za-z]?,? [A-Za-z0-9]|[A-Za-z.] [0-9]|[0-9] [A-Z]"),
    _candidates,
)
