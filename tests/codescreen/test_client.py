"""What CodeScreen answers without what is needed is an error that names it; a name is split as it greets people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.codescreen.client import CodeScreenClient, split_name
from integrations.http.session import PlatformError, PlatformSession

API = "https://codescreen.example/api"


@pytest.fixture
def codescreen() -> CodeScreenClient:
    return CodeScreenClient(PlatformSession("codescreen", API), "key")


@pytest.mark.parametrize("body", [{}, {"status": None, "score": 75}, {"status": 5}, {"status": " "}])
def test_an_answer_without_a_status_is_an_error(codescreen, wire, body):
    wire.get(f"{API}/assessments/i1", json=body)
    with pytest.raises(PlatformError, match="“status”"):
        codescreen.status("i1")


def test_a_list_of_assessments_that_is_none_is_an_error(codescreen, wire):
    wire.get(f"{API}/assessments", json={"assessments": []})
    with pytest.raises(PlatformError, match="list of assessments"):
        codescreen.assessments()


def test_an_assessment_without_an_id_is_left_out(codescreen, wire):
    wire.get(f"{API}/assessments", json=[{"testId": "a"}, {"assessmentId": "b", "assessmentName": "B"}])
    listed = codescreen.assessments()
    assert ([one.id for one in listed.assessments], listed.path) == (["b"], "/assessments")


def test_an_invitation_without_an_instance_id_may_have_been_sent(codescreen, wire):
    wire.post(f"{API}/assessments", json={"assessmentInstanceId": 5})
    with pytest.raises(PlatformError, match="without saying its id") as raised:
        codescreen.send("a", "Ada Alder", "ada@candidates.example")
    assert raised.value.ambiguous


# Lever's one name becomes the first and last name that CodeScreen greets the person by


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
