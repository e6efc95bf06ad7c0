"""What an organization and its members chose of e-mails: the wording of each kind, and who wants it."""

import difflib
from collections.abc import Iterable
from dataclasses import replace

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError

from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import (
    DETAILS,
    SAMPLE_PORTAL,
    EmailKind,
    EmailWording,
    Line,
    Link,
)
from integrations.notifications.models.preferences import EmailTemplate, NotificationPreference
from integrations.notifications.payload import EmailPayload
from integrations.notifications.rendering import VARIABLE, ComposedEmail, RenderedEmail, render
from integrations.organizations.models.organization import Organization

# Which members want which kinds of e-mail, and the links by which they unsubscribe without signing in.


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
    for preference in NotificationPreference.objects.for_members([member.pk for member in members]):
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


# The customer's own wording of a kind of e-mail: read, check, try out in an e-mail, save, reset.


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
