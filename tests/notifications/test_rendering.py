"""No text of others is a link; an e-mail's text and its HTML are made of the same lines: texts, facts and links."""

import pytest
from django.utils.html import urlize

from integrations.notifications.models.email_kind import Fact, Line, Link
from integrations.notifications.rendering import Block, RenderedEmail, as_text, blocks, render, without_links
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
    assert not any(part in first for part in ("://", "www.", "evil.com", "evil.example", "bücher.example"))
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


def test_the_plain_text_has_each_link_on_a_line_of_its_own() -> None:
    email = RenderedEmail("Subject", (("Alder ",), (Link("Open it", "http://x.example/1"),)))
    assert as_text(email, Organization(name="Acme"), "http://x.example/2") == (
        "Alder\n\nOpen it:\nhttp://x.example/1\n\n— Acme, CodeScreen–Lever portal\n\nStop these e-mails:\nhttp://x.example/2"
    )


PAGE = "http://testserver/activity/o/"
REPORT = "https://codescreen.example/report/1"


RESULT, SCORE = Fact("Result", "Passed"), Fact("Score", "82")
SENTENCE = "Choose a new password with this link. It works once"
OPEN = Block(label="Open in the portal", url=PAGE, is_button=True)


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ([RESULT, SCORE], [Block(facts=(RESULT, SCORE))]),
        # one fact is a sentence, and an address elsewhere without words is shown itself
        ([SCORE], [Block(text="Score: 82")]),
        ([Link("", REPORT)], [Block(label=REPORT, url=REPORT)]),
        # of several links to the portal none is the button
        (
            [Link("Alder", PAGE), Link("Birch", PAGE)],
            [Block(label="Alder", url=PAGE), Block(label="Birch", url=PAGE)],
        ),
        # a sentence before a link stays a sentence
        ([f"{SENTENCE}:", Link("", PAGE)], [Block(text=f"{SENTENCE}:"), OPEN]),
        ([Link(SENTENCE, PAGE)], [Block(text=f"{SENTENCE}:"), OPEN]),
    ],
)
def test_lines_become_facts_sentences_links_and_the_button(lines, shown):
    assert blocks([tuple(lines)]) == shown


def test_facts_stay_together_and_the_only_link_to_the_portal_is_the_button():
    report = Link("Report in CodeScreen", REPORT)
    email = render("Subject", [RESULT, SCORE, report, Link("Open in the portal", PAGE)])
    assert email.paragraphs[0] == (RESULT, SCORE)
    assert email.body.startswith("Result: Passed\nScore: 82\n\n")
    assert blocks(email.paragraphs)[1:] == [Block(label="Report in CodeScreen", url=REPORT), OPEN]
    posing = "Result: Passed\nScore: 100"
    assert render("Subject", [posing]).paragraphs == ((posing,),), "what looks like facts is none"


def test_every_line_but_facts_is_a_paragraph_and_names_no_address():
    lines: list[Line] = [
        "See evil.example",
        Fact("Reason", "www.evil.example"),
        Fact("Score", "1"),
        Link("evil.example", PAGE),
    ]
    email = render("evil.example", lines)
    assert [len(paragraph) for paragraph in email.paragraphs] == [1, 2, 1]
    assert "evil.example" not in email.subject + email.body
