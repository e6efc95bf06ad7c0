"""The whole history, made once: nothing is missing, nothing is broken, and both platforms agree with the portal."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Max, Min
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.clients.models import ApiCall
from integrations.core.verdict_code import VerdictCode
from integrations.health.models import Incident
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
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
    environment = DemoEnvironment(tmp_path, *(free_port() for _ in range(6)))
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
    first, acme = (Organization.objects.get(slug=slug) for slug in slugs)

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
        uncertain = Invitation.objects.filter(status="uncertain").values_list("email", "assessment_id")
        sent = {(one["email"], one["assessment_id"]): one["emails_sent"] for one in invitations}
        assert {email for email, _ in set(uncertain) - set(sent)} == {"zitterpappel@candidates.example"}
        rounds.update(set(uncertain) & set(sent))
        assert sent == rounds
        for invitation in Invitation.objects.exclude(invited_at=None):
            tags = opportunities[invitation.opportunity_id]["tags"]
            assert sum(tag.startswith("CodeScreen: ") for tag in tags) == 1, invitation
        results = Invitation.objects.filter(results__isnull=False).distinct()
        for invitation in results:
            assert opportunities[invitation.opportunity_id]["feedback"], invitation

    with subtests.test(
        "an outage began and ended with calls on record, and who waited for its end was invited"
    ):
        outage = Incident.objects.get(code="platform_down")
        failed = ApiCall.objects.filter(status=503)
        assert failed.earliest("at").at == outage.began_at
        ended_at = outage.ended_at
        assert ended_at is not None
        assert failed.latest("at").at < ended_at < outage.began_at + timedelta(hours=1)
        waited = Invitation.objects.filter(opportunity_id__in=failed.values("opportunity_id"))
        assert waited.filter(invited_at__gt=ended_at).count() == waited.count() == 2

    with subtests.test("everybody who entered the stage has a row"):
        entered = Delivery.objects.exclude(verdict__in=["noted", "test_request", "not_a_trigger_stage"])
        ids = set(entered.values_list("opportunity_id", flat=True))
        assert set(Candidate.objects.values_list("opportunity_id", flat=True)) == ids
        assert len(ids) == 46 + 13
        assert not Candidate.objects.filter(name="").exists()

    with subtests.test("that organization shows what waits for a person, and names of every kind"):
        waiting = Candidate.objects.filter(organization=first)
        freed = waiting.filter(delivery__verdict="no_assessment")
        assert set(freed.values_list("role_title", flat=True)) == {"Product Designer"}
        assert {one.name for one in freed} == {"Candidate Großblättrige Sommerlinde", "Candidate ヤマザクラ"}
        numbers = Counter(waiting.exclude(invitation=None).values_list("invitation__status", flat=True))
        assert numbers == {"completed": 5, "invited": 2, "in_progress": 1, "uncertain": 2, "held": 1}
        assert max(map(len, " ".join(waiting.values_list("name", flat=True)).split())) > 40

    with subtests.test("no step comes before the one that leads to it"):
        steps = ("created_at", "invited_at", "started_at", "submitted_at", "completed_at")
        for invitation in Invitation.objects.all():
            known = [at.replace(microsecond=0) for step in steps if (at := getattr(invitation, step))]
            assert known == sorted(known), invitation

    with subtests.test("the set-up is complete, and the log is whole"):
        for organization in (first, acme):
            assert all(step.is_done for step in setup_steps(organization)), organization
        call_command("verify_audit")
