"""Notify the members of ongoing problems: one e-mail when a problem begins and one when it ends.

While it lasts another e-mail is sent, at most once an hour, only when more rows are concerned. The doctor's findings
say what a problem is. Members are notified of a grant that Lever no longer accepts where that is noticed, not here.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Min, Q
from django.db.models.functions import Now

from integrations.clients.models import CircuitBreaker
from integrations.core.finding_code import HEALTH, INCIDENTS, FindingCode
from integrations.health import doctor
from integrations.health.findings import Finding
from integrations.health.models import Incident
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.models.email_kind import EmailTopic, Link
from integrations.notifications.notices import IncidentOngoing
from integrations.notifications.notify import effect_key, notify_members
from integrations.notifications.rendering import OPEN
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import MESSAGES
from integrations.store import database

KEEP_FOR = timedelta(days=90)
NOTIFY_AT_MOST_EVERY = timedelta(hours=1)  # for a problem that comes and goes


def update_incidents(organization: Organization) -> None:
    """Compare the doctor's findings with the ongoing incidents, and notify the members of what began and ended.

    Safe to run twice and at once: a constraint lets one incident per problem be ongoing, and only the process that
    changes its row sends the e-mail.
    """
    findings = {
        finding.code: finding
        for finding in doctor.operational_findings(organization)
        if finding.code in INCIDENTS
    }
    ongoing = {row.code: row for row in Incident.objects.ongoing().filter(organization=organization)}
    for code, incident in ongoing.items():
        if code not in findings:
            _end(incident, organization)
    for code, finding in findings.items():
        known = ongoing.get(code) or _begin(organization, code)
        if known is not None and (known.notified_at is None or _has_new_rows(known, organization)):
            _notify_begun(known, organization, finding)
    Incident.objects.filter(organization=organization, ended_at__lt=database.now() - KEEP_FOR).delete()


def _begin(organization: Organization, code: FindingCode) -> Incident | None:
    """Return a new incident, None when another worker has begun it at the same moment.

    An outage began with the first call that wasn't answered; any other problem begins when it is noticed.
    """
    began_at = None
    if code == FindingCode.PLATFORM_DOWN:
        down = CircuitBreaker.objects.opened().filter(organization=organization)
        began_at = down.aggregate(first=Min("failing_since"))["first"]
    try:
        with transaction.atomic():
            incident = Incident.objects.create(
                organization=organization, code=code, **({"began_at": began_at} if began_at else {})
            )
    except IntegrityError:
        return None
    incident.refresh_from_db()
    return incident


def _has_new_rows(incident: Incident, organization: Organization) -> bool:
    """Whether rows were added since the members were notified; an unsettled old one must not hide them."""
    since = incident.notified_at
    if incident.code == FindingCode.HELD_INVITATIONS:
        held = Invitation.objects.filter(organization=organization, status=Invitation.Status.HELD)
        return held.filter(changed_at__gt=since).exists()
    if incident.code == FindingCode.FAILED_EFFECTS:
        failed = Effect.objects.filter(organization=organization, state=Effect.State.FAILED)
        return failed.filter(failed_at__gt=since).exists()
    return False


def _notify_begun(incident: Incident, organization: Organization, finding: Finding) -> None:
    wording = INCIDENTS[incident.code]
    # the kept reading of the clock may be a moment behind the row's
    if max(database.now() - incident.began_at, timedelta(0)) < wording.notify_after:
        return
    same_problem = Incident.objects.filter(organization=organization, code=incident.code)
    if same_problem.filter(notified_at__gt=database.now() - NOTIFY_AT_MOST_EVERY).exists():
        return
    with transaction.atomic():
        unchanged = Incident.objects.ongoing().filter(pk=incident.pk, notified_at=incident.notified_at)
        if not unchanged.update(notified_at=Now()):
            return
        if wording.begin_subject:
            notified_before = f":{incident.notified_at:%Y-%m-%dT%H:%M:%S}" if incident.notified_at else ""
            notify_members(
                organization,
                EmailTopic.INCIDENT_BEGUN,
                f"{incident.pk}{notified_before}",
                subject=wording.begin_subject,
                lines=[finding.message, finding.fix, Link(OPEN, f"{settings.PORTAL_URL}{finding.page.url}")],
                holds_while=IncidentOngoing(incident.pk),
            )


def _end(incident: Incident, organization: Organization) -> None:
    """Record the end and notify the members. An outage ended with the first call that was answered again."""
    ended_at = None
    if incident.code == FindingCode.PLATFORM_DOWN:
        breakers = CircuitBreaker.objects.filter(organization=organization, answered_at__gt=incident.began_at)
        ended_at = breakers.aggregate(last=Max("answered_at"))["last"]
    with transaction.atomic():
        if not Incident.objects.ongoing().filter(pk=incident.pk).update(ended_at=ended_at or Now()):
            return
        incident.refresh_from_db()
        if incident.notified_at is not None and not _was_never_told(incident):
            notify_members(
                organization,
                EmailTopic.INCIDENT_ENDED,
                str(incident.pk),
                subject=INCIDENTS[incident.code].end_subject,
                lines=[
                    f"It lasted from {_in_words(incident.began_at)} to {_in_words(incident.ended_at)} UTC.",
                    Link(OPEN, f"{settings.PORTAL_URL}{HEALTH.url}"),
                ],
            )


def _in_words(at: datetime | None) -> str:
    return f"{at:%-d %B %Y, %H:%M}" if at else ""


def _was_never_told(incident: Incident) -> bool:
    """Whether each e-mail and message about the beginning still waits, and so isn't sent now that it is over."""
    key = effect_key(EmailTopic.INCIDENT_BEGUN, str(incident.pk))
    begun = Effect.objects.filter(Q(key=key) | Q(key__startswith=f"{key}:"), kind__in=MESSAGES)
    attempts = list(begun.filter(organization=incident.organization_id).values_list("attempts", flat=True))
    return bool(attempts) and not any(attempts)
