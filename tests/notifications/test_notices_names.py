"""What a candidate and a result are called in a subject."""

import pytest

from integrations.notifications.notices import first_name


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Alder Birch", "Alder"),
        ("Dr. Alder Birch", "Alder"),
        ("Candidate Alder", "Alder"),
        ("Alder, B.", "Alder"),
        ("Candidate", "Candidate"),
        ("  ", "A candidate"),
        ("", "A candidate"),
    ],
)
def test_a_first_name_is_the_first_word_that_is_no_title(name: str, first: str) -> None:
    assert first_name(name) == first
