"""Notices to members: who wants which kind, in which wording, and what is left out because it no longer holds."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError

from integrations.core.finding_code import FindingCode
from integrations.core.vocabulary import lower_first
from integrations.health.models import Incident
from integrations.invitations.models.candidate import OpportunityPerson
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from integrations.notifications.links import activity_link, settings_link
from integrations.notifications.models.email_kind import (
    DETAILS,
    SAMPLE_PORTAL,
    EmailKind,
    EmailTopic,
    EmailWording,
    Line,
    Link,
)
from integrations.notifications.models.preferences import EmailTemplate, NotificationPreference
from integrations.notifications.notify import first_name
from integrations.notifications.payload import (
    Condition,
    EmailPayload,
    IncidentOngoing,
    InvitationUnchanged,
    Notice,
)
from integrations.notifications.rendering import VARIABLE, ComposedEmail, RenderedEmail, render
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect

_SALT = "integrations.unsubscribe"


def unsubscribe_link(member: Membership, kind: EmailKind) -> str:
    """Return the address at which this member stops one kind of e-mail; it holds no name and doesn't expire."""
    token = signing.dumps([member.pk, kind.value], salt=_SALT)
    return f"{settings.PORTAL_URL}/unsubscribe/{token}/"


def read_token(token: str) -> tuple[Membership, EmailKind] | None:
    """Return the member and the kind of an unsubscribe link; None when it isn't ours or the member has left."""
    try:
        pk, kind = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    member = Membership.objects.filter(pk=pk).select_related("organization", "user").first()
    return (member, EmailKind(kind)) if member is not None and kind in EmailKind else None


def preferences_of(members: Iterable[Membership]) -> dict[int, dict[EmailKind, bool]]:
    """Return by member id whether the member gets each kind."""
    members = list(members)
    is_wanted = {
        member.pk: {kind: member.role in kind.record.roles for kind in EmailKind} for member in members
    }
    for preference in NotificationPreference.objects.filter(membership__in=members):
        is_wanted[preference.membership_id][EmailKind(preference.kind)] = preference.is_wanted
    return is_wanted


def members_still_wanting(
    organization: Organization, addresses: Iterable[str], kind: EmailKind
) -> dict[str, Membership]:
    """Return those of the addresses' members who still want that kind, by address."""
    folded = {address.casefold() for address in addresses}
    return {
        member.user.email: member
        for member in NotificationPreference.objects.members_who_want(organization, kind)
        if member.user.email.casefold() in folded
    }


LONGEST_SUBJECT, LONGEST_BODY = 200, 5000


def stored_template(organization: Organization, kind: EmailKind) -> EmailTemplate | None:
    """Return the customer's own wording, None where the portal's is used."""
    return EmailTemplate.objects.filter(organization=organization, kind=kind).first()


def current_wording(organization: Organization, kind: EmailKind) -> EmailWording:
    """Return the customer's wording, or the portal's where the customer has none."""
    template = stored_template(organization, kind)
    return EmailWording(template.subject, template.body) if template else kind.record.wording


def unknown_variables(kind: EmailKind, text: str) -> list[str]:
    """Return a sentence for every variable in the text that the kind doesn't have."""
    known = kind.record.variables
    sentences = []
    for name in dict.fromkeys(VARIABLE.findall(text)):
        if name in known:
            continue
        similar = difflib.get_close_matches(name.strip().casefold(), known, n=1, cutoff=0.5)
        hint = f"Did you mean {{{similar[0]}}}?" if similar else "Choose one from the list of variables."
        sentences.append(f"There is no variable {{{name}}}. {hint}")
    return sentences


def checked_wording(kind: EmailKind, subject: str, body: str) -> EmailWording:
    """Return the wording with uniform line ends. Raises ValidationError with messages by field."""
    errors: dict[str, list[str]] = {}
    subject, body = " ".join(subject.split()), body.replace("\r\n", "\n").strip()
    for field, text, longest in (("subject", subject, LONGEST_SUBJECT), ("body", body, LONGEST_BODY)):
        if not text:
            errors[field] = ["Write something, or reset it to the default."]
        elif len(text) > longest:
            errors[field] = [f"This has {len(text)} characters. At most {longest} are allowed."]
        elif sentences := unknown_variables(kind, text):
            errors[field] = sentences
    if errors:
        raise ValidationError(errors)
    return EmailWording(subject, body)


def sample_values(kind: EmailKind, organization: Organization) -> dict[str, str]:
    """Return made-up values for every variable of a kind, with the organization's own name."""
    own = settings.PORTAL_URL
    values = {
        name: variable.sample.replace(SAMPLE_PORTAL, own)
        for name, variable in kind.record.variables.items()
        if name != DETAILS
    }
    return {**values, "organization": organization.name}


def sample_lines(kind: EmailKind) -> tuple[Line, ...]:
    """Return made-up lines for the {details} of a kind."""
    own = settings.PORTAL_URL
    return tuple(
        replace(line, url=line.url.replace(SAMPLE_PORTAL, own)) if isinstance(line, Link) else line
        for line in kind.record.sample
    )


def render_sample(wording: EmailWording, kind: EmailKind, organization: Organization) -> RenderedEmail:
    """Return a wording of a kind with made-up values."""
    return render(wording, sample_values(kind, organization), sample_lines(kind))


