"""CSV that spreadsheets open."""

import codecs

import pytest

from integrations.lists import csv_answer, csv_cell


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_cell_is_never_a_formula(start: str) -> None:
    assert csv_cell(f"{start}1") == f"'{start}1"
    assert csv_cell("1") == "1"


def test_lines_begin_with_the_heading_and_quote_what_needs_it() -> None:
    answer = csv_answer("names.csv", ["name", "score"], [["Alder, Red", 82], ['“=1"', None]])
    assert answer.content.decode("utf-8-sig") == 'name,score\r\n"Alder, Red",82\r\n"“=1""",\r\n'


def test_a_file_says_that_it_is_utf_8_so_that_excel_shows_every_script() -> None:
    content = csv_answer("names.csv", ["name"], [["אלון"]]).content
    assert content.startswith(codecs.BOM_UTF8)
    assert content.decode("utf-8-sig") == "name\r\nאלון\r\n"
