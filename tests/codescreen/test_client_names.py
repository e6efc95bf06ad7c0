"""Lever's one name becomes the first and last name that CodeScreen greets the person by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.codescreen.client import split_name


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        # the last word is the last name
        ("Ada Alder", "Ada", "Alder"),
        ("  Ada   Maria  Alder ", "Ada Maria", "Alder"),
        ("Ada", "Ada", "-"),
        ("   ", "Candidate", "-"),
        # what follows a comma is left out
        ("Ada Alder, Engineer, Berlin", "Ada", "Alder"),
        ("Ada, Engineer", "Ada", "-"),
        (", Ada Alder", "Ada", "Alder"),
        (",", "Candidate", "-"),
        # but a suffix stays with the last name
        ("Ada Alder, II", "Ada", "Alder II"),
        ("Ada Alder Jr.", "Ada", "Alder Jr."),
        ("Ada Alder, Jr., Engineer", "Ada", "Alder Jr."),
        ("Ada Alder, Ph.D., MBA", "Ada", "Alder Ph.D. MBA"),
        ("Ada Maria Alder III PhD", "Ada Maria", "Alder III PhD"),
        ("Ada II", "Ada", "II"),
        # a title before a full name is left out
        ("Dr. Ada Alder", "Ada", "Alder"),
        ("Prof Ada Maria Alder", "Ada Maria", "Alder"),
        ("Dr. Alder", "Dr.", "Alder"),
    ],
)
def test_a_name_is_split_into_first_and_last(name, first, last):
    assert split_name(name) == (first, last)


@given(st.text() | st.text(alphabet="a ,.IJrDPh"))
def test_no_part_is_ever_empty(name):
    assert all(part.strip() for part in split_name(name))
