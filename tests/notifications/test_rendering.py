"""No text of others is a link; text and HTML are readable."""

import pytest
from django.utils.html import urlize

from integrations.notifications.models.email_kind import Link
from integrations.notifications.rendering import (
    RenderedEmail,
    as_text,
    render,
    without_links,
)
from integrations.organizations.models.organization import Organization


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
    email = render(name, [name, Link("", "https://portal.example/activity/1/")])
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


ACME = Organization(name="Acme")


def test_the_plain_text_has_each_link_on_a_line_of_its_own() -> None:
    text = as_text(
        RenderedEmail("Subject", (("Alder ",), (Link("Open it", "http://x.example/1"),))),
        ACME,
        "http://x.example/2",
    )
    assert text == (
        "Alder\n\nOpen it:\nhttp://x.example/1\n\n— Acme, CodeScreen–Lever portal\n\nStop these e-mails:\nhttp://x.example/2"
    )
