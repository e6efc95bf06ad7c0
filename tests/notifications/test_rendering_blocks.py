"""A text becomes paragraphs, facts and links, and its plain form has each link on a line of its own."""

from integrations.notifications.rendering import Block, Fact, blocks, links_on_own_lines

PAGE = "http://testserver/activity/o/"
REPORT = "https://codescreen.example/report/1"


def test_lines_that_say_what_something_is_are_facts():
    assert blocks("Result: Passed\nScore: 82") == [
        Block(facts=(Fact("Result", "Passed"), Fact("Score", "82")))
    ]


def test_one_such_line_alone_is_a_sentence():
    assert blocks("In their words: please") == [Block(text="In their words: please")]


def test_the_only_link_to_the_portal_is_the_button():
    report, page = blocks(f"Report in CodeScreen: {REPORT}\n\nOpen in the portal: {PAGE}")
    assert report == Block(label="Report in CodeScreen", url=REPORT)
    assert page == Block(label="Open in the portal", url=PAGE, is_button=True)


def test_of_several_links_to_the_portal_none_is_the_button():
    assert [block.is_button for block in blocks(f"Alder: {PAGE}\nBirch: {PAGE}")] == [False, False]


def test_a_sentence_before_a_link_stays_a_sentence():
    sentence = "Choose a new password with this link. It works once:"
    assert blocks(f"{sentence}\n{PAGE}") == [
        Block(text=sentence),
        Block(label="Open in the portal", url=PAGE, is_button=True),
    ]
    assert blocks(f"{sentence} {PAGE}") == blocks(f"{sentence}\n{PAGE}")


def test_an_address_elsewhere_without_words_is_shown_itself():
    assert blocks(REPORT) == [Block(label=REPORT, url=REPORT)]


def test_what_is_no_web_address_is_no_link():
    assert blocks("Report in CodeScreen: javascript:alert(1)") == [
        Block(text="Report in CodeScreen: javascript:alert(1)")
    ]


def test_plain_text_has_links_on_their_own_lines_and_no_double_spaces():
    assert links_on_own_lines(f"Alder  Birch \n\nReport: {REPORT}") == f"Alder Birch\n\nReport:\n{REPORT}"