def compose_sample(payload: EmailPayload) -> ComposedEmail | None:
    """Return the e-mail; None when its content was removed after the organization's retention."""
    if payload.wording is None:
        return None
    rendered = render(payload.wording, payload.variables, payload.lines)
    return ComposedEmail(rendered, dict.fromkeys(payload.recipients, ""))


def compose_notice(effect: Effect, kind: EmailKind, payload: EmailPayload) -> ComposedEmail:
    """Return the notice, with a link for each member to unsubscribe from its kind.

    A member who is told of their own candidates alone gets a digest with those, and nothing about others.
    """
    organization, topic = effect.organization, EmailTopic(effect.email_topic)
    members = members_still_wanting(organization, payload.recipients, kind)
    told = {
        address: part
        for address, member in sorted(members.items())
        if (part := _part_for(member, topic, payload)) is not None
    }
    return ComposedEmail(
        _render_for(organization, kind, topic, payload),
        {address: unsubscribe_link(members[address], kind) for address in told},
        contents={
            address: _render_for(organization, kind, topic, part)
            for address, part in told.items()
            if part is not payload
        },
    )


def _part_for(member: Membership, topic: EmailTopic, payload: EmailPayload) -> EmailPayload | None:
    """Return the payload with the notices that the member is told; None when that is none.

    What is about no single candidate, such as an incident, may name several: a Limited Team Member isn't told.
    """
    tells_all = member.sees_all_candidates and not member.only_own_emails
    if tells_all or topic.record.is_about_connection:
        return payload
    notices = payload.notices
    rows = OpportunityPerson.objects.of_member(member)
    rows = rows.filter(opportunity_id__in={notice.opportunity_id for notice in notices} - {""})
    own = set(rows.values_list("opportunity_id", flat=True))
    if member.sees_all_candidates:
        own.add("")
    told = [notice for notice in notices if notice.opportunity_id in own]
    if len(told) == len(notices):
        return payload
    return payload.with_notices(*told) if told else None


def _render_for(
    organization: Organization, kind: EmailKind, topic: EmailTopic, payload: EmailPayload
) -> RenderedEmail:
    if payload.is_about_several:  # the variables belong to one candidate
        return _render(organization, kind, payload, topic.record.digest_subject, {})
    return render_notice(organization, kind, payload)


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
    if payload.is_about_several and not {"problem", DETAILS} & variables.keys():
        # the wording is for one candidate and has no place for a digest
        return render(EmailKind.ATTENTION.record.wording, values, details)
    values = {name: values.get(name, "") for name in variables if name != DETAILS}
    return render(current_wording(organization, kind), values, details if DETAILS in variables else None)


# What an e-mail says is looked at again when it is sent: a notice that no longer holds is left out.


NO_LONGER_TRUE = "Not sent, because what it says was no longer true."


def keep_current(payload: EmailPayload) -> EmailPayload | None:
    """Return the payload with the notices that still hold, None when none does.

    Those about an invitation begin with the candidate's name and role as they are known now, and their subject with the
    first name.
    """
    conditions = [notice.holds_while for notice in payload.notices]
    ids = {one.invitation for one in conditions if isinstance(one, InvitationUnchanged)}
    invitations = Invitation.objects.in_bulk(ids) if ids else {}
    current = [
        _with_name(notice, invitations)
        for notice in payload.notices
        if still_holds(notice.holds_while, invitations)
    ]
    return payload.with_notices(*current) if current else None


def still_holds(condition: Condition | None, known: Mapping[int, Invitation] | None = None) -> bool:
    """Whether a condition is as it was when it was stored; no condition always is.

    `known` has the invitations by their keys, where they were read for several conditions.
    """
    match condition:
        case None:
            return True
        case IncidentOngoing(incident):
            return Incident.objects.ongoing().filter(pk=incident).exists()
        case InvitationUnchanged(pk):
            invitation = (Invitation.objects.in_bulk([pk]) if known is None else known).get(pk)
            return invitation is not None and InvitationUnchanged.of(invitation) == condition


#: So many of those who need approval are named.
MOST_NAMED = 10


def _names_of_held(incident: int) -> list[str]:
    """Return one line with who needs approval, as they are called now; none where the incident is another one."""
    held = Invitation.objects.filter(
        status=Invitation.Status.HELD,
        organization__incidents=incident,
        organization__incidents__code=FindingCode.HELD_INVITATIONS,
    ).exclude(candidate_name="")
    names = list(held.order_by("-changed_at", "-pk").values_list("candidate_name", flat=True)[:MOST_NAMED])
    more = held.count() - len(names)
    return [", ".join(names) + (f" and {more} more" if more else "")] if names else []


def _with_name(notice: Notice, invitations: Mapping[int, Invitation]) -> Notice:
    """Return the notice with the candidate's name, or with the names of all who need approval, if it is about them."""
    if isinstance(notice.holds_while, IncidentOngoing) and notice.lines:
        first, *others = notice.lines
        return replace(notice, lines=(first, *_names_of_held(notice.holds_while.incident), *others))
    if not isinstance(notice.holds_while, InvitationUnchanged):
        return notice
    invitation = invitations[notice.holds_while.invitation]
    subject, name = notice.subject, invitation.candidate_name
    if name and subject:
        subject = f"{first_name(name)}: {lower_first(subject)}"
    who = " · ".join(filter(None, (name, invitation.role_title)))
    lines = (who, *notice.lines) if who and notice.lines else notice.lines
    return replace(notice, subject=subject, lines=lines)
