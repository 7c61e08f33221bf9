"""How practice is composed: every mark in its place, the same texts every time."""

from __future__ import annotations

import re

import pytest

from shopkeeper.core.errors import BadInput, Corrupt
from shopkeeper.tasks.house import inline, written
from shopkeeper.tasks.house.clauses import NEGATIVE, NEUTRAL, POSITIVE
from shopkeeper.tasks.house.grammar import Grammar
from shopkeeper.tasks.house.recipes import aspects, intents, interests, sentiment
from shopkeeper.tasks.marks import Mention

LANGUAGES = written.languages("sentiment")
SIGNS = {NEGATIVE: -1, NEUTRAL: 0, POSITIVE: 1}


@pytest.mark.parametrize("language", LANGUAGES)
def test_composed_mentions_stand_where_they_say(language: str) -> None:
    grammar = Grammar(language, 5, known_only=True)
    tables = written.tables("aspects", language)
    for label in SIGNS:
        for _ in range(200):
            text, mentions = grammar.marked(label)
            assert "{" not in text
            for mention in mentions:
                assert mention.opinion is not None
                said = text[slice(*mention.opinion)]
                assert said == said.strip() != ""
                if mention.aspect is not None:
                    assert text[slice(*mention.aspect)] in tables[mention.category]["terms"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_most_of_what_a_composed_text_says_is_its_verdict(language: str) -> None:
    grammar = Grammar(language, 6, known_only=True)
    for label in (NEGATIVE, POSITIVE):
        signs = [mention.polarity for _ in range(300) for mention in grammar.marked(label)[1]]
        assert signs.count(SIGNS[label]) > 0.85 * len(signs)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_seed_composes_the_same_texts(language: str) -> None:
    one, other = Grammar(language, 7), Grammar(language, 7)
    assert [one.text(POSITIVE) for _ in range(50)] == [other.text(POSITIVE) for _ in range(50)]


def test_inline_marks() -> None:
    text, mentions = inline.read(
        "[Lovely](+>) [colour](appearance), [late](-delivery), [box](packaging) too",
        {"appearance", "delivery", "packaging"},
    )
    assert text == "Lovely colour, late, box too"
    assert mentions == [
        Mention((7, 13), (0, 6), 1, "appearance"),
        Mention(None, (15, 19), -1, "delivery"),
        Mention((21, 24), None, 0, "packaging"),
    ]


@pytest.mark.parametrize(
    "marked", ["[good](+)", "[good](+>) and that is all", "[x](colour)", "a [b](c d)"]
)
def test_a_mark_without_sense_is_refused(marked: str) -> None:
    with pytest.raises(BadInput, match=re.escape(marked)):
        inline.read(marked, {"appearance"})


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_written_can_be_used(language: str) -> None:
    assert len(sentiment.whole(language).texts) > 500
    assert len(interests.whole(language).texts) > 500
    assert len(intents.whole(language).texts) > 1_000
    assert len(aspects.whole(language)) > 100
    assert not re.search(r"\{\w+\}", "".join(intents.practice(language).texts))


def test_several_thousand_were_written_for_each_task_and_language() -> None:
    for task in ("sentiment", "aspects", "interests", "intents"):
        for language in written.languages(task):
            lists = [
                values
                for table in written.tables(task, language).values()
                if isinstance(table, dict)
                for values in table.values()
            ]
            count = sum(map(len, lists))
            assert count >= (1_200 if task == "intents" else 2_000), (task, language, count)


def test_a_broken_data_file_is_named(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "sentiment").mkdir()
    (tmp_path / "sentiment" / "zh.toml").write_text("[texts\n", "utf-8")
    monkeypatch.setattr(written, "DATA", tmp_path)
    with pytest.raises(Corrupt, match=r"zh\.toml"):
        written.tables("sentiment", "zh")
