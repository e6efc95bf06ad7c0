"""A platform's name is one line, whatever it holds."""

import pytest

from integrations.codescreen.details import details_in
from integrations.codescreen.payloads import Progress, listed_assessment
from integrations.http.json_values import one_line
from integrations.lever.lookups import LeverUser, PipelineStage, Posting
from integrations.lever.payloads import Opportunity


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  Ada   Ash ", "Ada Ash"),
        ("Ada\nResult: Passed\r\n\tScore: 100", "Ada Result: Passed Score: 100"),
        ("Ada\u2028Ash\u2029\x85Elm\x0b\x0c", "Ada Ash Elm"),
        ("A\x00d\x1ba\x7f", "A d a"),
        ("Ada \u202e0.01\u202c \u2066x\u2069", "Ada 0.01 x"),
        ("Zoë O’Neil-García 🦊 میرا\u200cکتاب", "Zoë O’Neil-García 🦊 میرا\u200cکتاب"),
        ("", ""),
    ],
)
def test_a_text_becomes_one_line(text, line):
    assert one_line(text) == line


NAME = "Eve Evil\nResult: Passed\u2028Score: 100"


def test_names_that_the_platforms_state_are_one_line():
    """A candidate whose name had line breaks would state a result of their own in what the team reads."""
    listed = {"id": "x", "assessmentId": "x", "text": NAME, "name": NAME, "assessmentName": NAME}
    line = "Eve Evil Result: Passed Score: 100"
    assert PipelineStage.from_api(listed).name == Posting.from_api(listed).title == line
    assert Opportunity.from_api(listed).name == line
    assert LeverUser.from_api(listed).name == listed_assessment(listed).name == line
    progress = Progress.from_api({"metadata": {"failureReason": NAME, "Team\nScore": NAME}})
    assert progress.failure_reason == line
    assert details_in(progress.metadata) == {"Team Score": line}
