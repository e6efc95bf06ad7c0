"""Add, test and remove the addresses that alerts are posted to. Their URLs and secrets are in no audit entry."""

import base64
import secrets
import uuid
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from integrations.clients.context import CallContext
from integrations.codescreen.signature import PREFIX
from integrations.http import public_web
from integrations.http.errors import PlatformError
from integrations.models import (
    Actor,
    AlertAddress,
    AuditAction,
    AuditEntry,
    AuditTarget,
    Changes,
    Effect,
    Organization,
    TargetKind,
    db_clock,
)
from integrations.models.alert_address import MOST_ADDRESSES
from integrations.workflow.email.alerts import delivery
from integrations.workflow.email.alerts.content import sample_alert
from integrations.workflow.email.alerts.sending import REMOVED, note_failure, note_success

LONGEST_URL = 2000
SECRET_BYTES = 32


@dataclass(frozen=True)
class NewAddress:
    """What a Super Admin enters."""

    name: str
    kind: str
    url: str = field(repr=False)
    wants_results: bool = True
    wants_held: bool = True
    wants_incidents: bool = True


def add_address(organization: Organization, wanted: NewAddress, actor: Actor) -> AlertAddress:
    """Store the address, with a new secret where it is signed. Raises ValidationError by field.

    The host is looked up: one that leads into a private network is refused.
    """
    name, url = wanted.name.strip(), wanted.url.strip()
    _check(wanted, name, url)
    is_signed = wanted.kind == AlertAddress.Kind.SIGNED
    with transaction.atomic():
        Organization.objects.lock(organization.pk)
        others = AlertAddress.objects.filter(organization=organization)
        if others.count() >= MOST_ADDRESSES:
            raise ValidationError(f"There are {MOST_ADDRESSES} addresses already. Remove one first.")
        if others.filter(name=name).exists():
            raise ValidationError({"name": "There is an address with this name. Choose another name."})
        address = AlertAddress.objects.create(
            organization=organization,
            name=name,
            kind=wanted.kind,
            url=url,
            host=urlsplit(url).hostname or "",
            secret=_new_secret() if is_signed else "",
            wants_results=wanted.wants_results,
            wants_held=wanted.wants_held,
            wants_incidents=wanted.wants_incidents,
        )
        changes = {"host": ("", address.host), "topics": ([], address.topics)}
        _record(address, actor, AuditAction.ADD_ALERT_ADDRESS, changes)
    return address


def send_test(address: AlertAddress, actor: Actor) -> str:
    """Post a test now; return why it wasn't accepted, empty when it was.

    One that is accepted also ends a stop: what could not be sent before is sent now.
    """
    organization = address.organization
    body = sample_alert(organization, db_clock.now()).body(address.kind)
    failure = ""
    try:
        delivery.post(organization, address, f"msg_test_{uuid.uuid4().hex}", body, CallContext())
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
        _record(address, actor, AuditAction.TEST_ALERT_ADDRESS, changes)
    return failure


def remove_address(address: AlertAddress, actor: Actor) -> bool:
    """Delete the address; return whether it was there. What it didn't get is no longer sent."""
    with transaction.atomic():
        if not AlertAddress.objects.filter(pk=address.pk).delete()[0]:
            return False
        _failed_alerts(address).update(state=Effect.State.CANCELLED, last_error=REMOVED)
        changes = {"host": (address.host, ""), "topics": (address.topics, [])}
        _record(address, actor, AuditAction.REMOVE_ALERT_ADDRESS, changes)
    return True


def _failed_alerts(address: AlertAddress) -> QuerySet[Effect]:
    return Effect.objects.filter(
        organization=address.organization_id,
        kind=Effect.Kind.SEND_ALERT,
        state=Effect.State.FAILED,
        payload__address=address.pk,
    )


def _new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _check(wanted: NewAddress, name: str, url: str) -> None:
    errors: dict[str, str] = {}
    if not name or len(name) > 60:
        errors["name"] = "Enter a name of at most 60 characters."
    if wanted.kind not in AlertAddress.Kind.values:
        errors["kind"] = f"Choose one of: {', '.join(AlertAddress.Kind.labels)}."
    if not (wanted.wants_results or wanted.wants_held or wanted.wants_incidents):
        errors["wants_results"] = "Choose at least one kind of alert."
    if len(url) > LONGEST_URL:
        errors["url"] = f"An address has at most {LONGEST_URL} characters."
    else:
        try:
            public_web.check_host(url)
        except public_web.AddressRefused as error:
            errors["url"] = str(error)
    if errors:
        raise ValidationError(errors)


def _record(address: AlertAddress, actor: Actor, action: AuditAction, changes: Changes) -> None:
    target = AuditTarget(TargetKind.ALERT_ADDRESS, address.pk, address.name)
    AuditEntry.record(address.organization, actor, action, target, changes)
