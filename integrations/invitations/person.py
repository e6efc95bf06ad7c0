"""Which invitations a person has already: through one opportunity (here), and through others (elsewhere)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from integrations.core.invitation_status import BOUNCED
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.facts import ExistingInvitation
from integrations.core.rules.names import has_progress_tag
from integrations.core.vocabulary import ResultOutcome
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.payloads import Opportunity
from integrations.outbox.models import Effect
from integrations.store import database
from integrations.store.questions import rows_of


@dataclass(frozen=True)
class Person:
    """The person behind an opportunity. The same contact in Lever, or one same address, is the same person."""

    organization_id: int
    opportunity_id: str
    contact_id: str
    emails: tuple[str, ...]

    @classmethod
    def of_opportunity(cls, organization_id: int, opportunity: Opportunity) -> Self:
        """Return the person as Lever shows them now."""
        return cls(organization_id, opportunity.id, opportunity.contact_id, opportunity.emails)

    @classmethod
    def of_invitation(cls, invitation: Invitation) -> Self:
        """Return the person as they were last read for an invitation."""
        emails = (invitation.email,)
        return cls(invitation.organization_id, invitation.opportunity_id, invitation.contact_id, emails)


class PersonsInvitations(NamedTuple):
    """The invitations of one person, over or not, through their own opportunity and through others."""

    here: tuple[ExistingInvitation, ...]
    elsewhere: tuple[ExistingInvitation, ...]

    def explain(self, tags: Iterable[str]) -> bool:
        """Whether a progress tag among the opportunity's tags in Lever comes from an invitation that was sent here.

        True also where there is none. Rows that were lost, such as by a restore, leave tags that nothing explains.
        """
        return not has_progress_tag(tags) or any(row.was_sent for row in self.here)


def invitations_of(person: Person, entered_at: datetime | None = None) -> PersonsInvitations:
    """Return the person's invitations: those here latest round first, those elsewhere latest first.

    `entered_at` is when the person entered the stage; None when that isn't known.
    """
    values = [person.opportunity_id, *filter(None, [person.contact_id]), *filter(None, person.emails)]
    is_contact = " OR contact_id = %s" if person.contact_id else ""
    has_email = " OR UPPER(email) = UPPER(%s)" * (len(values) - 1 - bool(person.contact_id))
    is_same = f"organization_id = %s AND (opportunity_id = %s{is_contact}{has_email})"
    rows = rows_of(
        Invitation, f"{is_same} ORDER BY created_at DESC, id DESC", person.organization_id, *values
    )
    existing = _existing(rows, entered_at)
    here = [row for row in existing if row.opportunity_id == person.opportunity_id]
    elsewhere = [row for row in existing if row.opportunity_id != person.opportunity_id]
    here.sort(key=lambda row: (row.round, row.id), reverse=True)
    return PersonsInvitations(tuple(here), tuple(elsewhere))


def blocking_elsewhere(person: Person, assessment_id: str, decided_at: datetime) -> ExistingInvitation | None:
    """Return an invitation elsewhere that keeps the person from being invited to the assessment; None without one.

    One that was completed before `decided_at`, when it was decided to invite, was weighed in that decision.
    """
    return next(
        (
            existing
            for existing in invitations_of(person).elsewhere
            if existing.assessment_id == assessment_id
            and existing.blocks
            and not (existing.completed_at and existing.completed_at < decided_at)
        ),
        None,
    )


def _existing(
    invitations: Sequence[Invitation], entered_at: datetime | None
) -> tuple[ExistingInvitation, ...]:
    if not invitations:
        return ()
    results = Result.objects.filter(invitation__in=invitations).order_by("attempt")
    latest_outcomes = dict(results.values_list("invitation_id", "outcome"))
    unanswered = Effect.objects.filter(
        invitation__in=invitations,
        kind=Effect.Kind.SEND_INVITATION,
        state=Effect.State.CANCELLED,
        attempt_started_at__isnull=False,
    )
    were_unanswered = set(unanswered.values_list("invitation_id", flat=True))
    return tuple(
        _existing_invitation(row, latest_outcomes.get(row.pk, ""), row.pk in were_unanswered, entered_at)
        for row in invitations
    )


def _existing_invitation(
    row: Invitation, outcome: str, was_unanswered: bool, entered_at: datetime | None
) -> ExistingInvitation:
    done_at = row.completed_at if row.status == Status.COMPLETED else None
    # cancelled while uncertain: it may have been sent, so it is never sent again automatically
    was_uncertain = row.status == Status.WITHDRAWN and not row.instance_id and was_unanswered
    return ExistingInvitation(
        id=row.pk,
        assessment_id=row.assessment_id,
        opportunity_id=row.opportunity_id,
        status=Status(row.status),
        status_phrase=_status_phrase(row, was_uncertain),
        since=f"{row.changed_at:%-d %B %Y, %H:%M} UTC",
        was_sent=bool(row.instance_id) or was_uncertain or row.status == Status.UNCERTAIN,
        round=row.round,
        is_bounced=row.is_bounced,
        outcome=ResultOutcome(outcome) if done_at and outcome else None,
        completed_at=done_at,
        days_since_completion=(database.now() - done_at).total_seconds() / 86400 if done_at else None,
        was_reentered=bool(done_at and entered_at and entered_at > done_at),
        is_cancelled_by_person=row.stopped_by_user and not (entered_at and entered_at > row.changed_at),
    )


def _status_phrase(row: Invitation, was_uncertain: bool) -> str:
    if was_uncertain:
        return f"{Status.UNCERTAIN.record.phrase}, {Status.WITHDRAWN.record.phrase}"
    return (BOUNCED if row.is_bounced else Status(row.status).record).phrase
