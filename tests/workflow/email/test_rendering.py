"""Variables are filled in; lines without a value are left out."""

import pytest
from django.utils.html import urlize

from integrations.workflow.email.kinds import EmailWording
from integrations.workflow.email.rendering import fill_in, render, without_links

WORDING = EmailWording("{candidate}", "{candidate}\n\nTimeline: {timeline_link}")


def test_a_line_whose_variables_are_all_empty_is_left_out():
    assert fill_in("{a}\n{b}{c}\n\n\n{c}", {"a": "", "b": "", "c": "x"}) == "x\n\nx"


@pytest.mark.parametrize(
    "name",
    [
        "https://evil.example/login",
        "Ada https://evil.example",
        "(http://evil.example)",
        "www.evil.example",
        "evil.com",
        "Ada,evil.com/path",
        "ftp://evil.example",
        "https://user@evil.example",
        "https://portal.example.evil.example/",
        "evil。com",
        "bücher.example",
    ],
)
def test_a_name_that_is_an_address_is_no_link(settings, name: str) -> None:
    settings.PORTAL_URL = "https://portal.example"
    email = render(WORDING, {"candidate": name, "timeline_link": "https://portal.example/activity/1/"})
    [first, last] = email.body.split("\n\n")
    assert "<a " not in urlize(first)
    assert "<a " not in urlize(email.subject)
    assert first.replace("\u200b", "") == name, "it still looks the same"
    assert not {"://", "www.", "evil.com", "evil.example", "bücher.example"} & {
        part for part in ("://", "www.", "evil.com", "evil.example", "bücher.example") if part in first
    }
    assert 'href="https://portal.example/activity/1/"' in urlize(last)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ada B. Lovelace, Ph.D.",
        "CodeScreen refused ada@acme.example.",
        "CodeScreen: Candidate Invited at 10:30, 3.5 of 4",
        "See https://portal.example/activity/opportunity-1/",
        "and/or",
    ],
)
def test_other_texts_stay_as_they_are(settings, text: str) -> None:
    settings.PORTAL_URL = "https://portal.example"
    assert without_links(text) == text
