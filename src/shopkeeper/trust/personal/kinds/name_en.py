"""English names of persons, by the words around and by lists of usual names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from shopkeeper.trust.personal.english_names import (
    BRANDS,
    COMMON_WORDS,
    GIVEN_NAMES,
    SURNAMES_EN,
)
from shopkeeper.trust.personal.finding import CHECKED, LIKELY, SAID, SHAPED, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser

_START = r"(?<![A-Za-z0-9'’])"
_WORD = r"[A-Z][A-Za-z'’-]{1,20}"
_PARTICLE = r"(?: (?:de|da|di|van|von|der|den|la|el|al|bin)){0,2}"
_NAME = (
    rf"(?P<name>(?:{_WORD}|[A-Z]\.)(?: {_WORD}(?= (?:de|da|van|von"
    rf"|la) ))?(?: [A-Z]\.?(?![A-Za-z])){{0,2}}{_PARTICLE}(?: {_WORD}){{0,2}})(?![A-Za-z])"
)
_ANY_CASE = r"(?P<name>[A-Za-z][A-Za-z'’-]{1,20}(?: [A-Za-z]\.)?(?: [A-Za-z][A-Za-z'’-]{1,20})?)(?![A-Za-z])"

_TITLED = re.compile(rf"{_START}(?P<title>(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor)\.?) {_NAME}")
_LABELLED = re.compile(
    rf"{_START}(?i:(?<!brand )(?<!product )(?<!item )(?<!file )(?<!user )(?<!model )(?<!company "
    rf")(?<!store )name"
    r"|recipient|consignee|attn|attention|contact|contact person|ship to|deliver to|cardholder"
    r"|card ?holder|account holder|payee"
    rf"|buyer|sender|signed)(?i:(?: name)?(?: on (?:the )?(?:card|account|order))?) ?(?::|-|(?i:is"
    rf"|to)(?= )) ?\n?{_NAME}"
)
_INTRODUCED = re.compile(
    rf"{_START}(?i:my (?:full |first |last |real )?name(?: is|['’]s|:)|my name|the name(?: is| to)"
    rf"|name(?: is|['’]s)|i am called"
    rf"|i['’]m called) {_ANY_CASE}"
)
_IS = re.compile(
    rf"{_START}(?i:i am|i['’]m|this is|it['’]s|im|call me|speaking with|here is"
    rf"|you can call me) {_ANY_CASE}"
)
_GREETED = re.compile(
    rf"(?:^|[\n.!>,] ?|{_START})(?i:dear|hi|hello|hey|good (?:morning|afternoon|evening)|thanks"
    rf"|thank you) {_NAME}(?= ?[,!.:\n-]|$| -)"
)
_SIGNED = re.compile(
    r"(?i:regards|best wishes|best|many thanks|thanks|thank you|thx|cheers|xoxo|sincerely|truly"
    r"|faithfully|yours|warmly|love|respectfully)"
    rf"(?P<mark>,? ?[\n-]?[ -]{{0,4}}){_NAME}(?=[ .!]{{0,4}}(?:\n|$))"
)
_ACTOR = re.compile(
    rf"{_START}(?i:(?:my|his|her|our|their) (?:wife|husband|spouse|sister|brother|mother|mom|mum|dad"
    rf"|father|son|daughter|friend|colleague|neighbou?r"
    r"|roommate|flatmate|boss|partner|fianc[eé]e?|boyfriend|girlfriend|assistant|aunt|uncle|cousin"
    r"|nephew|niece|grandma|grandpa|secretary)"
    r"|spoke (?:with|to)|talked (?:with|to)|chatted with|speak (?:with|to)|signed (?:for )?by"
    r"|signed as|delivered to|handed to|left with|addressed to"
    r"|agent|rep|representative|driver|courier|technician|customer|client|user|buyer|manager|advisor"
    r"|adviser|care of|c/o|thanks to|named|called|asked for|ask for"
    rf"|from|by|for|to|with|and)[,:]? {_NAME}"
)
_DASHED = re.compile(rf"(?:^|\n|[.!?] )(?:--?|~) ?{_NAME}(?=\s{{0,4}}$)")
_RELATED = re.compile(
    r"(?i:my (?:wife|husband|sister|brother|mother|father|son|daughter|friend|colleague|neighbou?r"
    r"|boyfriend|girlfriend|roommate|niece|nephew"
    r"|cousin)),? (?P<name>[A-Z][a-z]{2,12}(?: [A-Z][a-z]{2,15})?)(?![A-Za-z])"
)
_FORMAL = re.compile("regards|best wishes|sincerely|truly|faithfully", re.IGNORECASE)
_HERE = re.compile(rf"{_START}{_NAME}(?= here[,.!])")
_STRONG_ACTOR = re.compile(r"signed|addressed|handed|c/o|care of|named", re.IGNORECASE)
_PAIR = re.compile(
    rf"{_START}(?P<name>[A-Z][a-z]{{1,15}}(?: [A-Z]\.)? [A-Z][A-Za-z'’-]{{1,20}})(?![A-Za-z])"
)


def _candidates(text: str) -> Iterator[Candidate]:
    for pattern, judge in _RULES:
        for hit in pattern.finditer(text):
            yield from judge(hit)


def _labelled(hit: re.Match[str]) -> Iterator[Candidate]:
    return _if_unusual(hit, CHECKED)


def _introduced(hit: re.Match[str]) -> Iterator[Candidate]:
    first = hit["name"].split()[0]
    if first[0].isupper() and first.lower() not in COMMON_WORDS:
        return _capitals(hit, SAID)
    return _listed(hit, SAID)


def _is(hit: re.Match[str]) -> Iterator[Candidate]:
    return _listed(hit, SAID)


def _greeted(hit: re.Match[str]) -> Iterator[Candidate]:
    if "dear" in hit[0][:8].lower() or _given(hit["name"]):
        yield from _if_unusual(hit, SAID)


def _signed(hit: re.Match[str]) -> Iterator[Candidate]:
    formal = "," in hit["mark"] and _FORMAL.match(hit[0]) is not None
    if "\n" in hit["mark"] or formal or _given(hit["name"]):
        yield from _if_unusual(hit, SAID)


def _dashed(hit: re.Match[str]) -> Iterator[Candidate]:
    if _given(hit["name"]):
        yield from _if_unusual(hit, LIKELY)


def _related(hit: re.Match[str]) -> Iterator[Candidate]:
    return _if_unusual(hit, LIKELY)


def _pair(hit: re.Match[str]) -> Iterator[Candidate]:
    last = re.sub("['’]s$", "", hit["name"].split()[-1].lower())
    if _given(hit["name"]) and last in SURNAMES_EN:
        yield from _if_unusual(hit, SHAPED)


def _titled(hit: re.Match[str]) -> Iterator[Candidate]:
    words = hit["name"].split()
    first = re.sub("['’]s$", "", words[0].lower())
    if f"{hit['title'].lower().rstrip('.')} {first}" in BRANDS or first in COMMON_WORDS:
        return
    if _given(hit["name"]) or words[-1].lower() in SURNAMES_EN or words[0][1:2] == ".":
        yield from _if_unusual(hit, CHECKED, "name" if len(words) > 1 else "title")
    else:
        end = hit.start("name") + len(words[0])
        possessive = 2 * words[0].endswith(("'s", "’s"))
        yield Candidate("name", hit.start("title"), end - possessive, CHECKED)


def _given(name: str) -> bool:
    return name.split()[0].lower() in GIVEN_NAMES


def _end(hit: re.Match[str]) -> int:
    """Where the name ends without a possessive 's."""
    return hit.end("name") - 2 * hit["name"].endswith(("'s", "’s"))


