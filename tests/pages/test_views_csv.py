"""CSV that spreadsheets open."""

from io import BytesIO
from itertools import repeat

import pytest

from integrations.pages import views
from integrations.pages.views import ListTooLong, csv_cell, write_csv


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_cell_is_never_a_formula(start: str) -> None:
    assert csv_cell(f"{start}1") == f"'{start}1"
    assert csv_cell("1") == "1"


def test_a_list_without_end_makes_no_file_without_end(monkeypatch) -> None:
    monkeypatch.setattr(views, "MOST_CHARACTERS", 1000)
    with pytest.raises(ListTooLong):
        write_csv(file := BytesIO(), ["name"], repeat(["Alder"]))
    assert file.tell() < 1100
