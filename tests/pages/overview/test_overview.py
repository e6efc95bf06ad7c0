"""The set-up checklist, and the overview that replaces it, with the buttons that pause sending and resume it."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.case.other_integration import record_tag, record_webhooks
from integrations.catalog.models import Role, RoleMapping, Stage
from integrations.codescreen.models import CodeScreenConnection
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from integrations.pages.overview import checklist
from tests.support import factories
from tests.support.factories import recorded
from tests.support.page_text import text


def done_steps(organization) -> list[str]:
    return [step.code for step in checklist.setup_steps(organization) if step.is_done]


def step_of(organization, code: str) -> checklist.SetupStep:
    return next(step for step in checklist.setup_steps(organization) if step.code == code)


def test_each_step_is_done_when_its_row_exists_and_works(organization):
    codescreen = factories.CodeScreenConnectionFactory.create(organization=organization, state="untried")
    assert done_steps(organization) == []
    codescreen.state = "connected"
    codescreen.save()
    assert done_steps(organization) == ["codescreen"]
    codescreen.mark_unusable("refused", "401")
    lever = factories.LeverConnectionFactory.create(organization=organization)
    assert done_steps(organization) == ["lever"]
    webhook = factories.LeverWebhookFactory.create(
        organization=organization, origin=LeverWebhook.Origin.API, listed_at=timezone.now()
    )
    assert done_steps(organization) == ["lever", "webhook"]
    LeverWebhook.objects.filter(pk=webhook.pk).update(missing_since=timezone.now())
    lever.mark_needs_reconnect("Revoked in Lever.")
    assert done_steps(organization) == []


def test_the_step_about_the_other_integration_says_why_nothing_is_sent_and_who_said_that_it_is_off(
    super_admin_client, organization
):
    def state() -> str:
        return step_of(organization, "other_integration").state

    assert "once the portal sees it" in state()
    record_tag(organization)
    assert "progress tag that the portal didn't set, so nothing is sent" in state()
    record_webhooks(organization, ["https://app.codescreen.com/hook"])
    assert state().startswith("A webhook in Lever leads to CodeScreen, so nothing is sent")
    super_admin_client.post("/other-integration-off/")
    assert state().startswith("It is off, as owner")


def test_a_webhook_made_by_hand_is_done_with_the_test_request(super_admin_client, organization):
    webhook = factories.LeverWebhookFactory.create(organization=organization)
    step = step_of(organization, "webhook")
    assert (step.is_done, step.is_begun) == (False, True)
    assert "Now press “Verify Connection”" in step.state
    page = super_admin_client.get("/").content.decode()
    assert 'href="https://hire.lever.co/settings/integrations?tab=webhooks"' in page
    assert '<li class="is-begun"' in page
    assert 'id="step-lever"\n              aria-current="step"' in page
    LeverWebhook.objects.filter(pk=webhook.pk).update(last_verified_at=timezone.now())
    step = step_of(organization, "webhook")
    assert (step.is_done, step.is_begun) == (True, False)


@pytest.mark.parametrize(
    "tags", [["CodeScreen Backend"], ["codescreen  Backend", "CodeScreen: Candidate Invited"]]
)
def test_a_tagged_role_counts_as_mapped_and_a_progress_tag_does_not(organization, tags):
    role = Role.objects.create(
        organization=organization, external_id="r", title="Backend", tags=["CodeScreen: Candidate Invited"]
    )
    assert "roles" not in done_steps(organization)
    role.tags = tags
    role.save()
    assert "roles" in done_steps(organization)


def test_a_role_is_mapped_on_the_checklist(organization_admin_client, ready_organization):
    assert 'action="/mappings/add/"' not in organization_admin_client.get("/").content.decode()
    RoleMapping.objects.all().delete()
    page = organization_admin_client.get("/").content.decode()
    form = page.split('<form method="post" action="/mappings/add/"')[1].split("</form>")[0]
    assert '<option value="Backend Engineer">' in form
    answer = organization_admin_client.post(
        "/mappings/add/", {"role": "Backend Engineer", "assessment": "Backend", "next": "/"}
    )
    assert answer["Location"] == "/"
    assert "roles" in done_steps(ready_organization)


def test_a_super_admin_can_do_each_step_on_the_checklist(super_admin_client, organization):
    page = " ".join(super_admin_client.get("/").content.decode().split())
    for action in ("/oauth/login/lever/", "/settings/webhooks/make/"):
        form = page.split(f'<form method="post" action="{action}"', 1)[1].split("</form>")[0]
        assert 'name="next" value="/#next-step"' in form, action
    assert 'href="/settings/?change&next=/%23next-step#by-hand"' in page
    form = page.split('name="codescreen_api_key"', 1)[0].rsplit("<form", 1)[1]
    assert 'action="/settings/"' in form
    assert 'name="next" value="/#next-step"' in form
    answer = super_admin_client.post("/settings/", {"codescreen_api_key": "key-1", "next": "/#next-step"})
    assert answer["Location"] == "/#next-step"
    assert CodeScreenConnection.objects.get(organization=organization).api_key == "key-1"


def test_who_has_proven_nothing_lately_enters_the_key_on_a_page_that_asks_first(super_admin, organization):
    client = Client()
    client.force_login(super_admin)
    page = client.get("/").content.decode()
    assert 'name="codescreen_api_key"' not in page
    assert 'href="/settings/?change&next=/%23next-step#codescreen"' in page


def test_the_catalog_is_refreshed_at_intervals_while_a_step_needs_it(
    super_admin_client, team_member_client, organization, refreshed
):
    team_member_client.get("/", headers={"X-Live-Part": "checklist"})
    assert refreshed == []
    for _ in range(3):
        super_admin_client.get("/", headers={"X-Live-Part": "checklist"})
    assert refreshed == [organization]


def test_the_stages_are_read_while_lever_has_none_for_the_first_candidate(
    super_admin_client, ready_organization, refreshed
):
    Stage.objects.all().delete()
    page = super_admin_client.get("/", headers={"X-Live-Part": "checklist"}).content.decode()
    assert "“+ Add Stage”" in page
    assert refreshed == [ready_organization]


def test_a_set_up_that_breaks_later_shows_only_what_to_mend(super_admin_client, ready_organization):
    factories.InvitationFactory.create(
        organization=ready_organization, instance_id="instance-1", status=Invitation.Status.INVITED
    )
    ready_organization.lever.mark_needs_reconnect("Revoked in Lever.")
    page = super_admin_client.get("/").content.decode()
    assert re.search(r"<h1>\s*Overview\s*</h1>", page)
    assert "Something in the set-up needs correcting." in page
    assert 'id="step-lever"' in page
    assert 'id="step-codescreen"' not in page


def test_an_admin_pauses_with_one_button_and_ends_the_pause_with_another(
    organization_admin_client, ready_organization
):
    def overview() -> str:
        return text(organization_admin_client.get("/"))

    def press(act: str) -> str:
        return text(organization_admin_client.post(f"/{act}/", follow=True))

    def buttons(page: str) -> list[bool]:
        return [f'action="/{act}/"' in page for act in ("pause", "resume")]

    assert buttons(overview()) == [False, False]
    factories.CandidateFactory.create(organization=ready_organization)
    assert buttons(overview()) == [True, False]
    paused = press("pause")
    assert "Paused. Nothing is sent until somebody presses “Resume”." in paused
    assert Organization.objects.get().paused
    assert buttons(paused) == [False, True]
    assert "Already paused." in press("pause")
    assert "The pause has ended." in press("resume")
    assert not Organization.objects.get().paused
    assert "had ended already" in press("resume")
    changes = [entry.changes for entry in recorded().filter(action="change_policies").order_by("pk")]
    assert changes == [{"paused": [False, True]}, {"paused": [True, False]}]


# the question what counts as passed, and its two answers


@pytest.fixture
def published(ready_organization: Organization) -> Organization:
    """An organization with an account that states what CodeScreen publishes, whose set-up lacks only the answer."""
    CodeScreenConnection.objects.update(states_results=False)
    return ready_organization


def test_the_question_is_open_where_codescreen_states_no_result_and_no_fault_once_somebody_was_invited(
    organization_admin_client, published
):
    assert not step_of(published, "passed").is_done
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
    step = step_of(published, "passed")
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
    assert step_of(published, "passed").is_done


@pytest.mark.parametrize("score", ["", "101", "-1", "many"])
def test_no_answer_is_stored_for_what_is_no_score(organization_admin_client, published, score):
    organization_admin_client.post("/settings/rules/passed/", {"passing_score": score})
    assert not step_of(published, "passed").is_done
    assert not AuditEntry.objects.filter(action="change_policies").exists()
