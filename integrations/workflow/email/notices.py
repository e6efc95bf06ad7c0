"""Compose a notice: an e-mail in the wording of its kind, to the members who still want that kind."""

from integrations.models import Effect, EmailKind, Organization
from integrations.workflow.email.kinds import EMAIL_KINDS
from integrations.workflow.email.links import activity_link, settings_link
from integrations.workflow.email.payload import EmailPayload
from integrations.workflow.email.preferences import members_still_wanting, unsubscribe_link
from integrations.workflow.email.rendering import ComposedEmail, RenderedEmail, render
from integrations.workflow.email.wording import current_wording


def compose_notice(effect: Effect, kind: EmailKind, payload: EmailPayload) -> ComposedEmail:
    """Return the notice, with a link for each member to unsubscribe from its kind."""
    members = members_still_wanting(effect.organization, payload.recipients, kind)
    return ComposedEmail(
        render_notice(effect.organization, kind, payload),
        {address: unsubscribe_link(member, kind) for address, member in sorted(members.items())},
    )


def render_notice(organization: Organization, kind: EmailKind, payload: EmailPayload) -> RenderedEmail:
    """Return the payload in the current wording of its kind; a variable without a value is empty."""
    values = {
        "problem": payload.subject,
        "details": "\n\n".join([*payload.lines, *_left_out(payload)]),
        "settings_link": settings_link(),
        "organization": organization.name,
        **payload.variables,
    }
    variables = EMAIL_KINDS[kind].variables
    if payload.appended_keys and not {"problem", "details"} & variables.keys():
        # the wording is for one candidate and has no place for a digest
        return render(EMAIL_KINDS[EmailKind.ATTENTION].default, values)
    return render(current_wording(organization, kind), {name: values.get(name, "") for name in variables})


def _left_out(payload: EmailPayload) -> list[str]:
    return [f"And {payload.left_out} more: {activity_link()}"] if payload.left_out else []
