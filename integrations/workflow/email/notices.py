"""Compose a notice: an e-mail in the wording of its kind, to the members who still want that kind."""

from collections.abc import Mapping

from integrations.models import Effect, EmailKind, EmailTopic, Membership, OpportunityPerson, Organization
from integrations.workflow.email.digests import DIGEST_SUBJECTS
from integrations.workflow.email.kinds import EMAIL_KINDS
from integrations.workflow.email.links import activity_link, settings_link
from integrations.workflow.email.payload import EmailPayload
from integrations.workflow.email.preferences import members_still_wanting, unsubscribe_link
from integrations.workflow.email.rendering import ComposedEmail, RenderedEmail, render
from integrations.workflow.email.wording import current_wording

#: What is said of a connection names no candidate.
CONNECTION_TOPICS = frozenset(
    {EmailTopic.CONNECTION_ENDS, EmailTopic.RECONNECT_NEEDED, EmailTopic.RECONNECTED}
)


def compose_notice(effect: Effect, kind: EmailKind, payload: EmailPayload) -> ComposedEmail:
    """Return the notice, with a link for each member to unsubscribe from its kind."""
    organization = effect.organization
    wanting = members_still_wanting(organization, payload.recipients, kind)
    members = {address: member for address, member in wanting.items() if _may_read(member, effect, payload)}
    if payload.appended:  # the variables belong to one candidate
        rendered = _render(organization, kind, payload, DIGEST_SUBJECTS[EmailTopic(effect.email_topic)], {})
    else:
        rendered = render_notice(organization, kind, payload)
    return ComposedEmail(
        rendered,
        {address: unsubscribe_link(member, kind) for address, member in sorted(members.items())},
    )


def _may_read(member: Membership, effect: Effect, payload: EmailPayload) -> bool:
    """Whether the member sees every candidate whom the e-mail names; a digest and an incident name several."""
    if member.sees_all_candidates or effect.email_topic in CONNECTION_TOPICS:
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
    lines = [line for notice in payload.notices for line in notice.lines]
    values = {
        "problem": subject,
        "details": "\n\n".join([*lines, *_left_out(payload)]),
        "settings_link": settings_link(),
        "organization": organization.name,
        **candidate_values,
    }
    variables = EMAIL_KINDS[kind].variables
    if payload.appended and not {"problem", "details"} & variables.keys():
        # the wording is for one candidate and has no place for a digest
        return render(EMAIL_KINDS[EmailKind.ATTENTION].default, values)
    return render(current_wording(organization, kind), {name: values.get(name, "") for name in variables})


def _left_out(payload: EmailPayload) -> list[str]:
    return [f"And {payload.left_out} more: {activity_link()}"] if payload.left_out else []
