"""Tell the members of what is broken or waits for them: one e-mail per problem, and one when it is over.

While it lasts it is told again, at most once an hour, only when more of it has come.

What a problem is the doctor says; this only remembers since when. A grant that Lever no longer accepts is told at
once, where it is noticed, in `outbox`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import (
    Effect,
    EmailTopic,
    Incident,
    Invitation,
    Organization,
)
from integrations.workflow.email.notify import notify_members
from integrations.workflow.health import doctor
from integrations.workflow.health.findings import Finding

KEEP_FOR = timedelta(days=90)
PAUSE = timedelta(hours=1)  # what comes and goes is told no more often


@dataclass(frozen=True)
class IncidentWording:
    """How a problem and its end are told, and how long it may last before it is worth an e-mail.

    Without a beginning it is told elsewhere, row by row, and only its end is told here.
    """

    begins: str
    ends: str
    patience: timedelta = timedelta(0)


#: By the doctor's code.
WATCHED: Mapping[str, IncidentWording] = {
    "held_invitations": IncidentWording(
        "Invitations wait for your approval", "No invitation waits for your approval any more"
    ),
    "uncertain_invitations": IncidentWording("", "Every uncertain invitation is settled"),
    "failed_effects": IncidentWording(
        "Something could not be written or sent", "Everything that had failed is done", timedelta(minutes=2)
    ),
    "stuck_deliveries": IncidentWording(
        "Stage changes could not be decided", "Every stage change is decided", timedelta(minutes=2)
    ),
    "codescreen_key_refused": IncidentWording(
        "CodeScreen refuses the API key", "CodeScreen's API key is no longer refused"
    ),
    "platform_down": IncidentWording(
        "A platform doesn't answer", "The platforms answer again", timedelta(minutes=10)
    ),
    "sweep_repaired": IncidentWording(
        "Candidates were found whom no webhook told of", "Lever's webhook tells of every candidate again"
    ),
    "webhook_removed": IncidentWording(
        "Lever's webhook is no longer in Lever", "Lever's webhook is in its place again"
    ),
    "webhook_silence": IncidentWording("Nothing comes from Lever any more", "Lever's webhook is heard again"),
}


def update_incidents(organization: Organization) -> None:
    """Compare the doctor's findings with the problems that last, and tell what began and what ended.

    Safe to run twice and at once: only one row of a problem can last, and only who changes it tells of it.
    """
    found = {finding.code: finding for finding in doctor.operating(organization) if finding.code in WATCHED}
    lasting = {row.code: row for row in Incident.objects.ongoing().filter(organization=organization)}
    for code, row in lasting.items():
        if code not in found:
            _end(row, organization)
    for code, finding in found.items():
        known = lasting.get(code) or _begin(organization, code)
        if known is not None and (known.notified_at is None or _has_new_rows(known, organization)):
            _notify_begun(known, organization, finding)
    Incident.objects.filter(organization=organization, ended_at__lt=timezone.now() - KEEP_FOR).delete()


def _begin(organization: Organization, code: str) -> Incident | None:
    try:
        with transaction.atomic():
            row = Incident.objects.create(organization=organization, code=code)
    except IntegrityError:  # another worker noticed it this moment
        return None
    row.refresh_from_db()
    return row


def _has_new_rows(row: Incident, organization: Organization) -> bool:
    """Whether rows have joined a problem since it was told: one that nobody settles must not hide the later ones."""
    since = row.notified_at
    if row.code == "held_invitations":
        held = Invitation.objects.filter(organization=organization, status=Invitation.Status.HELD)
        return held.filter(changed_at__gt=since).exists()
    if row.code == "failed_effects":
        failed = Effect.objects.filter(organization=organization, state=Effect.State.FAILED)
        return failed.filter(created_at__gt=since).exists()
    return False


def _notify_begun(row: Incident, organization: Organization, finding: Finding) -> None:
    wording = WATCHED[row.code]
    if timezone.now() - row.began_at < wording.patience:
        return
    spells = Incident.objects.filter(organization=organization, code=row.code)
    if spells.filter(notified_at__gt=timezone.now() - PAUSE).exists():
        return
    with transaction.atomic():
        if (
            not Incident.objects.ongoing()
            .filter(pk=row.pk, notified_at=row.notified_at)
            .update(notified_at=Now())
        ):
            return
        if wording.begins:
            lines = [finding.message, finding.fix, f"{settings.PORTAL_URL}{finding.url}"]
            before = f":{row.notified_at:%Y-%m-%dT%H:%M:%S}" if row.notified_at else ""
            notify_members(
                organization,
                EmailTopic.INCIDENT_BEGUN,
                f"{row.pk}{before}",
                subject=wording.begins,
                lines=lines,
            )


def _end(row: Incident, organization: Organization) -> None:
    with transaction.atomic():
        if not Incident.objects.ongoing().filter(pk=row.pk).update(ended_at=Now()):
            return
        row.refresh_from_db()
        if row.notified_at is not None:
            began = f"It began on {row.began_at:%-d %B %Y at %H:%M} UTC."
            notify_members(
                organization,
                EmailTopic.INCIDENT_ENDED,
                str(row.pk),
                subject=WATCHED[row.code].ends,
                lines=[began],
            )
