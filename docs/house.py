"""Writes `docs/house-readers.md`: how to use the shipped readers, and their cards. `--check` compares."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from shopkeeper.core.discovery import names
from shopkeeper.tasks.house import cards, written
from shopkeeper.tasks.house.readers import RECIPES

TARGET = Path(__file__).parent / "house-readers.md"
_INTRODUCTION = """# House readers

Four small readers ship in the package and work with no network, no key and no download. They are what
answers until a shop has labels of its own (then a student takes over) or a language model to ask.

| reader | answers | languages |
|---|---|---|
| `sentiment` | negative, neutral or positive, with a calibrated probability | zh, en |
| `aspects` | spans: what a review speaks of, its category, the opinion's words, -1, 0 or 1 | zh, en |
| `interests` | the interests behind a search or a viewed title, or none | zh, en |
| `intents` | what a customer wants in a chat with a shop | zh, en |

```python
from shopkeeper.tasks.house.readers import load

load("sentiment").answer(["很好用，就是物流慢了点", "Broke after two days."])
load("aspects").answer(["屏幕清晰，电池不耐用"])[0].value
load("interests").answer(["登山帐篷 防雨"])[0].value
load("intents").answer(["我的快递到哪了"])[0].value
```

Each text is read by the model of its language (traditional characters as simplified ones, full width as
half width); `load(name, "en")` reads everything as English. A text that is empty, huge, binary or in a
language that the reader does not know abstains, with the reason, and changes no other answer.
`readers.sensitive("interests")` names the inferences that need an owner's consent.

## How they are made

The data are in `src/shopkeeper/tasks/house/data/<reader>/<language>*.toml`: words and clauses by label,
whole texts written one by one, marked sentences, patterns. All of it was written for this project and
has its licence. A grammar composes the words and clauses into many more texts whose labels and marks are
known (`grammar.py`, `clauses.py`); a linear student over hashed n-grams learns from both (`fitting.py`).
Probabilities are calibrated on whole texts that were held out. `make house` rebuilds models and cards;
the same data give the same models, and a test fails when data changed and models did not.

To add words, edit a data file, run `make house`, and look at `python -m bench.house`. Research sets only
measure the readers: nothing of them goes into the data, and settings are chosen on validation parts.

"""


def page() -> str:
    """The whole page."""
    parts = [_INTRODUCTION, "## Cards\n"]
    for task in names(RECIPES):
        parts += [_card(cards.read(task, language)) for language in written.languages(task)]
    return "\n".join(parts)


def _card(card: dict[str, Any]) -> str:
    lines = [
        f"### {card['reader']}, {card['language']}\n",
        f"{card['what']}\n",
        f"**Data.** {card['data']} Files: {', '.join(card['data_files'])}.\n",
        f"**Terms.** {card['terms']} **Version** {card['version']}, {card['bytes'] / 1e6:.1f} MB.\n",
    ]
    held = card["fit"].get("held_out")
    if held:
        lines.append(
            f"**Held out** of what was written: {held['texts']} texts, {held['accuracy']:.3f} right, "
            f"calibration error {held['calibration_error']:.3f}.\n"
        )
    if card["measured"]:
        lines.append("**Measured** on sets it has not seen:\n")
        lines.append("| figure | value | interval | note |\n|---|---|---|---|")
        lines += [
            f"| `{row['id']}` | {row['value']} | {row['low']} to {row['high']} | {row['note']} |"
            for row in card["measured"]
        ]
        lines.append("")
    lines.append("**Limits.**\n")
    lines += [f"- {limit}" for limit in card["limits"]]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or say whether it is current."""
    if "--check" not in sys.argv:
        TARGET.write_text(page(), "utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text("utf-8") == page():
        return 0
    sys.stderr.write("docs/house-readers.md is not current: run `make house`.\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
