"""A candidate as the rules see them, who is on a candidate in Lever, and which invitations a person has already."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from django.core.cache import caches
from django.db.models import Q
from django.db.models.functions import Now, Upper

from integrations.catalog.lists import shown_role
from integrations.clients.provider import ClientProvider
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.facts import CandidateSnapshot, ExistingInvitation
from integrations.core.rules.holds import needs_extra_time
from integrations.core.rules.names import has_progress_tag
from integrations.core.vocabulary import Origin
from integrations.http.session import CallDeferred, PlatformError
from integrations.invitations.models.candidate import Candidate, OpportunityPerson, People, Relation
from integrations.invitations.models.invitation import Invitation
from integrations.lever.client import LeverClient
from integrations.lever.payloads import Opportunity
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.store import database
from integrations.store.database import rows_of


def candidate_snapshot(
    organization: Organization, opportunity: Opportunity, stage_name: str, clients: ClientProvider
) -> CandidateSnapshot:
    """Return what an opportunity that was just read shows of the candidate. Raises PlatformError."""
    role = shown_role(organization, opportunity.posting_id, clients)
    return CandidateSnapshot(
        stage_id=opportunity.stage_id,
        stage_name=stage_name,
        role_id=opportunity.posting_id,
        role_title=role.title,
        categories=role.categories,
        tags=opportunity.tags,
        emails=opportunity.emails,
        is_archived=opportunity.is_archived,
        is_anonymized=opportunity.is_anonymized,
        may_contact=opportunity.may_contact,
        origin=Origin(opportunity.origin) if opportunity.origin in list(Origin) else None,
        needs_extra_time=needs_extra_time(organization.hold_tag, opportunity.tags),
    )


# Who is on a candidate in Lever: read and stored only where a member uses it.
#
# Once the first one does, a full sweep reads it of the candidates that are known; when nobody does any more, it is
# deleted.


#: How long a Lever user's address is kept instead of being read again.
USER_KEPT_SECONDS = 24 * 3600
#: On so many candidates people are read in one turn of a duty.
READ_AT_ONCE = 20


def people_shown(opportunity: Opportunity) -> People:
    """Return the people that the opportunity itself shows; nobody for a person who is anonymized."""
    if opportunity.is_anonymized:
        return dict.fromkeys(Relation, ())
    people: dict[Relation, Iterable[str]] = {}
    if opportunity.owner_email or not opportunity.owner_id:
        people[Relation.OWNER] = filter(None, [opportunity.owner_email])
    if opportunity.follower_emails is not None:
        people[Relation.FOLLOWER] = opportunity.follower_emails
    return people


def read_people(organization: Organization, opportunity: Opportunity, clients: ClientProvider) -> People:
    """Return everybody on the candidate, nothing where nobody uses it.

    What Lever doesn't show now is left out: nothing else waits for it. Raises CallDeferred when no call may begin.
    """
    if not Membership.objects.using_people(organization.pk):
        return {}
    shown = people_shown(opportunity)
    if opportunity.is_anonymized:
        return shown
    lever = clients.lever()
    people = dict(shown)
    try:
        people[Relation.HIRING_MANAGER] = [
            _address(organization, lever, user) for user in opportunity.hiring_managers
        ]
        people[Relation.INTERVIEWER] = list(lever.interviewers(opportunity.id))
    except CallDeferred:
        raise
    except PlatformError:
        pass  # also where the grant doesn't include it
    return people


def store_people(organization: Organization, opportunity: Opportunity, people: People) -> None:
    """Store who is on the candidate."""
    OpportunityPerson.objects.replace(organization, {opportunity.id: people})


def store_people_shown(organization: Organization, opportunities: Iterable[Opportunity]) -> None:
    """Store the people that the opportunities themselves show; who hires and interviews stays as it was read.

    Nothing is stored where nobody uses it.
    """
    if not Membership.objects.using_people(organization.pk):
        return
    read = {opportunity.id: people_shown(opportunity) for opportunity in opportunities}
    OpportunityPerson.objects.replace(organization, read)


def read_missing_people(organization: Organization, clients: ClientProvider) -> bool:
    """Read once who is on some known candidates; return whether there are more. Raises PlatformError.

    All are deleted where nobody uses it any more.
    """
    candidates = Candidate.objects.filter(organization=organization)
    if not Membership.objects.using_people(organization.pk):
        OpportunityPerson.objects.filter(organization=organization).delete()
        candidates.filter(people_read_at__isnull=False).update(people_read_at=None)
        return False
    missing = candidates.filter(people_read_at__isnull=True, erased_at__isnull=True).order_by(
        "opportunity_id"
    )
    ids = list(missing.values_list("opportunity_id", flat=True)[:READ_AT_ONCE])
    for opportunity_id in ids:
        try:
            opportunity = clients.lever().opportunity(opportunity_id)
        except PlatformError as error:
            if error.status not in {400, 403, 404}:  # 400: a webhook's id that can't be one of Lever's
                raise
        else:
            store_people(organization, opportunity, read_people(organization, opportunity, clients))
        # also of one that Lever hides: once it shows them, a decision reads it
        candidates.filter(opportunity_id=opportunity_id).update(people_read_at=Now())
    return len(ids) == READ_AT_ONCE


def _address(organization: Organization, lever: LeverClient, user_id: str) -> str:
    """Return the e-mail address of a Lever user, at most a day old. Raises PlatformError.

    Who sees a candidate depends on it: it is kept where nobody else can write.
    """
    key, known = f"lever-user-address:{organization.pk}:{user_id}", caches["memory"]
    address: str | None = known.get(key)
    if address is None:
        address = lever.user(user_id).email
        known.set(key, address, USER_KEPT_SECONDS)
    return address


# Which invitations a person has already: through one opportunity (here), and through others (elsewhere).


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

    def elsewhere_since(self, decided_at: datetime) -> tuple[ExistingInvitation, ...]:
        """Return those elsewhere that a decision at that time may not have weighed: all but those completed before."""
        return tuple(
            row for row in self.elsewhere if not (row.completed_at and row.completed_at < decided_at)
        )


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
    existing = [existing_invitation(row, entered_at) for row in rows]
    here = [row for row in existing if row.opportunity_id == person.opportunity_id]
    elsewhere = [row for row in existing if row.opportunity_id != person.opportunity_id]
    here.sort(key=lambda row: (row.round, row.id), reverse=True)
    return PersonsInvitations(tuple(here), tuple(elsewhere))


def invitations_of_people(
    organization: Organization, contacts: Iterable[str], emails: Iterable[str]
) -> list[Invitation]:
    """Return the invitations of everybody with one of these contacts or addresses, the latest first; one query."""
    rows = Invitation.objects.filter(organization=organization).annotate(address=Upper("email"))
    is_contact = Q(contact_id__in=set(contacts) - {""})
    has_email = Q(address__in={email.upper() for email in emails} - {""})
    return list(rows.filter(is_contact | has_email).order_by("-created_at", "-pk"))


def blocking_elsewhere(person: Person, assessment_id: str, decided_at: datetime) -> ExistingInvitation | None:
    """Return an invitation elsewhere that keeps the person from being invited to the assessment; None without one.

    `decided_at` is when it was decided to invite.
    """
    rows = invitations_of(person).elsewhere_since(decided_at)
    return next((row for row in rows if row.assessment_id == assessment_id and row.blocks), None)


def existing_invitation(row: Invitation, entered_at: datetime | None) -> ExistingInvitation:
    """Return an invitation as the rules see it, of a person who entered the stage at that time."""
    done_at = row.completed_at if row.status == Status.COMPLETED else None
    # cancelled after a call that may have arrived: it is never sent again automatically
    was_uncertain = row.status == Status.WITHDRAWN and not row.instance_id and row.first_call_at is not None
    phrase = Status(row.status).record.phrase
    if was_uncertain:
        phrase = f"{Status.UNCERTAIN.record.phrase}, {phrase}"
    elif row.status == Status.WITHDRAWN and row.instance_id:
        phrase = f"sent, {phrase}"
    return ExistingInvitation(
        id=row.pk,
        assessment_id=row.assessment_id,
        assessment_name=row.assessment_name,
        chosen_in=row.stage_id if row.is_fixed else "",
        opportunity_id=row.opportunity_id,
        status=Status(row.status),
        standing=f"{phrase} ({row.changed_at:%-d %B %Y, %H:%M} UTC)",
        was_sent=bool(row.instance_id) or was_uncertain or row.status == Status.UNCERTAIN,
        round=row.round,
        created_at=row.created_at,
        completed_at=done_at,
        days_since_completion=(database.now() - done_at).total_seconds() / 86400 if done_at else None,
        was_reentered=bool(done_at and entered_at and entered_at > done_at),
        is_cancelled_by_person=row.stopped_by_user and not (entered_at and entered_at > row.changed_at),
    )
