"""The whole history, made once: nothing is missing, nothing is broken, and both platforms agree with the portal."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Max, Min
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.catalog.lists import trigger_stages
from integrations.clients.models import ApiCall
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ProgressTag
from integrations.health.models import Incident
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.pages.overview.checklist import setup_steps
from portal.devtools.demo.environment import DemoEnvironment, Platforms
from portal.devtools.demo.history.writer import write_history
from portal.devtools.processes import free_port

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

#: The reasons not to be invited that the demo shows.
SHOWN = {
    VerdictCode.ALREADY_INVITED,
    VerdictCode.AMBIGUOUS_ASSESSMENT,
    VerdictCode.CONTACT_NOT_ALLOWED,
    VerdictCode.HELD_FOR_APPROVAL,
    VerdictCode.INVITE,
    VerdictCode.INVITED_ELSEWHERE,
    VerdictCode.NO_ASSESSMENT,
    VerdictCode.NO_EMAIL,
    VerdictCode.UNKNOWN_ASSESSMENT,
}
STATUSES = {"held", "uncertain", "invited", "in_progress", "submitted", "completed", "withdrawn"}


@pytest.fixture
def environment(tmp_path: Path, settings) -> DemoEnvironment:
    """A demo's environment, to which the settings point."""
    environment = DemoEnvironment(tmp_path, *(free_port() for _ in range(5)))
    variables = environment.variables()
    for name in ("LEVER_AUTH_URL", "LEVER_API_URL", "LEVER_AUDIENCE", "CODESCREEN_API_URL", "PORTAL_URL"):
        setattr(settings, name, variables[name])
    settings.LEVER_CLIENT_ID, settings.LEVER_CLIENT_SECRET = (
        variables["LEVER_CLIENT_ID"],
        variables["LEVER_CLIENT_SECRET"],
    )
    return environment


def test_two_weeks_of_history_hold_every_outcome_and_break_no_promise(
    environment: DemoEnvironment, subtests: pytest.Subtests
):
    now = timezone.now()
    with Platforms(environment) as platforms:
        skipped = write_history(environment, platforms, now)
        slugs = ("initech", "acme")
        ledgers = (
            {
                key: one
                for slug in slugs
                for key, one in environment.lever.ledger(slug)["opportunities"].items()
            },
            [one for slug in slugs for one in environment.codescreen.ledger(slug)["invitations"]],
        )
        emails = platforms.mail.mailbox.latest_first()
    acme = Organization.objects.get(slug="acme")

    with subtests.test("every planned event could happen"):
        assert skipped == []
        assert timezone.now() >= now

    with subtests.test("everything that could be known of a candidate happened to somebody"):
        assert set(Verdict.objects.values_list("code", flat=True)) >= SHOWN
        statuses = set(Invitation.objects.values_list("status", flat=True))
        assert statuses == STATUSES
        outcomes = set(Result.objects.values_list("outcome", flat=True))
        assert outcomes == {"Passed", "Failed", "Expired", ""}  # "": not stated, and compared with the bar
        explanations = " ".join(Delivery.objects.values_list("explanation", flat=True))
        assert "Did you mean “Frontend Developer”?" in explanations

    with subtests.test("everything was worked, and its rows are as old as they say"):
        assert not Delivery.objects.filter(due_at__isnull=False).exists()
        states = set(Effect.objects.values_list("state", flat=True))
        assert states == {Effect.State.DONE, Effect.State.UNCERTAIN}
        for rows, column in (
            (Delivery.objects.all(), "received_at"),
            (Invitation.objects.all(), "created_at"),
            (Effect.objects.filter(state=Effect.State.DONE), "done_at"),
            (ApiCall.objects.all(), "at"),
            (AuditEntry.objects.all(), "at"),
        ):
            span = rows.aggregate(first=Min(column), last=Max(column))
            assert now - timedelta(days=14, minutes=1) < span["first"] < now - timedelta(days=11), column
            assert now - timedelta(hours=36) < span["last"] <= timezone.now(), column

    with subtests.test("nobody was invited twice, and Lever shows one progress tag"):
        opportunities, invitations = ledgers
        rounds = Counter(Invitation.objects.exclude(invited_at=None).values_list("email", "assessment_id"))
        rounds.update(Invitation.objects.filter(status="uncertain").values_list("email", "assessment_id"))
        sent = {(one["email"], one["assessment_id"]): one["emails_sent"] for one in invitations}
        assert sent == rounds
        for invitation in Invitation.objects.exclude(invited_at=None):
            tags = opportunities[invitation.opportunity_id]["tags"]
            assert sum(tag.startswith("CodeScreen: ") for tag in tags) == 1, invitation
        results = Invitation.objects.filter(results__isnull=False).distinct()
        for invitation in results:
            assert opportunities[invitation.opportunity_id]["feedback"], invitation

    with subtests.test("who hasn't started for days is tagged so, and may still start"):
        opportunities, _ = ledgers
        late = Invitation.objects.filter(unstarted_tag=ProgressTag.NOT_STARTED_YET)
        assert late
        for invitation in late:
            assert ProgressTag.NOT_STARTED_YET in opportunities[invitation.opportunity_id]["tags"]

    with subtests.test("everybody who entered the stage has a row"):
        entered = Delivery.objects.exclude(verdict__in=["noted", "test_request", "not_a_trigger_stage"])
        ids = set(entered.values_list("opportunity_id", flat=True))
        assert set(Candidate.objects.values_list("opportunity_id", flat=True)) == ids
        assert len(ids) == 48 + 8
        assert not Candidate.objects.filter(name="").exists()

    with subtests.test("incidents are over and open"):
        assert Incident.objects.exclude(ended_at=None).exists()
        ongoing = Incident.objects.filter(ended_at=None)
        assert set(ongoing.values_list("code", flat=True)) == {"held_invitations", "uncertain_invitations"}

    with subtests.test("people changed things and were told"):
        actions = set(AuditEntry.objects.values_list("action", flat=True))
        assert {
            "connect",
            "add_mapping",
            "change_policies",
            "approve",
            "cancel_invitation",
            "replay",
        } <= actions
        assert len(emails) > 40
        assert {email.recipients for email in emails} >= {("demo@acme.example",), ("lead@acme.example",)}

    with subtests.test("the organization that is shown first has what CodeScreen publishes"):
        first = Membership.objects.filter(user__username="demo").earliest("created_at", "pk").organization
        account = CodeScreenConnection.objects.get(organization=first)
        assert (first.slug, account.states_results) == ("initech", False)
        labels = [one.label for one in Result.objects.filter(organization=first).order_by("created_at")]
        assert labels == [
            "Score 77, result not stated by CodeScreen",
            "Score 48, result not stated by CodeScreen",
            "Score 91, meets your bar (70)",
            "Score 62, below your bar (70)",
            "Score 70, meets your bar (70)",
        ]
        assert not Delivery.objects.filter(organization=first, platform="codescreen").exists()

    with subtests.test("the set-up is complete, and the log is whole"):
        for organization in (first, acme):
            steps = setup_steps(organization, trigger_stages(organization))
            assert all(step.is_done for step in steps), steps
        call_command("verify_audit")
