"""What the shop knows of the people of a world: who they are, where they can be reached, what they allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shopkeeper.simulate.chance import stream
from shopkeeper.simulate.columns import anonymous_ids, hexadecimal, user_ids
from shopkeeper.simulate.days import Simulation
from shopkeeper.simulate.lands import COUNTRIES
from shopkeeper.simulate.population import CITY_NAMES, LAND_NAMES, LANGUAGES
from shopkeeper.simulate.rows import scrambled, visitor_ids
from shopkeeper.simulate.state import NEVER
from shopkeeper.simulate.texts import moment
from shopkeeper.store.consent.statements import Decision, Status
from shopkeeper.store.customers import Identity

CHANNELS: Final = ("email", "file")
"""Channels for which people are asked when they sign up; ``file`` is for trying out."""

_DOMAINS: Final = ("example.com", "example.org", "example.net")
_NO_ADDRESS, _WRONG = 0.06, 0.08
_YES, _NO = 0.78, 0.88  # the rest says nothing
_WORDS: Final = {"zh": "我愿意收到优惠和新品信息。", "en": "Send me offers and news."}
_ZONES: Final = tuple(one.time_zone for one in COUNTRIES.values())


def customers_of(past: Simulation, since: int = 0, until: int = NEVER) -> Iterator[dict[str, Any]]:
    """Everybody who signed up between these times, with what the shop can know of them."""
    state, people, seed = past.state, past.setting.people, past.setting.seed
    known = _known(past, since, until)
    chance = stream(seed, "addresses").random(people.count)
    letters = hexadecimal(scrambled(seed, "addresses", known) >> np.uint64(24), 10)
    names = [bytes(row).decode() for row in letters]
    for number, customer_id, name in zip(known, user_ids(known).to_pylist(), names, strict=True):
        zone = _ZONES[people.country[number]]
        traits = {"city": CITY_NAMES[people.city[number]], "time_zone": zone}
        if chance[number] >= _WRONG:
            traits["email"] = f"{name}@{_DOMAINS[number % len(_DOMAINS)]}"
        elif chance[number] >= _NO_ADDRESS:
            traits["email"] = f"{name}@{_DOMAINS[0].partition('.')[0]}"  # mistyped: no such domain
        yield {
            "customer_id": customer_id,
            "first_seen": moment(int(state.known_at[number])),
            "language": LANGUAGES[people.language[number]],
            "country": LAND_NAMES[people.country[number]],
            "traits": traits,
        }


def consents_of(past: Simulation, since: int = 0, until: int = NEVER) -> Iterator[Decision]:
    """What those who signed up between these times said about messages, then."""
    state, people = past.state, past.setting.people
    known = _known(past, since, until)
    chance = stream(past.setting.seed, "consent").random(people.count)
    for number, customer_id in zip(known, user_ids(known).to_pylist(), strict=True):
        if chance[number] >= _NO:
            continue
        said = Status.GRANT if chance[number] < _YES else Status.DENY
        language = LANGUAGES[people.language[number]]
        proof = {"source": "sign-up form", "text": _WORDS[language]}
        at = moment(int(state.known_at[number]))
        for channel in CHANNELS:
            yield Decision(customer_id, "marketing", channel, said, at, proof, at)


def identities_of(past: Simulation, since: int = 0, until: int = NEVER) -> Iterator[Identity]:
    """Which visitor ids turned out between these times to be which customers, and when."""
    linked = past.state.linked_at
    who, device = np.nonzero((linked >= since) & (linked < until))
    sent = anonymous_ids(visitor_ids(past.setting.seed, who * 4 + device)).to_pylist()
    times = linked[who, device].tolist()
    for sent_id, customer_id, at in zip(sent, user_ids(who).to_pylist(), times, strict=True):
        yield Identity(sent_id, customer_id, "identify", moment(at))


def _known(past: Simulation, since: int, until: int) -> NDArray[np.int64]:
    at = past.state.known_at
    return np.flatnonzero((at >= since) & (at < until))
