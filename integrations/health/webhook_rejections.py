"""Count rejected webhook requests, and find the mistake behind them for the organization, never for the sender."""

import logging
import re
from collections.abc import Mapping

from django.db import DatabaseError
from django.db.models import Count
from django.utils import timezone

from integrations.codescreen.models import CodeScreenConnection
from integrations.core.vocabulary import LabelledEnum, RejectionCode
from integrations.health.models import WebhookRejection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.payloads import matching_token
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization

logger = logging.getLogger(__name__)


class LikelyMistake(LabelledEnum):
    """What most likely made a signature not match, stored as the hint of a rejection; its label says what to do."""

    EXPIRED_TOKEN = (
        "expired_token",
        (
            "It was signed with the earlier token, which has expired here. Copy the token that Lever shows now into "
            "Settings, or remove the old webhook in Lever."
        ),
    )
    RETIRED_TOKEN = (
        "retired_token",
        "It was signed with a token that was removed here. Remove that webhook in Lever, or save its token again.",
    )
    MISPLACED_SECRET = (
        "misplaced_secret",
        (
            "It was signed with what is saved here as CodeScreen's secret. Paste the token into “Lever Webhook "
            "Signature” instead."
        ),
    )
    TOKEN_OF_ANOTHER_ORGANIZATION = (
        "token_of_another_organization",
        (
            "It was signed with the token of another organization of yours. In Lever, give that account's webhook its "
            "own organization's address."
        ),
    )
    ALTERED_BODY = (
        "altered_body",
        (
            "It was signed with the right token, but changed on the way. Check what is between Lever and the portal, "
            "such as a proxy: webhooks must pass unchanged."
        ),
    )
    MANGLED_SIGNATURE = (
        "mangled_signature",
        (
            "The signature doesn't have Lever's form. Check whether the request came from Lever, and what is between "
            "Lever and the portal."
        ),
    )
    UNKNOWN_TOKEN = (
        "unknown_token",
        (
            "The token saved here isn't the one that Lever uses, or only a part of it. Copy the token beside "
            "“Candidate Stage Change” in Lever again."
        ),
    )


MOST_TOKENS_TRIED = 20
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")


def describe(code: str, hint: str) -> str:
    """Return why requests were rejected with this code and hint, and what to do, as the end of a sentence."""
    return f"{short_reason(code)}. {fix(code, hint)}"


def short_reason(code: str) -> str:
    """Return why requests were rejected with this code, in a few words."""
    return RejectionCode(code).label if code in RejectionCode else "unknown reason"


def fix(code: str, hint: str) -> str:
    """Return what to do about requests that were rejected with this code and hint."""
    if code == RejectionCode.SIGNATURE_MISMATCH and hint in LikelyMistake:
        return LikelyMistake(hint).label
    if code in RejectionCode:
        return RejectionCode(code).record.fix
    return "Compare the webhook with what is saved under Settings."


def record_rejection(
    organization: Organization, platform: str, code: str, body: Mapping[str, object] | None = None
) -> None:
    """Count one rejection with the likely mistake. The request isn't stored, and a failing count is only logged."""
    try:
        if WebhookRejection.is_counted(organization, platform, code):
            return
        hint = ""
        if code == RejectionCode.SIGNATURE_MISMATCH and body is not None:
            hint = likely_mistake(organization, body)
        WebhookRejection.record(organization, platform, code, hint)
    except DatabaseError:
        logger.warning("a rejected webhook request could not be counted", exc_info=True)


def likely_mistake(organization: Organization, body: Mapping[str, object]) -> LikelyMistake:
    """Return which mistake explains the signature, as far as the organization's own Super Admins may know.

    Only the organization's own secrets are tried, and those of organizations that all of its Super Admins also run:
    nobody learns what another organization has.
    """
    webhooks = list(
        LeverWebhook.objects.filter(organization=organization).order_by("-pk")[:MOST_TOKENS_TRIED]
    )
    if matching_token(_restored(body), _current_tokens(webhooks)):
        return LikelyMistake.ALTERED_BODY
    signed = body.get("signature")
    if not isinstance(signed, str) or not _HEX_DIGEST.fullmatch(signed):
        return LikelyMistake.MANGLED_SIGNATURE
    codescreen = CodeScreenConnection.objects.filter(organization=organization).first()
    now = timezone.now()
    candidates = {
        LikelyMistake.EXPIRED_TOKEN: [
            webhook.previous_signature_token
            for webhook in webhooks
            if webhook.retired_at or (webhook.previous_until and webhook.previous_until <= now)
        ],
        LikelyMistake.RETIRED_TOKEN: [
            webhook.signature_token for webhook in webhooks if webhook.retired_at is not None
        ],
        LikelyMistake.MISPLACED_SECRET: [codescreen.api_key, codescreen.webhook_secret] if codescreen else [],
        LikelyMistake.TOKEN_OF_ANOTHER_ORGANIZATION: _tokens_of_shared_organizations(organization),
    }
    for mistake, tokens in candidates.items():
        if matching_token(body, tokens):
            return mistake
    return LikelyMistake.UNKNOWN_TOKEN


def _restored(body: Mapping[str, object]) -> dict[str, object]:
    """Return the body as Lever may have sent it: the time a whole number, signature and token without edits."""
    restored = dict(body)
    triggered_at, signed, token = (body.get(name) for name in ("triggeredAt", "signature", "token"))
    if (isinstance(triggered_at, str) and triggered_at.strip().isdecimal() and len(triggered_at) < 20) or (
        isinstance(triggered_at, float) and triggered_at.is_integer()
    ):
        restored["triggeredAt"] = int(triggered_at)
    if isinstance(signed, str):
        restored["signature"] = signed.strip().lower()
    if isinstance(token, str):
        restored["token"] = token.strip()
    return restored


def _current_tokens(webhooks: list[LeverWebhook]) -> list[str]:
    return [
        webhook.signature_token
        for webhook in webhooks
        if webhook.retired_at is None and webhook.signature_token
    ]


def _tokens_of_shared_organizations(organization: Organization) -> list[str]:
    """Return the tokens of the other organizations whose Super Admins include all of this one's."""
    super_admins = Membership.objects.filter(role=Membership.Role.SUPER_ADMIN)
    own = set(super_admins.filter(organization=organization).values_list("user", flat=True))
    if not own:
        return []
    shared = (
        super_admins.filter(user__in=own)
        .exclude(organization=organization)
        .order_by("organization")
        .values_list("organization", flat=True)
        .annotate(number=Count("user"))
        .filter(number=len(own))
    )
    webhooks = LeverWebhook.objects.active().filter(organization__in=list(shared[:MOST_TOKENS_TRIED]))
    return _current_tokens(list(webhooks.order_by("-pk")[:MOST_TOKENS_TRIED]))


def latest(organization: Organization, platform: str) -> WebhookRejection | None:
    """Return the organization's last rejection of a request from this platform, None when there is none."""
    return WebhookRejection.objects.filter(organization=organization, platform=platform).first()
