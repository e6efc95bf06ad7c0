"""Findings on Lever: the grant, the webhooks and what they don't tell, the clock, the feedback form."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from integrations.lever.oauth import SCOPES
from integrations.models import LeverConnection, LeverProbe, LeverWebhook, Organization
from integrations.workflow.health.findings import SETTINGS, FindingRow, counted, day, lasting, listed

TOKEN_WARNING, TOKEN_ERROR = timedelta(days=30), timedelta(days=7)
SKEW_WARNING, SKEW_ERROR = 30.0, 120.0
STILL_TRUE = timedelta(days=1)  # what was measured or looked up longer ago says nothing about today
UNHEARD_AT_LEAST = 3


def lever(organization: Organization) -> Iterator[FindingRow]:
    """Say whether Lever is connected, how long it will be, and what the grant lacks."""
    connection = LeverConnection.objects.filter(organization=organization).first()
    if connection is None or connection.state == LeverConnection.State.REVOKED:
        message = "Lever isn't connected: nobody is invited, and what arrives is kept."
        yield (
            "lever_not_connected",
            "error",
            message,
            "A Super Admin connects Lever under Settings.",
            SETTINGS,
        )
        return
    if not connection.is_working:
        message = "Lever no longer accepts the portal's access: what arrives is kept and decided afterwards."
        yield (
            "lever_reconnect",
            "error",
            message,
            "A Super Admin connects Lever again under Settings.",
            SETTINGS,
        )
        return
    yield from _token_end(connection.ends_at)
    granted = connection.granted_scopes
    missing = [scope for scope in SCOPES if not granted & {scope, scope.replace(":read:", ":write:")}]
    if granted and missing:
        reasons = listed(f"{scope} (to {SCOPES[scope]})" for scope in missing)
        message = f"Lever didn't grant everything the portal needs: {reasons}."
        fix = "Ask for these scopes in the registered Lever app, then connect Lever again under Settings."
        yield "lever_scopes_missing", "warning", message, fix, SETTINGS


def _token_end(ends_at: datetime | None) -> Iterator[FindingRow]:
    left = ends_at - timezone.now() if ends_at else TOKEN_WARNING * 2
    if ends_at and left <= TOKEN_WARNING:
        level = "error" if left <= TOKEN_ERROR else "warning"
        when = f"{'ends' if left > timedelta() else 'ended'} on {day(ends_at)}"
        message = (
            f"Lever's consent {when}, a year after it was given; without a new one the connection breaks."
        )
        fix = "A Super Admin connects Lever again under Settings; nothing is lost by doing it early."
        yield "lever_token_ends", level, message, fix, SETTINGS


def webhooks(organization: Organization) -> Iterator[FindingRow]:
    """Say whether Lever's deliveries can be proven, and whether any has come."""
    hooks = LeverWebhook.objects.active().filter(organization=organization)
    if not hooks.active_tokens():
        message = "No signature token is stored, so every delivery from Lever is refused."
        fix = (
            "Paste the signature token of Lever's stage-change webhook, or have the portal make the webhook."
        )
        yield "no_signature_token", "error", message, fix, SETTINGS
        return
    yield from _removed(hooks)
    if heard := [hook.last_received_at for hook in hooks if hook.last_received_at]:
        yield from _silence(organization, max(heard))
        return
    if any(hook.last_verified_at for hook in hooks):
        message = "Lever's test request arrived, but no stage change has come yet."
        yield "no_delivery_seen", "info", message, "Move a test candidate into a CodeScreen stage.", SETTINGS
        return
    message = "Nothing has come from Lever yet."
    fix = "In Lever, under Settings › Integrations and API › Webhooks, check the address and press Verify Connection."
    if any(hook.origin == LeverWebhook.Origin.API for hook in hooks):
        message += " A webhook made through the API stays silent until its event is switched on in Lever."
        fix = "In Lever, under Settings › Integrations and API › Webhooks, switch on Candidate Stage Change."
    yield "no_delivery_seen", "warning", message, fix, SETTINGS


