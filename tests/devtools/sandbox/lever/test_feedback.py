from typing import Any

import pytest

from tests.devtools.sandbox.callers import LeverCaller, control
from tests.devtools.sandbox.conftest import ALDER, SUPER_ADMIN

TEMPLATE: dict[str, Any] = {
    "text": "CodeScreen Assessment",
    "fields": [
        {"type": "score-system", "text": "Rating", "required": False},
        {"type": "text", "text": "Score", "required": False},
        {"type": "textarea", "text": "Must have", "required": True},
    ],
}
PATH = f"/opportunities/{ALDER}/feedback"


@pytest.fixture
def template(caller: LeverCaller) -> Any:
    """The template, stored."""
    response = caller.post("/feedback_templates", TEMPLATE)
    assert response.status_code == 201
    return response.json()["data"]


@pytest.fixture
def body(template: Any) -> dict[str, Any]:
    """Feedback that fits the template."""
    return {"baseTemplateId": template["id"], "fieldValues": values(template, "3 - Hire", "82/100", "yes")}


def values(template: dict[str, Any], *given: object) -> list[dict[str, Any]]:
    return [
        {"id": field["id"], "value": value} for field, value in zip(template["fields"], given, strict=True)
    ]


def test_feedback_is_400_with_values_that_do_not_fit(
    caller: LeverCaller, template: Any, body: dict[str, Any]
):
    for wrong in (
        values(template, "3", "82", "yes"),
        values(template, "3 - Hire", 82, "yes"),
        body["fieldValues"][:2],
    ):
        refused = caller.post(PATH, body | {"fieldValues": wrong}, perform_as=SUPER_ADMIN)
        assert refused.status_code == 400
    made = caller.post(PATH, body, perform_as=SUPER_ADMIN)
    assert made.status_code == 201
    assert [field["value"] for field in made.json()["data"]["fields"]] == ["3 - Hire", "82/100", "yes"]


def test_feedback_is_changed_until_a_person_deletes_it(caller: LeverCaller, body: dict[str, Any]):
    form = caller.post(PATH, body, perform_as=SUPER_ADMIN).json()["data"]
    change = {"fieldValues": [{"id": form["fields"][0]["id"], "value": "2 - No Hire"}]}
    changed = caller.put(f"{PATH}/{form['id']}", change, perform_as=SUPER_ADMIN).json()["data"]
    assert changed["profileId"] == ALDER
    assert changed["fields"][0]["type"] == "score"
    now = caller.get(f"{PATH}/{form['id']}").json()["data"]
    assert [field["value"] for field in now["fields"]] == ["2 - No Hire", "82/100", "yes"]
    caller.server.accounts["acme"].opportunities[ALDER].feedback[form["id"]].deleted_at = 1
    assert caller.put(f"{PATH}/{form['id']}", change, perform_as=SUPER_ADMIN).status_code == 404
    assert caller.get(f"{PATH}/{form['id']}").json()["data"]["deletedAt"]
    [listed] = caller.get(PATH).json()["data"]  # the list has deleted ones too
    assert listed["id"] == form["id"]


@pytest.mark.parametrize("answers", ["GET POST PUT", "GET", "POST", "PUT", ""])
def test_a_rating_is_typed_score_in_the_answers_that_the_settings_name(
    caller: LeverCaller, body: dict[str, Any], answers: str
):
    control(caller.server, "settings", {"account": "acme", "answers_of_score": answers})
    made = caller.post(PATH, body, perform_as=SUPER_ADMIN).json()["data"]
    path = f"{PATH}/{made['id']}"
    answered = {
        "POST": made,
        "GET": caller.get(path).json()["data"],
        "PUT": caller.put(path, {"fieldValues": []}, perform_as=SUPER_ADMIN).json()["data"],
    }
    ratings = {method: form["fields"][0] for method, form in answered.items()}
    assert {method for method, rating in ratings.items() if rating["type"] == "score"} == set(answers.split())
    assert all(rating["options"] and rating["value"] == "3 - Hire" for rating in ratings.values())
