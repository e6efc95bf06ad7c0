"""A platform's name is one line, whatever it holds."""

import pytest

from integrations.http.json_values import one_line


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
