"""Notices to members: which still hold when they are sent, the names in them, and which members are told."""

from integrations.core.finding_code import FindingCode
from integrations.health.models import Incident
from integrations.invitations.models.candidate import OpportunityPerson
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import (
    EmailKind,
    EmailTopic,
    members_getting,
    unsubscribe_link,
)
from integrations.notifications.notify import UNNAMED, first_name
from integrations.notifications.payload import (
    Condition,
    EmailPayload,
    IncidentOngoing,
    InvitationUnchanged,
    Notice,
)
from integrations.notifications.rendering import ComposedEmail, RenderedEmail, render
from integrations.outbox.models.effect import Effect

NO_LONGER_TRUE = "Not sent, because what it says was no longer true."
#: So many of those who need approval are named.
MOST_NAMED = 10


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


def render_notice(effect: Effect, notice: Notice) -> RenderedEmail:
    """Return what the effect tells, with the names of candidates as they are known now."""
    subject, lines = notice.subject, list(notice.lines)
    if isinstance(notice.holds_while, IncidentOngoing):
        lines[1:1] = _names_of_held(notice.holds_while.incident)
    if effect.invitation is not None:
        name, role = effect.invitation.candidate_name, effect.invitation.role_title
        subject = f"{first_name(name)}: {subject}"
        lines = [" · ".join(filter(None, (name or UNNAMED, role))), *lines]
    return render(subject, lines)


def _names_of_held(incident: int) -> list[str]:
    """Return one line with who needs approval; none where the incident is another one."""
    held = Invitation.objects.filter(
        status=Invitation.Status.HELD,
        organization__incidents=incident,
        organization__incidents__code=FindingCode.HELD_INVITATIONS,
    ).exclude(candidate_name="")
    names = list(held.order_by("-changed_at", "-pk").values_list("candidate_name", flat=True)[:MOST_NAMED])
    more = held.count() - len(names)
    return [", ".join(names) + (f" and {more} more" if more else "")] if names else []


def compose_notice(effect: Effect, kind: EmailKind, payload: EmailPayload) -> ComposedEmail:
    """Return the notice to those of its recipients who still get its kind, each with a link to unsubscribe from it."""
    recipients = {address.casefold() for address in payload.recipients}
    links = {
        member.user.email: unsubscribe_link(member, kind)
        for member in members_getting(effect.organization, kind)
        if member.user.email.casefold() in recipients and _is_told(member, effect)
    }
    return ComposedEmail(render_notice(effect, payload), links)


def _is_told(member: Membership, effect: Effect) -> bool:
    """Whether the member may read what the effect tells.

    What is about no single candidate, such as an incident, may name several: a Limited Team Member isn't told.
    """
    if member.sees_all_candidates or EmailTopic(effect.email_topic).record.is_about_connection:
        return True
    own = OpportunityPerson.objects.of_member(member)
    return own.filter(opportunity_id=effect.opportunity_id).exists()
