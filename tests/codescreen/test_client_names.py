"""Lever's one name becomes the first and last name that CodeScreen greets the person by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.codescreen.client import split_name


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ada Alder", "Ada", "Alder"),
        ("  Ada   Maria  Alder ", "Ada Maria", "Alder"),
        ("Ada", "Ada", "-"),
        ("", "Candidate", "-"),
        ("   ", "Candidate", "-"),
    ],
)
def test_the_last_word_is_the_last_name(name, first, last):
    assert split_name(name) == (first, last)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ada Alder, Senior Engineer", "Ada", "Alder"),
        ("Ada Alder, Engineer, Berlin", "Ada", "Alder"),
        ("Ada, Engineer", "Ada", "-"),
        (", Ada Alder", "Ada", "Alder"),
        (",", "Candidate", "-"),
    ],
)
def test_what_follows_a_comma_is_left_out(name, first, last):
    assert split_name(name) == (first, last)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ada Alder, II", "Ada", "Alder II"),
        ("Ada Alder II", "Ada", "Alder II"),
        ("Ada Alder Jr.", "Ada", "Alder Jr."),
        ("Ada Alder, Jr., Engineer", "Ada", "Alder Jr."),
        ("Ada Alder, Ph.D., MBA", "Ada", "Alder Ph.D. MBA"),
        ("Ada Maria Alder III PhD", "Ada Maria", "Alder III PhD"),
        ("Ada II", "Ada", "II"),
    ],
)
def test_a_suffix_stays_with_the_last_name(name, first, last):
    assert split_name(name) == (first, last)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Dr. Ada Alder", "Ada", "Alder"),
        ("Prof Ada Maria Alder", "Ada Maria", "Alder"),
        ("Dr. Alder", "Dr.", "Alder"),
    ],
)
def test_a_title_before_a_full_name_is_left_out(name, first, last):
    assert split_name(name) == (first, last)


@given(st.text() | st.text(alphabet="a ,.IJrDPh"))
def test_no_part_is_ever_empty(name):
    assert all(part.strip() for part in split_name(name))
