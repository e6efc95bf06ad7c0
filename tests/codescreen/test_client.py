"""What CodeScreen answers without what is needed is an error that names it."""

import pytest

from integrations.codescreen.client import CodeScreenClient
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
