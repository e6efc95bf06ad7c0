"""The set-up's question what counts as passed, and its two answers."""

import pytest

from integrations.audit.models.entry import AuditEntry
from integrations.codescreen.models import CodeScreenConnection
from integrations.organizations.models.organization import Organization
from integrations.pages.overview import checklist
from tests.support import factories
from tests.support.page_text import text

pytestmark = pytest.mark.django_db


def passed_step(organization: Organization) -> checklist.SetupStep:
    return next(step for step in checklist.setup_steps(organization) if step.code == "passed")


@pytest.fixture
def published(ready_organization: Organization) -> Organization:
    """An organization with an account that states what CodeScreen publishes, whose set-up lacks only the answer."""
    CodeScreenConnection.objects.update(states_results=False)
    return ready_organization


def test_the_question_is_open_where_codescreen_states_no_result_and_no_fault_once_somebody_was_invited(
    organization_admin_client, published
):
    assert not passed_step(published).is_done
    page = text(organization_admin_client.get("/"))
    assert "“Meets your bar (70)” or “Below your bar (70)”" in page
    factories.InvitationFactory.create(organization=published, status="invited", instance_id="i-1")
    page = text(organization_admin_client.get("/"))
    assert "One question is open. Candidates are invited all the same." in page
    assert "needs correcting" not in page


@pytest.mark.parametrize(
    ("states_results", "changes", "state"),
    [
        (True, {}, "CodeScreen states it: its last result came with Passed, Failed or Expired."),
        (False, {"passing_score": 0}, "Where CodeScreen doesn't state it, a score of 0 or more."),
        (None, {"passed_as_stated": True}, "What CodeScreen states. No result has come yet."),
    ],
)
def test_the_step_is_done_when_something_says_what_counts(published, states_results, changes, state):
    CodeScreenConnection.objects.update(states_results=states_results)
    Organization.objects.filter(pk=published.pk).update(**changes)
    step = passed_step(published)
    assert (step.is_done, step.state) == (True, state)


@pytest.mark.parametrize(
    ("given", "stored"),
    [({"passing_score": "70"}, (70, False)), ({"passed_as_stated": "on"}, (None, True))],
)
def test_an_admin_answers_on_the_checklist(organization_admin_client, published, given, stored):
    answer = organization_admin_client.post("/settings/rules/passed/", given, follow=True)
    assert answer.redirect_chain == [("/#next-step", 302)]
    row = Organization.objects.get(pk=published.pk)
    assert (row.passing_score, row.passed_as_stated, row.rating_follows_result) == (*stored, True)
    assert AuditEntry.objects.latest("pk").actor_name.startswith("admin")
    assert passed_step(published).is_done


@pytest.mark.parametrize("score", ["", "101", "-1", "many"])
def test_no_answer_is_stored_for_what_is_no_score(organization_admin_client, published, score):
    organization_admin_client.post("/settings/rules/passed/", {"passing_score": score})
    assert not passed_step(published).is_done
    assert not AuditEntry.objects.filter(action="change_policies").exists()