def _if_unusual(hit: re.Match[str], confidence: float, begins: str = "name") -> Iterator[Candidate]:
    """The name, unless it begins with a usual word or is a brand's; a usual word also ends it."""
    words = hit["name"].split()
    if " ".join(words[:2]).lower() in BRANDS or words[0].lower() in COMMON_WORDS:
        return
    end = _end(hit)
    for count, word in enumerate(words):
        if word.lower() in COMMON_WORDS and len(word) > 1:
            end = hit.start("name") + len(" ".join(words[:count]))
            break
    yield Candidate("name", hit.start(begins), end, confidence)


def _actor(hit: re.Match[str]) -> Iterator[Candidate]:
    words = hit["name"].split()
    if not _given(hit["name"]) and not _STRONG_ACTOR.search(hit[0][:20]):
        return
    known = len(words) > 1 and words[-1].lower() in SURNAMES_EN
    if known or not re.match(r"from|by|for|to|with|and", hit[0], re.IGNORECASE):
        yield from _if_unusual(hit, SAID if known else LIKELY)


def _capitals(hit: re.Match[str], confidence: float) -> Iterator[Candidate]:
    """The leading words of a name that begin with a capital."""
    words = hit["name"].split()
    count = 1
    while (
        count < len(words)
        and words[count][0].isupper()
        and words[count].lower() not in COMMON_WORDS
    ):
        count += 1
    start = hit.start("name")
    yield Candidate("name", start, start + len(" ".join(words[:count])), confidence)


def _listed(hit: re.Match[str], confidence: float) -> Iterator[Candidate]:
    """A given name of the list, with the surname after it where there is one, in any case."""
    words = hit["name"].split()
    first, last = words[0].lower(), words[-1].lower()
    two = len(words) > 1
    named = two and last in SURNAMES_EN and "name" in hit[0][:12].lower()
    if first in COMMON_WORDS or not (named or first in GIVEN_NAMES):
        return
    if two and " ".join(words[:2]).lower() in BRANDS:
        return
    surname = two and (last in SURNAMES_EN or (words[-1][0].isupper() and last not in COMMON_WORDS))
    end = hit.end("name") if surname else hit.start("name") + len(words[0])
    yield Candidate("name", hit.start("name"), end, confidence)


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Iterator[Candidate]]], ...] = (
    (_TITLED, _titled),
    (_LABELLED, _labelled),
    (_INTRODUCED, _introduced),
    (_IS, _is),
    (_GREETED, _greeted),
    (_SIGNED, _signed),
    (_DASHED, _dashed),
    (_HERE, _dashed),
    (_RELATED, _related),
    (_ACTOR, _actor),
    (_PAIR, _pair),
)

RECOGNISER = Recogniser(
    "name",
    "姓名",
    "name",
    re.compile(r"[A-Z][a-z'’.]|(?:am|'m|’m|im|is|me|s) [a-z]{2}"),
    _candidates,
)
