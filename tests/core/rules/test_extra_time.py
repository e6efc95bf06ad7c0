"""Who needs extra time: by a tag or an answer, however they are spelled."""

import pytest

from integrations.core.rules.extra_time import Answer, ExtraTimeRule

QUESTION = "Do you need more time for tests?"
RULE = ExtraTimeRule("Accommodation", QUESTION, ("Yes", "I'd rather talk about it"))


@pytest.mark.parametrize("tags", [("Accommodation",), ("urgent", " accommodation "), ("ACCOMMODATION",)])
def test_the_rule_applies_to_who_has_the_tag(tags):
    assert RULE.applies(tags, ())


@pytest.mark.parametrize("text", ["Yes", "yes ", "I'd  rather talk about it"])
def test_the_rule_applies_to_who_gave_one_of_the_answers(text):
    assert RULE.applies(
        (), [Answer("Languages", "Python"), Answer(" do you need more time for tests?", text)]
    )


@pytest.mark.parametrize(
    "answers",
    [
        (),
        (Answer(QUESTION, "No"),),
        (Answer(QUESTION, ""),),
        (Answer(QUESTION, "Yes, but not now"),),
        (Answer("Another question", "Yes"),),
    ],
)
def test_the_rule_applies_to_nobody_else(answers):
    assert not RULE.applies(("Accommodations", ""), answers)


def test_an_empty_rule_applies_to_nobody():
    empty = ExtraTimeRule()
    assert not empty.applies(("", "Accommodation"), [Answer("", ""), Answer(QUESTION, "Yes")])
