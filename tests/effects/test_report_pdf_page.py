"""The report as a PDF: what it says, whatever it has to say, and always in the same bytes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.effects.report_pdf import render
from integrations.effects.report_words import ReportWords
from tests.support.report_texts import characters_of, links_of, texts_of

REPORT = "https://app.codescreen.example/report/1"
WORDS = ReportWords(
    organization="Alder GmbH",
    assessment="Backend",
    role="Backend Engineer",
    outcome="Passed",
    result="Passed",
    score="82 of 100",
    rating="4 of 4",
    report_url=REPORT,
    dates=[["Invited", "24 Nov 2026, 09:12"], ["Completed", "24 Nov 2026, 11:58"]],
    zone="Europe/Warsaw",
    reference="a1b2c3d4e5f6",
    made_at="2026-11-24T10:58:00+00:00",
)


def test_the_page_says_everything_as_text():
    pdf = render(WORDS)
    texts = texts_of(pdf)
    wanted = [
        "Alder GmbH",
        "Assessment report",
        "Backend",
        "Backend Engineer",
        "Passed",
        "82 of 100",
        "4 of 4",
    ]
    assert set(wanted) <= set(texts)
    assert {"Invited", "24 Nov 2026, 09:12", "Completed", "24 Nov 2026, 11:58", REPORT} <= set(texts)
    assert "Times are in Europe/Warsaw." in texts[-2]
    assert texts[-1] == "Reference a1b2c3d4e5f6"
    assert links_of(pdf) == [REPORT]
    assert pdf.count(b"/Type /Page\n") == 1


def test_what_is_not_known_is_left_out():
    texts = texts_of(render(replace(WORDS, score="", rating="", report_url="", dates=[])))
    assert {"Score", "Rating", "Full report", "Invited", "Candidate", "Failure reason"}.isdisjoint(texts)


def test_the_document_names_itself_its_language_and_the_time_of_the_result():
    pdf = render(WORDS)
    assert b"/Title (Assessment report: Backend)" in pdf
    assert b"/Author (Alder GmbH)" in pdf
    assert b"/Lang (en)" in pdf
    assert pdf.count(b"(D:20261124105800Z)") == 2


def test_the_same_words_are_the_same_bytes():
    assert render(WORDS) == render(WORDS) == render(ReportWords.from_json(WORDS.to_json()))
    assert render(WORDS) != render(replace(WORDS, score="83 of 100"))


def test_polish_and_greek_are_embedded():
    pdf = render(replace(WORDS, candidate="Łucja", role="Μηχανικός"))
    assert set("ŁΜχό") <= characters_of(pdf)


@pytest.mark.parametrize(
    ("name", "font"), [("王小明", b"STSong"), ("さくら", b"HeiseiKaku"), ("민준", b"HYGothic")]
)
def test_asian_names_use_the_viewers_fonts(name, font):
    assert font in render(replace(WORDS, candidate=name))
    assert font not in render(WORDS)


@pytest.mark.parametrize("name", ["עומר", "محمد", "अजय", "😀", "𐍈"])
def test_scripts_without_a_font_are_question_marks(name):
    assert "?" * len(name) in [text.strip() for text in texts_of(render(replace(WORDS, candidate=name)))]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "report"])
def test_only_web_addresses_can_be_clicked(url):
    assert links_of(render(replace(WORDS, report_url=url))) == []


def test_a_hostile_address_does_not_leave_its_string():
    pdf = render(replace(WORDS, report_url="https://x.example/) /Launch (calc é\n\\"))
    assert b"/Launch (" not in pdf
    assert b"%20/Launch" in pdf


def test_a_long_value_stays_on_the_page():
    long = "W" * 1000
    pdf = render(
        replace(
            WORDS,
            organization=long,
            candidate=long,
            assessment=long,
            role=long,
            reason=long,
            report_url=REPORT + long,
            dates=[
                [label, "24 Nov 2026, 09:12"] for label in ("Invited", "Started", "Submitted", "Completed")
            ],
        )
    )
    assert pdf.count(b"/Type /Page\n") == 1
    assert sum(text.startswith("WWWW") for text in texts_of(pdf)) < 20


def test_details_stand_below_the_report():
    pdf = render(replace(WORDS, details=[["issueCount", "10"], ["plagiarismCheckPassed", "yes"]]))
    texts = texts_of(pdf)
    assert {"Details from CodeScreen", "issueCount", "10", "yes"} <= set(texts)
    assert pdf.count(b"/Type /Page\n") == 1
    assert "Details from CodeScreen" not in texts_of(render(WORDS))


def test_many_long_details_take_further_pages_each_with_its_foot():
    pdf = render(replace(WORDS, details=[[f"{number} " + "K" * 100, "W" * 300] for number in range(41)]))
    pages, texts = pdf.count(b"/Type /Page\n"), texts_of(pdf)
    assert 2 < pages < 10
    assert texts.count("Reference a1b2c3d4e5f6") == pages
    assert {str(number) for number in range(41)} <= set(texts)


@given(st.text(max_size=60))
def test_any_text_becomes_a_page(text):
    words = replace(
        WORDS,
        candidate=text,
        organization=text,
        reason=text,
        report_url=text,
        result=text,
        details=[[text, text]],
    )
    assert render(words).startswith(b"%PDF-1.4")


def test_words_read_leniently():
    assert ReportWords.from_json({"score": "1", "unknown": 2}) == ReportWords(score="1")
    assert ReportWords.from_json({}).values == []
