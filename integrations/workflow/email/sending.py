"""Send one e-mail of the outbox: the customer's wording, as text and HTML, to each person apart."""

import smtplib
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMultiAlternatives
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from integrations.http.errors import PlatformError
from integrations.models import Effect, EmailKind, Membership
from integrations.workflow.email import admin_requests, preferences, templates
from integrations.workflow.email.templates import RenderedEmail
from integrations.workflow.outbox.outcome import Done, Outcome


def send_email(effect: Effect) -> Outcome:
    """Send the message to everybody who still wants it; at least once, since no mail server can be asked.

    Who has it already is kept in the payload, so that one refused address doesn't mail the others again.
    Raises PlatformError when a server didn't take it.
    """
    letter = _rendered(effect)
    sent = list(effect.payload.get("sent", []))
    failure: Exception | None = None
    for address, unsubscribe in _recipients(effect).items():
        if address in sent:
            continue
        try:
            _message(effect, letter, address, unsubscribe).send()
        except (OSError, smtplib.SMTPException) as error:
            failure = error
            continue
        sent.append(address)
        effect.payload = {**effect.payload, "sent": sent}
        effect.fenced().update(payload=effect.payload)
    if failure is not None:
        raise PlatformError(f"The mail server didn't take the message: {type(failure).__name__}") from failure
    return Done()


def is_about_signing_in(effect: Effect) -> bool:
    """Whether somebody waits for the message to get in; a pause holds up what goes to candidates, not them."""
    return bool(effect.payload.get("welcomes") or effect.payload.get("resets"))


def choose_password_link(user: Any) -> str:
    """Return the address at which a person chooses their password; it works once, for a week."""
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return f"{settings.PORTAL_URL}/invite/{key}/{default_token_generator.make_token(user)}/"


def _kind(payload: Mapping[str, Any]) -> str:
    kind = str(payload.get("kind", EmailKind.TROUBLE))
    return kind if kind in templates.EMAIL_TYPES else EmailKind.TROUBLE


def _rendered(effect: Effect) -> RenderedEmail:
    payload = effect.payload
    if payload.get("welcomes"):
        return _welcome(effect)
    if payload.get("resets"):
        return _reset(effect)
    kind = _kind(payload)
    known = dict.fromkeys(templates.EMAIL_TYPES[kind].variables, "")
    said = {
        "problem": str(payload.get("subject", "")),
        "details": "\n\n".join([*map(str, payload.get("lines", [])), *_left_out(payload)]),
        "settings_link": f"{settings.PORTAL_URL}/settings/",
        "organization": effect.organization.name,
        **{str(name): str(value) for name, value in payload.get("variables", {}).items()},
    }
    if payload.get("joined") and not {"problem", "details"} & known.keys():
        # several share the message, and the wording for one has no place for the others
        return templates.render(templates.EMAIL_TYPES[EmailKind.TROUBLE].default, said)
    draft = payload.get("wording")
    chosen = templates.EmailWording(*draft) if draft else templates.current_wording(effect.organization, kind)
    return templates.render(chosen, {name: said.get(name, "") for name in known})


def _left_out(payload: Mapping[str, Any]) -> list[str]:
    number = payload.get("left_out", 0)
    return [f"And {number} more: {settings.PORTAL_URL}/activity/"] if number else []


def _welcome(effect: Effect) -> RenderedEmail:
    """Invite a new member; the link is made now and stored nowhere."""
    member = Membership.objects.filter(
        pk=effect.payload["welcomes"], organization=effect.organization_id
    ).first()
    if member is None:
        return RenderedEmail("", "")
    name = effect.organization.name
    return RenderedEmail(
        f"Join {name} on the CodeScreen–Lever portal",
        f"{name} has made you {member.get_role_display()} on its portal between Lever and CodeScreen.\n\n"
        f"Your user name is {member.user}. Choose a password here; the link works once, for a week:\n"
        f"{choose_password_link(member.user)}",
    )


def _reset(effect: Effect) -> RenderedEmail:
    """Give a member who asked for it a link to choose a password; it is made now and stored nowhere."""
    member = Membership.objects.filter(
        pk=effect.payload["resets"], organization=effect.organization_id
    ).first()
    if member is None:
        return RenderedEmail("", "")
    return RenderedEmail(
        "Choose a new password for the CodeScreen–Lever portal",
        "Somebody, most likely you, has asked for a way back into the portal between Lever and CodeScreen.\n\n"
        f"Your user name is {member.user}. Choose a password here; the link works once, for a week:\n"
        f"{choose_password_link(member.user)}\n\n"
        "If it wasn't you, do nothing: your password stays what it is.",
    )


def _recipients(effect: Effect) -> dict[str, str]:
    """Return each address with its way out; a message to one named person has none."""
    payload = effect.payload
    addresses = [str(address) for address in payload["recipients"]]
    if payload.get("welcomes"):
        waiting = Membership.objects.filter(
            pk=payload["welcomes"], organization=effect.organization_id, user__email__in=addresses
        ).first()
        is_open = waiting is not None and not waiting.user.has_usable_password()
        return dict.fromkeys(addresses, "") if is_open else {}
    if payload.get("resets"):
        able = Membership.objects.filter(
            pk=payload["resets"],
            organization=effect.organization_id,
            user__email__in=addresses,
            user__is_active=True,
        )
        return dict.fromkeys(addresses, "") if able.exists() else {}
    if payload.get("asks"):
        # to those who are Super Admins when it is sent; what a person asks them isn't one of the kinds to stop
        still = {admin.user.email for admin in admin_requests.recipients(effect.organization)}
        is_open = Membership.objects.filter(pk=payload["asks"], organization=effect.organization_id).exists()
        return {address: "" for address in addresses if is_open and address in still}
    if payload.get("is_direct"):
        return dict.fromkeys(addresses, "")
    kind = _kind(payload)
    wanted = preferences.members_still_wanting(effect.organization, addresses, kind)
    return {address: preferences.unsubscribe_link(member, kind) for address, member in sorted(wanted.items())}


def _message(effect: Effect, letter: RenderedEmail, address: str, unsubscribe: str) -> EmailMultiAlternatives:
    headers = (
        {"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        if unsubscribe
        else {}
    )
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=templates.as_text(letter, effect.organization, unsubscribe),
        to=[address],
        headers={"Auto-Submitted": "auto-generated", **headers},
    )
    message.attach_alternative(templates.as_html(letter, effect.organization, unsubscribe), "text/html")
    return message
