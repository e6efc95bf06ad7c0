"""Findings on one organization: what is set up, what works, what waits for a person. Asks no platform."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db.models import Count
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import (
    CircuitBreaker,
    CodeScreenConnection,
    Delivery,
    Effect,
    Heartbeat,
    Invitation,
    Membership,
    Organization,
    Role,
    RoleMapping,
    Stage,
)
from integrations.vocabulary import DeliveryEvent
from integrations.workflow.catalog import stage_on_pass as stage_on_pass_policy
from integrations.workflow.catalog.lookup import stages_named_in_copy
from integrations.workflow.catalog.trigger_policy import trigger_policy
from integrations.workflow.health import linter
from integrations.workflow.health.findings import (
    LEVELS,
    MOST_NAMED,
    SETTINGS,
    Finding,
    FindingRow,
    counted,
    day,
    listed,
)
from integrations.workflow.health.lever_findings import clock, form, lever, webhooks
from integrations.workflow.rules.tags import assessment_tags

__all__ = ["LEVELS", "Finding", "findings"]

ACTIVITY, MAPPINGS, HEALTH = "/activity/", "/mappings/", "/health/"
POLICIES = f"{SETTINGS}#policies"
KEY_UNTRIED, KEY_UNHEARD, KEY_OLD = timedelta(minutes=10), timedelta(days=1), timedelta(days=365)
LONGEST_WAIT = timedelta(minutes=2)
QUIET = timedelta(seconds=90)
SWEEP_MEMORY = timedelta(hours=24)

Check = Callable[[Organization], Iterator[FindingRow]]


def findings(organization: Organization) -> list[Finding]:
    """Return what a person should know, the worst first; one finding `ok` when there is nothing."""
    found = operating(organization)
    # what is merely worth knowing about mappings is said beside them
    found += [finding for finding in linter.findings(organization) if finding.level != "info"]
    if not found:
        message = "Everything is set up and working, and nothing waits for a person."
        found = [Finding(organization.slug, "ok", "info", message, "", HEALTH)]
    return sorted(found, key=lambda finding: -LEVELS.index(finding.level))


def operating(organization: Organization) -> list[Finding]:
    """Return what is broken or waits for a person in the running of it, without what is wrong with names."""
    return [Finding(organization.slug, *said) for check in CHECKS for said in check(organization)]


def codescreen(organization: Organization) -> Iterator[FindingRow]:
    """Say whether CodeScreen takes the key."""
    connection = CodeScreenConnection.objects.filter(organization=organization).first()
    if connection is None or not connection.api_key:
        message = "CodeScreen isn't connected: nobody is invited, and what arrives is kept."
        yield (
            "codescreen_not_connected",
            "error",
            message,
            "A Super Admin enters the API key under Settings.",
            SETTINGS,
        )
    elif not connection.is_working:
        message = "CodeScreen refused the API key: what arrives is kept and decided afterwards."
        fix = "A Super Admin enters a valid API key under Settings."
        yield "codescreen_key_refused", "error", message, fix, SETTINGS
    else:
        yield from _key(connection, organization.paused)


def _key(connection: CodeScreenConnection, is_paused: bool) -> Iterator[FindingRow]:
    """Say since when CodeScreen hasn't accepted the key, and how old it is. A paused organization isn't asked for."""
    now, stored_at, verified_at = timezone.now(), connection.key_stored_at, connection.verified_at
    if verified_at is None and stored_at is not None and now - stored_at > KEY_UNTRIED:
        message = "CodeScreen hasn't accepted the API key yet."
        fix = "Press “Test this key” under Settings."
        yield "codescreen_key_untried", "warning", message, fix, f"{SETTINGS}#codescreen"
    if verified_at is not None and now - verified_at > KEY_UNHEARD and not is_paused:
        message = f"CodeScreen last accepted the API key on {day(verified_at)}; it is asked every hour."
        fix = "Press “Test this key” under Settings, and read what CodeScreen answers."
        yield "codescreen_key_unheard", "warning", message, fix, f"{SETTINGS}#codescreen"
    if stored_at is not None and now - stored_at > KEY_OLD:
        message = f"The CodeScreen API key has been in use since {day(stored_at)}, for more than a year."
        fix = "Ask CodeScreen for a new one when it suits you and save it under Settings; nothing is interrupted."
        yield "codescreen_key_old", "info", message, fix, f"{SETTINGS}#codescreen"


def stages_and_roles(organization: Organization) -> Iterator[FindingRow]:
    """Say whether anything could ever lead to an invitation."""
    policy = trigger_policy(organization)
    stages = list(Stage.objects.live().filter(organization=organization))
    prefix = organization.stage_prefix
    if stages and not any(policy.is_trigger(stage.external_id, stage.name) for stage in stages):
        message = f"No stage in Lever begins with “{prefix}” and no mapping names one, so nothing starts an invitation."
        fix = f"In Lever, add a stage such as “{prefix} Assessment” to the pipeline."
        yield "no_trigger_stage", "error", message, fix, SETTINGS
    yield from stage_on_pass(organization)
    has_mappings = RoleMapping.objects.filter(organization=organization).exists()
    if has_mappings or organization.default_assessment.strip():
        return
    roles = Role.objects.live().filter(organization=organization).values_list("tags", "title")
    if not any(assessment_tags(map(str, tags), title) for tags, title in roles.iterator()):
        message = "No role leads to an assessment: there is no mapping, no “CodeScreen …” tag and no default."
        yield "no_roles_mapped", "warning", message, "Choose an assessment for each role.", MAPPINGS


def stage_on_pass(organization: Organization) -> Iterator[FindingRow]:
    """Say when the stage that those who passed are moved to isn't there, or would send an assessment."""
    written = organization.passed_stage.strip()
    lever = organization.lever
    if not written or lever is None or lever.stages_refreshed_at is None:
        return
    fix = "Choose “Stage on pass” again under Settings › Policies, then retry what failed."
    if not stages_named_in_copy(organization, written):
        message = f"{stage_on_pass_policy.unknown_target_message(organization)} Nobody is moved."
        yield "unknown_passed_stage", "error", message, fix, POLICIES
        return
    if reason := stage_on_pass_policy.why_target_invites(organization):
        yield "passed_stage_invites", "error", f"{reason} Nobody is moved until then.", fix, POLICIES


