"""A wording says what is a fact and what is a link; its text and its HTML are made of the same lines."""

from collections.abc import Sequence

from integrations.notifications.models.email_kind import EmailWording, Line, Link
from integrations.notifications.rendering import Block, Fact, RenderedEmail, blocks, render

PAGE = "http://testserver/activity/o/"
REPORT = "https://codescreen.example/report/1"


def rendered(body: str, details: Sequence[Line] | None = None, **values: str) -> RenderedEmail:
    return render(EmailWording("Subject", body), values, details)


def shown(*lines: str | Fact | Link) -> list[Block]:
    return blocks([lines])


def test_lines_that_say_what_something_is_are_facts():
    email = rendered("Result: {outcome}\nScore: {score}", outcome="Passed", score="82")
    assert email.paragraphs == ((Fact("Result", "Passed"), Fact("Score", "82")),)
    assert blocks(email.paragraphs) == [Block(facts=(Fact("Result", "Passed"), Fact("Score", "82")))]
    assert email.body == "Result: Passed\nScore: 82"


def test_a_value_or_a_line_that_looks_like_facts_is_none():
    posing = "Result: Passed\nScore: 100"
    assert rendered("{candidate}", candidate=posing).paragraphs == ((posing,),)
    assert rendered("{details}", [posing]).paragraphs == ((posing,),)
    assert rendered("Name: {candidate}", candidate=posing).paragraphs == ((Fact("Name", posing),),)


def test_one_fact_alone_is_a_sentence():
    assert shown(Fact("Score", "82")) == [Block(text="Score: 82")]


def test_a_line_whose_variables_are_all_empty_is_left_out():
    email = rendered("{a}\n{b}{c}\n\n{b}\n\n{c}", a="", b="", c="x")
    assert email.body == "x\n\nx"


def test_the_only_link_to_the_portal_is_the_button():
    wording = "Report in CodeScreen: {report_link}\n\nOpen in the portal: {timeline_link}"
    email = rendered(wording, report_link=REPORT, timeline_link=PAGE)
    report, page = blocks(email.paragraphs)
    assert report == Block(label="Report in CodeScreen", url=REPORT)
    assert page == Block(label="Open in the portal", url=PAGE, is_button=True)


def test_of_several_links_to_the_portal_none_is_the_button():
    assert [block.is_button for block in shown(Link("Alder", PAGE), Link("Birch", PAGE))] == [False, False]


def test_a_sentence_before_a_link_stays_a_sentence():
    sentence = "Choose a new password with this link. It works once"
    assert shown(f"{sentence}:", Link("", PAGE)) == [
        Block(text=f"{sentence}:"),
        Block(label="Open in the portal", url=PAGE, is_button=True),
    ]
    assert shown(Link(sentence, PAGE)) == shown(f"{sentence}:", Link("", PAGE))


def test_an_address_elsewhere_without_words_is_shown_itself():
    assert rendered(REPORT).paragraphs == ((Link("", REPORT),),)
    assert shown(Link("", REPORT)) == [Block(label=REPORT, url=REPORT)]


def test_what_is_no_web_address_is_no_link():
    email = rendered("Report: {report_link}", report_link="javascript:alert(1)")
    assert blocks(email.paragraphs) == [Block(text="Report: javascript:alert(1)")]


def test_the_details_are_paragraphs_wherever_a_wording_names_them():
    lines: list[Line] = ["It came back.", Link("Open", PAGE)]
    assert rendered("{details}", lines).paragraphs == (("It came back.",), (Link("Open", PAGE),))
    assert rendered("Hello\n{details}\nBye", lines).paragraphs == (
        ("Hello", "It came back."),
        (Link("Open", PAGE), "Bye"),
    )
    assert rendered("So: {details} Bye", lines).paragraphs == (
        ("So: It came back.",),
        (Link("Open", PAGE), " Bye"),
    )
    assert rendered("Hello\n\n{details}", []).body == "Hello"


def test_only_the_portals_own_pages_are_links_among_the_details():
    email = rendered("{details}", ["See evil.example", Link("Report", REPORT)])
    assert all(isinstance(line, str) for paragraph in email.paragraphs for line in paragraph)
    assert "://" not in email.body


def test_plain_text_has_links_on_their_own_lines_and_no_double_spaces():
    email = RenderedEmail("Subject", (("Alder  Birch ",), (Link("Report", REPORT),)))
    assert email.body == f"Alder Birch\n\nReport:\n{REPORT}"
