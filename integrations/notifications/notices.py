"""Compose a notice to the members who want it; a notice that no longer holds is left out."""

from collections.abc import Mapping
from dataclasses import replace

from integrations.core.vocabulary import lower_first
from integrations.health.models import Incident
from integrations.invitations.models.candidate import OpportunityPerson
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from integrations.notifications.links import activity_link, settings_link
from integrations.notifications.models.email_kind import DETAILS, EmailKind, EmailTopic, Link
from integrations.notifications.notify import first_name
from integrations.notifications.payload import (
    Condition,
    EmailPayload,
    IncidentOngoing,
    InvitationUnchanged,
    Notice,
)
from integrations.notifications.preferences import current_wording, members_still_wanting, unsubscribe_link
from integrations.notifications.rendering import ComposedEmail, RenderedEmail, render
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect

# Compose a notice: an e-mail in the wording of its kind, to the members who still want that kind.


def compose_notice(effect: Effect, kind: EmailKind, payload: EmailPayload) -> ComposedEmail:
    """Return the notice, with a link for each member to unsubscribe from its kind."""
    organization = effect.organization
    wanting = members_still_wanting(organization, payload.recipients, kind)
    members = {address: member for address, member in wanting.items() if _may_read(member, effect, payload)}
    if payload.appended:  # the variables belong to one candidate
        rendered = _render(
            organization, kind, payload, EmailTopic(effect.email_topic).record.digest_subject, {}
        )
    else:
        rendered = render_notice(organization, kind, payload)
    return ComposedEmail(
        rendered,
        {address: unsubscribe_link(member, kind) for address, member in sorted(members.items())},
    )


def _may_read(member: Membership, effect: Effect, payload: EmailPayload) -> bool:
    """Whether the member sees every candidate that the e-mail names; a digest and an incident name several."""
    if member.sees_all_candidates or EmailTopic(effect.email_topic).record.is_about_connection:
        return True
    if effect.invitation is None or payload.appended:
        return False
    seen = OpportunityPerson.objects.seen_by(member)
    return seen.filter(opportunity_id=effect.invitation.opportunity_id).exists()


def render_notice(organization: Organization, kind: EmailKind, payload: EmailPayload) -> RenderedEmail:
    """Return the payload in the current wording of its kind; a variable without a value is empty."""
    return _render(organization, kind, payload, payload.subject, payload.variables)


def _render(
    organization: Organization,
    kind: EmailKind,
    payload: EmailPayload,
    subject: str,
    candidate_values: Mapping[str, str],
) -> RenderedEmail:
    details = [line for notice in payload.notices for line in notice.lines]
    if payload.left_out:
        details.append(Link(f"And {payload.left_out} more", activity_link()))
    values = {
        "problem": subject,
        "settings_link": settings_link(),
        "organization": organization.name,
        **candidate_values,
    }
    variables = kind.record.variables
    if payload.appended and not {"problem", DETAILS} & variables.keys():
        # the wording is for one candidate and has no place for a digest
        return render(EmailKind.ATTENTION.record.wording, values, details)
    values = {name: values.get(name, "") for name in variables if name != DETAILS}
    return render(current_wording(organization, kind), values, details if DETAILS in variables else None)


# What an e-mail says is looked at again when it is sent: a notice that no longer holds is left out.


def keep_current(payload: EmailPayload) -> EmailPayload | None:
    """Return the payload with the notices that still hold, None when none does.

    Those about an invitation begin with the candidate's name and role as they are known now, and their subject with the
    first name.
    """
    conditions = [notice.holds_while for notice in payload.notices]
    ids = {one.invitation for one in conditions if isinstance(one, InvitationUnchanged)}
    invitations = Invitation.objects.in_bulk(ids) if ids else {}
    found = [_if_it_holds(notice, invitations) for notice in payload.notices]
    current = [notice for notice in found if notice is not None]
    return payload.with_notices(*current) if current else None


def still_holds(condition: Condition | None) -> bool:
    """Whether a condition is as it was when it was stored; no condition always is."""
    match condition:
        case None:
            return True
        case IncidentOngoing(incident):
            return Incident.objects.ongoing().filter(pk=incident).exists()
        case InvitationUnchanged(pk):
            invitation = Invitation.objects.filter(pk=pk).first()
            return invitation is not None and InvitationUnchanged.of(invitation) == condition


def _if_it_holds(notice: Notice, invitations: dict[int, Invitation]) -> Notice | None:
    match notice.holds_while:
        case None:
            return notice
        case IncidentOngoing() as condition:
            return notice if still_holds(condition) else None
        case InvitationUnchanged() as condition:
            return _with_name(notice, condition, invitations.get(condition.invitation))


def _with_name(
    notice: Notice, condition: InvitationUnchanged, invitation: Invitation | None
) -> Notice | None:
    """Return the notice with the candidate's name; None when the invitation isn't as it was."""
    if invitation is None or InvitationUnchanged.of(invitation) != condition:
        return None
    subject, name = notice.subject, invitation.candidate_name
    if name and subject:
        subject = f"{first_name(name)}: {lower_first(subject)}"
    who = " · ".join(filter(None, (name, invitation.role_title)))
    lines = (who, *notice.lines) if who and notice.lines else notice.lines
    return replace(notice, subject=subject, lines=lines)