def people(organization: Organization) -> Iterator[FindingRow]:
    """Say what waits for a person, and whether there is one who may act."""
    if organization.paused:
        message = "The organization is paused: nothing is sent, and what arrives is kept."
        yield (
            "paused",
            "warning",
            message,
            "Turn off the pause under Settings when invitations may go out.",
            SETTINGS,
        )
    if not Membership.objects.filter(organization=organization, role=Membership.Role.SUPER_ADMIN).exists():
        message = "The organization has no Super Admin, so nobody can connect it."
        yield (
            "no_super_admin",
            "warning",
            message,
            "Give a member that role, for example with configure.",
            SETTINGS,
        )
    invitations = Invitation.objects.filter(organization=organization)
    uncertain = invitations.filter(status=Invitation.Status.UNCERTAIN).order_by("pk")
    if number := uncertain.count():
        where = listed(
            f"{row.assessment_name} for opportunity {row.opportunity_id} (invitation {row.pk})"
            for row in uncertain[:MOST_NAMED]
        )
        more = f" and {number - MOST_NAMED} more" if number > MOST_NAMED else ""
        message = f"{counted(number, 'invitation')} may or may not have been sent: {where}{more}."
        fix = "Look in CodeScreen whether the candidate is there; then say so, or send again, under Activity."
        yield "uncertain_invitations", "error", message, fix, f"{ACTIVITY}?status=uncertain"
    if number := invitations.filter(status=Invitation.Status.HELD).count():
        message = f"{counted(number, 'invitation')} {'waits' if number == 1 else 'wait'} for an Admin's yes."
        yield (
            "held_invitations",
            "warning",
            message,
            "Approve or refuse under Activity.",
            f"{ACTIVITY}?status=held",
        )
    if number := invitations.awaiting_decision().count():
        message = f"{counted(number, 'candidate')} failed, and nobody has said yet what was decided."
        fix = "Decide in Lever, then press “Decided” under Activity."
        yield "awaiting_decision", "warning", message, fix, f"{ACTIVITY}?status=awaits_decision"


