"""What an organization and its members chose of e-mails: the wording of each kind, and who wants it."""

import difflib
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import get_random_string

from integrations.audit.models.audited_rows import audit, target_of
from integrations.audit.models.entry import Actor, AuditAction
from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import SAMPLE_PORTAL, EmailKind, EmailTopic, EmailWording
from integrations.notifications.models.preferences import EmailTemplate, NotificationPreference
from integrations.notifications.notify import enqueue_email
from integrations.notifications.payload import EmailPayload
from integrations.notifications.rendering import VARIABLE, ComposedEmail, render
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


def save_preferences(member: Membership, chosen: Mapping[EmailKind, bool], actor: Actor) -> list[EmailKind]:
    """Store which kinds a member gets; returns the kinds that changed."""
    before = preferences_of([member])[member.pk]
    changed = [kind for kind, is_wanted in chosen.items() if before[kind] != is_wanted]
    if not changed:
        return []
    with transaction.atomic():
        for kind in changed:
            NotificationPreference.objects.update_or_create(
                membership=member, kind=kind, defaults={"is_wanted": chosen[kind]}
            )
        changes = {str(kind.label): (before[kind], chosen[kind]) for kind in changed}
        audit(member, actor, AuditAction.CHOOSE_EMAILS, changes)
    return changed


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


def save_wording(organization: Organization, kind: EmailKind, wording: EmailWording, actor: Actor) -> bool:
    """Store the customer's wording; False when it is what was used already."""
    before = current_wording(organization, kind)
    if before == wording:
        return False
    with transaction.atomic():
        template, _ = EmailTemplate.objects.update_or_create(
            organization=organization, kind=kind, defaults={"subject": wording.subject, "body": wording.body}
        )
        changes = {"subject": (before.subject, wording.subject), "body": (before.body, wording.body)}
        changed = {field: pair for field, pair in changes.items() if pair[0] != pair[1]}
        audit(template, actor, AuditAction.CHANGE_EMAIL, changed)
    return True


def reset_wording(organization: Organization, kind: EmailKind, actor: Actor) -> bool:
    """Remove the customer's wording, so that the portal's is used again; False when there was none."""
    template = stored_template(organization, kind)
    if template is None:
        return False
    default = kind.record.wording
    changes = {"subject": (template.subject, default.subject), "body": (template.body, default.body)}
    with transaction.atomic():
        target = target_of(template)
        template.delete()
        audit(target, actor, AuditAction.RESET_EMAIL, changes)
    return True


def sample_values(kind: EmailKind, organization: Organization) -> dict[str, str]:
    """Return made-up values for every variable of a kind, with the organization's own name."""
    own = settings.PORTAL_URL
    values = {
        name: variable.sample.replace(SAMPLE_PORTAL, own) for name, variable in kind.record.variables.items()
    }
    return {**values, "organization": organization.name}


def enqueue_sample(organization: Organization, kind: EmailKind, wording: EmailWording, address: str) -> None:
    """Enqueue an e-mail with that wording and sample values to one address."""
    enqueue_email(
        organization,
        EmailTopic.TEST,
        get_random_string(16),
        EmailPayload(
            recipients=(address,),
            wording=EmailWording(f"[Test] {wording.subject}", wording.body),
            variables=sample_values(kind, organization),
        ),
    )


def compose_sample(payload: EmailPayload) -> ComposedEmail | None:
    """Return the e-mail; None when its content was removed after the organization's retention."""
    if payload.wording is None:
        return None
    return ComposedEmail(render(payload.wording, payload.variables), dict.fromkeys(payload.recipients, ""))
