"""Choose e-mails and their wording; add, change, test and remove the addresses of alerts."""

import base64
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Self
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.crypto import get_random_string

from integrations.audit.models.audited_rows import audit, target_of
from integrations.audit.models.entry import Actor, AuditAction
from integrations.clients.hooks import CallContext
from integrations.codescreen.payloads import SECRET_PREFIX, decode_secret
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http import public_web
from integrations.http.session import PlatformError
from integrations.members.models.membership import Membership
from integrations.notifications import alerts
from integrations.notifications.alerts import REMOVED, note_failure, note_success
from integrations.notifications.links import settings_link
from integrations.notifications.models.email_kind import AlertTopic, EmailKind, EmailTopic, EmailWording
from integrations.notifications.models.preferences import (
    MOST_ADDRESSES,
    AlertAddress,
    EmailTemplate,
    NotificationPreference,
)
from integrations.notifications.notices import (
    current_wording,
    preferences_of,
    sample_lines,
    sample_values,
    stored_template,
)
from integrations.notifications.notify import enqueue_email
from integrations.notifications.payload import EmailPayload
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.store import database


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


def enqueue_sample(organization: Organization, kind: EmailKind, wording: EmailWording, address: str) -> None:
    """Enqueue an e-mail with that wording and sample values to one address."""
    enqueue_email(
        organization,
        EmailTopic.TEST,
        get_random_string(16),
        EmailPayload(
            recipients=(address,),
            wording=EmailWording(f"[Test] {wording.subject}", wording.body),
            lines=sample_lines(kind),
            variables=sample_values(kind, organization),
        ),
    )


# The addresses of alerts. Their URLs and secrets are in no audit entry.


LONGEST_URL = 2000
SECRET_BYTES = 32
SAME_NAME = "There is an address with this name. Choose another name."
GONE = "The address was removed before."


@dataclass(frozen=True)
class AddressSettings:
    """What a Super Admin enters of an address.

    An empty `url` or `secret` leaves a stored address its own; a signed webhook that is new gets a new secret.
    """

    name: str
    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    is_on: bool = True
    wants_results: bool = True
    wants_held: bool = True
    wants_incidents: bool = True

    def stripped(self) -> Self:
        """Return the same without the spaces around the name and the URL."""
        return replace(self, name=self.name.strip(), url=self.url.strip())


#: What a person chooses of an address, besides its kind, its URL and its secret.
CHOSEN = tuple(one.name for one in fields(AddressSettings) if one.name not in {"url", "secret"})


def add_address(organization: Organization, kind: str, wanted: AddressSettings, actor: Actor) -> AlertAddress:
    """Store a new address of that kind; return it. Raises ValidationError by field.

    The host is looked up: one that leads into a private network is refused.
    """
    wanted = wanted.stripped()
    errors = _wrong(wanted, kind) | _wrong_url(wanted.url, organization.pk)
    if kind not in AlertAddress.Kind.values:
        errors["kind"] = f"Choose one of: {', '.join(AlertAddress.Kind.labels)}."
    _refuse(errors)
    secret = (wanted.secret or new_secret()) if kind == AlertAddress.Kind.SIGNED else ""
    with transaction.atomic():
        Organization.objects.lock(organization.pk)
        others = AlertAddress.objects.filter(organization=organization)
        if others.count() >= MOST_ADDRESSES:
            raise ValidationError(f"There are {MOST_ADDRESSES} addresses already. Remove one first.")
        if others.filter(name=wanted.name).exists():
            raise ValidationError({"name": SAME_NAME})
        address = AlertAddress.objects.create(
            organization=organization,
            kind=kind,
            url=wanted.url,
            host=urlsplit(wanted.url).hostname or "",
            secret=secret,
            **{name: getattr(wanted, name) for name in CHOSEN},
        )
        changes = {"host": ("", address.host), "topics": ([], address.topics)}
        audit(address, actor, AuditAction.ADD_ALERT_ADDRESS, changes)
    return address


