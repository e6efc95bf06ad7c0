"""Whether Lever's deliveries can be verified, and whether they arrive."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils import timezone

from integrations.finding_code import FindingCode, Level
from integrations.models import LeverWebhook, Organization
from integrations.vocabulary import WebhookEvent
from integrations.workflow.health.findings import SETTINGS, WEBHOOK_SETTINGS, Finding
from integrations.workflow.health.lever_probe import latest_probe
from integrations.workflow.health.wording import counted, day, lasting

MISSED_AT_LEAST = 3  # fewer may have been moved by something that sends no webhook


def check_webhooks(organization: Organization) -> Iterator[Finding]:
    """Yield what keeps Lever's stage changes from arriving."""
    webhooks = LeverWebhook.objects.active().filter(organization=organization)
    if not webhooks.active_tokens():
        if webhooks.has_unreadable():
            return  # checks/secrets.py says so
        yield Finding(
            organization.slug,
            FindingCode.NO_SIGNATURE_TOKEN,
            Level.ERROR,
            "No signature token is stored, so every webhook from Lever is rejected.",
            "Paste the signature token from Lever's webhook under Settings, or let the portal make the webhook.",
            SETTINGS,
        )
        return
    active = list(webhooks)
    yield from _check_removed(organization, active)
    received = [
        webhook.last_received_at
        for webhook in active
        if webhook.last_received_at and webhook.event == WebhookEvent.STAGE_CHANGE
    ]
    if received:
        yield from _check_silence(organization, max(received))
        yield from _check_deletions(organization, active)
    else:
        yield _nothing_received(organization, active)


def _nothing_received(organization: Organization, webhooks: Sequence[LeverWebhook]) -> Finding:
    if any(webhook.last_verified_at for webhook in webhooks):
        return Finding(
            organization.slug,
            FindingCode.NO_DELIVERY_SEEN,
            Level.INFO,
            "Lever's test request arrived, but no stage change yet.",
            "Move a test candidate into a CodeScreen stage.",
            SETTINGS,
        )
    message = "No webhook has arrived from Lever yet."
    fix = "In Lever, open Settings › Integrations and API › Webhooks, check the address and press Verify Connection."
    if any(webhook.origin == LeverWebhook.Origin.API for webhook in webhooks):
        message += " A webhook that the portal made sends nothing until its event is switched on in Lever."
        fix = (
            "In Lever, open Settings › Integrations and API › Webhooks and switch on Candidate Stage Change."
        )
    return Finding(organization.slug, FindingCode.NO_DELIVERY_SEEN, Level.WARNING, message, fix, SETTINGS)


def _check_removed(organization: Organization, webhooks: Sequence[LeverWebhook]) -> Iterator[Finding]:
    """Yield the webhooks that are no longer in Lever; only worth knowing while another one still delivers."""
    for webhook in webhooks:
        since = webhook.missing_since
        if since is None:
            continue
        another_delivers = any(
            other.last_received_at and other.last_received_at > since for other in webhooks
        )
        origin = "that the portal made" if webhook.origin == LeverWebhook.Origin.API else "made by hand"
        yield Finding(
            organization.slug,
            FindingCode.WEBHOOK_REMOVED,
            Level.INFO if another_delivers else Level.ERROR,
            f"The webhook {origin} was removed in Lever. It has been missing since {day(since)}.",
            "Under Settings, let the portal make it again. Or add it in Lever by hand and save its token.",
            WEBHOOK_SETTINGS,
        )


def _check_deletions(organization: Organization, webhooks: Sequence[LeverWebhook]) -> Iterator[Finding]:
    """Yield that the portal made a webhook for stage changes, which works, and none for deleted candidates."""
    made = {
        webhook.event
        for webhook in webhooks
        if webhook.origin == LeverWebhook.Origin.API and webhook.missing_since is None
    }
    if made and WebhookEvent.CANDIDATE_DELETED not in made:
        yield Finding(
            organization.slug,
            FindingCode.DELETION_WEBHOOK_MISSING,
            Level.INFO,
            "Lever doesn't report deleted candidates to the portal, so they are erased here up to half an hour later.",
            "Under Settings, let the portal make the webhook for deleted candidates too. Then switch on Candidate "
            "Deleted in Lever.",
            WEBHOOK_SETTINGS,
        )


def _check_silence(organization: Organization, received_at: datetime) -> Iterator[Finding]:
    """Yield that candidates change stage in Lever while no delivery arrives; a quiet account is no finding."""
    probe = latest_probe(organization)
    if probe is None or probe.silent_since is None or received_at > probe.silent_since:
        return
    if probe.missed_events < MISSED_AT_LEAST:
        return
    lasted = lasting((timezone.now() - received_at).total_seconds())
    candidates = counted(probe.missed_events, "candidate")
    yield Finding(
        organization.slug,
        FindingCode.WEBHOOK_SILENCE,
        Level.WARNING,
        f"Lever has sent no stage change for {lasted}, much longer than usual. At least {candidates} changed stage in "
        "Lever in that time.",
        "In Lever, open Settings › Integrations and API › Webhooks. Check that Candidate Stage Change is switched on, "
        "and read the webhook's log. Until then the portal finds these candidates by comparing with Lever every few "
        "minutes.",
        WEBHOOK_SETTINGS,
    )
