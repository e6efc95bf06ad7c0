"""CSV that spreadsheets open."""

import codecs

import pytest

from integrations.lists import csv_answer, csv_cell, csv_lines


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_cell_is_never_a_formula(start: str) -> None:
    assert csv_cell(f"{start}1") == f"'{start}1"
    assert csv_cell("1") == "1"


def test_lines_begin_with_the_heading_and_quote_what_needs_it() -> None:
    lines = list(csv_lines(["name", "score"], [["Alder, Red", 82], ['“=1"', None]]))
    assert lines == ["name,score\r\n", '"Alder, Red",82\r\n', '"“=1""",\r\n']


def test_a_file_says_that_it_is_utf_8_so_that_excel_shows_every_script() -> None:
    answer = csv_answer("names.csv", csv_lines(["name"], [["אלון"]]))
    content = answer.getvalue()
    assert content.startswith(codecs.BOM_UTF8)
    assert content.decode("utf-8-sig") == "name\r\nאלון\r\n"