def change_address(address: AlertAddress, wanted: AddressSettings, actor: Actor) -> bool:
    """Store what differs; return whether anything did. Raises ValidationError by field, and ActionNotAllowed.

    What is posted to another URL hasn't been tried: a stop stays until a test is accepted there.
    """
    wanted = wanted.stripped()
    _refuse(
        _wrong(wanted, address.kind) | (_wrong_url(wanted.url, address.organization_id) if wanted.url else {})
    )
    with transaction.atomic():
        Organization.objects.lock(address.organization_id)
        stored = AlertAddress.objects.filter(pk=address.pk).select_related("organization").first()
        if stored is None:
            raise ActionNotAllowed(GONE)
        if wanted.secret and stored.kind != AlertAddress.Kind.SIGNED:
            raise ValidationError({"secret": "Only a signed webhook has a signing secret."})
        others = AlertAddress.objects.filter(organization=stored.organization_id).exclude(pk=stored.pk)
        if others.filter(name=wanted.name).exists():
            raise ValidationError({"name": SAME_NAME})
        before = _shown(stored)
        is_new_url = bool(wanted.url) and wanted.url != stored.url
        is_new_secret = bool(wanted.secret) and wanted.secret != stored.secret
        for name in CHOSEN:
            setattr(stored, name, getattr(wanted, name))
        if is_new_url:
            stored.url, stored.host = wanted.url, urlsplit(wanted.url).hostname or ""
            stored.last_success_at, stored.last_failure_at, stored.last_failure = None, None, ""
        if is_new_secret:
            stored.secret = wanted.secret
        changes: dict[str, tuple[object, object]] = {
            key: (before[key], after) for key, after in _shown(stored).items() if before[key] != after
        }
        changes |= {
            key: ("set", "set") for key, is_new in (("url", is_new_url), ("secret", is_new_secret)) if is_new
        }
        if not changes:
            return False
        stored.save()
        audit(stored, actor, AuditAction.CHANGE_ALERT_ADDRESS, changes)
    return True


def _shown(address: AlertAddress) -> dict[str, object]:
    return {"name": address.name, "host": address.host, "topics": address.topics, "on": address.is_on}


def send_test(address: AlertAddress, actor: Actor) -> str:
    """Post a test now; return why it wasn't accepted, empty when it was.

    One that is accepted also ends a stop: what could not be sent before is sent now.
    """
    organization = address.organization
    alert = alerts.Alert(
        alerts.TEST_TEXT, settings_link(), {}, alerts.TEST, database.now(), organization.slug
    )
    body = alert.body(address.kind)
    failure = ""
    try:
        alerts.post(organization, address, f"msg_test_{uuid.uuid4().hex}", body, CallContext())
    except PlatformError as error:
        failure = str(error)
    with transaction.atomic():
        if failure:
            note_failure(address.pk, failure)
        else:
            note_success(address.pk)
            _failed_alerts(address).update(
                state=Effect.State.DUE, due_at=Now(), attempts=0, retry_window_started_at=Now()
            )
        changes = {"outcome": ("", failure or "accepted")}
        audit(address, actor, AuditAction.TEST_ALERT_ADDRESS, changes)
    return failure


def remove_address(address: AlertAddress, actor: Actor) -> bool:
    """Delete the address; return whether it was there. What it didn't get is no longer sent."""
    with transaction.atomic():
        Organization.objects.lock(address.organization_id)
        if not AlertAddress.objects.filter(pk=address.pk).delete()[0]:
            return False
        _failed_alerts(address).update(state=Effect.State.CANCELLED, last_error=REMOVED)
        changes = {"host": (address.host, ""), "topics": (address.topics, [])}
        audit(address, actor, AuditAction.REMOVE_ALERT_ADDRESS, changes)
    return True


def _failed_alerts(address: AlertAddress) -> QuerySet[Effect]:
    return Effect.objects.filter(
        organization=address.organization_id,
        kind=Effect.Kind.SEND_ALERT,
        payload__address=address.pk,
        state=Effect.State.FAILED,
    )


def new_secret() -> str:
    """Return a new signing secret."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _wrong(wanted: AddressSettings, kind: str) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not 0 < len(wanted.name) <= 60:
        errors["name"] = "Enter a name of at most 60 characters."
    if not any(getattr(wanted, topic.record.column) for topic in AlertTopic):
        errors["wants_results"] = "Choose at least one kind of alert."
    if wanted.secret:
        try:
            decode_secret(wanted.secret)
        except ValueError as error:
            errors["secret"] = str(error)
    return errors


def _wrong_url(url: str, organization_id: int) -> dict[str, str]:
    if len(url) > LONGEST_URL:
        return {"url": f"An address has at most {LONGEST_URL} characters."}
    try:
        public_web.check_host(url, organization_id)
    except public_web.AddressRefused as error:
        return {"url": str(error)}
    return {}


def _refuse(errors: dict[str, str]) -> None:
    if errors:
        raise ValidationError(errors)