def _removed(hooks: Iterable[LeverWebhook]) -> Iterator[FindingRow]:
    """Say which webhook is no longer in Lever, unless another one still delivers."""
    active = list(hooks)
    for hook in active:
        since = hook.missing_since
        if since is None:
            continue
        heard_since = any(other.last_received_at and other.last_received_at > since for other in active)
        who = "that the portal made" if hook.origin == LeverWebhook.Origin.API else "made by hand"
        message = f"The webhook {who} is no longer in Lever, since {day(since)}: somebody removed it there."
        fix = "Under Settings, have the portal make it again, or add it in Lever by hand and save its token."
        yield "webhook_removed", "info" if heard_since else "error", message, fix, f"{SETTINGS}#webhook"


def _silence(organization: Organization, heard_at: datetime) -> Iterator[FindingRow]:
    """Say that stage changes go on in Lever while none is told of; a quiet account is no finding."""
    checkup = _checkup(organization)
    if checkup is None or checkup.silent_since is None or heard_at > checkup.silent_since:
        return
    if checkup.missed_events >= UNHEARD_AT_LEAST:
        lasted = lasting((timezone.now() - heard_at).total_seconds())
        who = counted(checkup.missed_events, "candidate")
        message = (
            f"Lever has told of no stage change for {lasted}, much longer than usual, although at least {who} changed "
            "stage there meanwhile."
        )
        fix = (
            "In Lever, under Settings › Integrations and API › Webhooks, check that Candidate Stage Change is switched "
            "on, which no app can see, and what the webhook's log says. Meanwhile the sweep takes in whoever enters a "
            "CodeScreen stage."
        )
        yield "webhook_silence", "warning", message, fix, f"{SETTINGS}#webhook"


def _checkup(organization: Organization) -> LeverProbe | None:
    lately = timezone.now() - STILL_TRUE
    return LeverProbe.objects.filter(organization=organization, checked_at__gt=lately).first()


def clock(organization: Organization) -> Iterator[FindingRow]:
    """Say how far this server's clock and Lever's are apart."""
    connection = organization.lever
    if connection is None or connection.clock_ahead is None or connection.clock_compared_at is None:
        return
    apart = abs(connection.clock_ahead)
    if apart < SKEW_WARNING or timezone.now() - connection.clock_compared_at > STILL_TRUE:
        return
    where = "ahead of" if connection.clock_ahead > 0 else "behind"
    message = (
        f"This server's clock is {lasting(apart)} {where} Lever's: tokens may be renewed too late, and signed requests "
        "be taken for old ones."
    )
    fix = "Have the portal's operator switch on time synchronisation, for example with `timedatectl set-ntp true`."
    yield "clock_skew", "error" if apart >= SKEW_ERROR else "warning", message, fix, "/health/"


def form(organization: Organization) -> Iterator[FindingRow]:
    """Say what is wrong with the form that results are written into, and with its author."""
    checkup = _checkup(organization)
    connection = organization.lever
    if checkup is None or connection is None or not connection.is_working:
        return
    if checkup.is_template_gone:
        message = "The feedback form “CodeScreen assessment” is no longer in Lever."
        fix = "Nothing to do: it is made again before the next result is written. Leave it in Lever from then on."
        yield "feedback_template_gone", "warning", message, fix, SETTINGS
    elif checkup.missing_fields:
        message = f"The feedback form in Lever lacks {listed(checkup.missing_fields)}: results are written without it."
        fix = (
            "In Lever's feedback forms, give it back the fields with exactly these names; or delete it there, and the "
            "portal makes a whole one."
        )
        yield "feedback_template_incomplete", "warning", message, fix, SETTINGS
    if checkup.is_author_gone:
        message = "The Lever user who is shown as the author of feedback has left Lever."
        fix = (
            "Somebody who stays connects Lever again under Settings, and is shown as the author from then on."
        )
        yield "feedback_author_gone", "warning", message, fix, f"{SETTINGS}#lever"