def work(organization: Organization) -> Iterator[FindingRow]:
    """Say what failed, what is late, and whether the workers are alive."""
    failed = Effect.objects.filter(organization=organization, state=Effect.State.FAILED)
    kinds = failed.order_by("kind").values_list("kind").annotate(number=Count("pk"))
    if by_kind := {Effect.Kind(kind).label.lower(): number for kind, number in kinds}:
        number = sum(by_kind.values())
        what = listed(f"{kind} ({times})" for kind, times in by_kind.items())
        message = f"{counted(number, 'effect')} failed and {'is' if number == 1 else 'are'} not tried again: {what}."
        fix = "Read the reason on the candidate's page, mend it, and retry."
        yield "failed_effects", "warning", message, fix, f"{ACTIVITY}?problem=failed"
    stuck = Delivery.objects.filter(organization=organization, due_at__isnull=True, verdict="").exclude(
        last_error=""
    )
    if number := stuck.count():
        ids = listed(stuck.order_by("pk").values_list("pk", flat=True)[:MOST_NAMED])
        message = f"{counted(number, 'delivery')} could not be decided after many tries: {ids}."
        yield (
            "stuck_deliveries",
            "error",
            message,
            "Read the reason under Activity and replay them.",
            ACTIVITY,
        )
    late = Now() - LONGEST_WAIT
    number = Delivery.objects.due().filter(organization=organization, due_at__lt=late).count()
    number += Effect.objects.due().filter(organization=organization, due_at__lt=late).count()
    if number:
        message = f"{counted(number, 'row')} should have been worked on more than two minutes ago."
        fix = "Check that the workers run (`manage.py serve`) and read their log."
        yield "oldest_due", "error", message, fix, HEALTH
    if not Heartbeat.is_fresh("drain", QUIET):
        message = "No worker has shown a sign of life for 90 seconds."
        fix = "Start the portal with `manage.py serve`, or the workers with `manage.py qcluster`."
        yield "queue_silent", "warning", message, fix, HEALTH


def outages(organization: Organization) -> Iterator[FindingRow]:
    """Say which platform doesn't answer and is only probed until it does."""
    for breaker in CircuitBreaker.objects.filter(
        organization=organization, failures__gte=CircuitBreaker.FAILURES_TO_OPEN
    ):
        name = Delivery.Platform(breaker.platform).label
        message = (
            f"{name} has not answered the last {breaker.failures} calls; it is asked again now and then."
        )
        fix = f"Nothing to do if {name} is down: everything is kept, and goes on by itself when it is back."
        yield "platform_down", "warning", message, fix, HEALTH


def sweeps(organization: Organization) -> Iterator[FindingRow]:
    """Say how many invitations only the sweep found: Lever's webhook missed them."""
    found = Delivery.objects.filter(
        organization=organization,
        event=DeliveryEvent.SWEEP,
        invitation__isnull=False,
        received_at__gte=Now() - SWEEP_MEMORY,
    )
    if number := found.count():
        who = counted(number, "candidate")
        message = f"In the last day the sweep found {who} whose stage change never arrived from Lever."
        fix = "In Lever, check that the stage-change webhook is switched on and that its log shows no errors."
        yield "sweep_repaired", "warning", message, fix, SETTINGS


CHECKS: tuple[Check, ...] = (
    lever,
    webhooks,
    clock,
    form,
    codescreen,
    stages_and_roles,
    people,
    work,
    outages,
    sweeps,
)
