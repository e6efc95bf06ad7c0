"""The state of an organization's connections to Lever and CodeScreen, as the page Integrations shows it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from integrations.catalog.models import Assessment
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.invitation_status import FOLLOWED, UNSENT
from integrations.core.vocabulary import DeliveryEvent, Platform, WebhookEvent
from integrations.health.checks.webhooks import open_rejection
from integrations.health.models import WebhookRejection
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.acts.webhooks import Token, active_tokens, recently_retired
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.oauth import scopes_of
from integrations.lever.permissions import boxes, has_box
from integrations.lever.regions import Region
from integrations.organizations.models.organization import Organization

#: How many of the last deliveries are shown on the webhook's card.
SHOWN_DELIVERIES = 5


class Scope(NamedTuple):
    """One OAuth scope, the reason for requesting it, whether Lever granted it, and an API key's boxes for it."""

    name: str
    reason: str
    is_granted: bool
    boxes: str = ""


def scopes_for_key(organization: Organization, refused: Collection[str] = ()) -> list[Scope]:
    """Return what an API key needs, by the boxes in Lever."""
    needed = scopes_of(attaches_files=organization.attach_report)
    return [
        Scope(name, reason, name not in refused, boxes(name))
        for name, reason in needed.items()
        if has_box(name)
    ]


@dataclass(frozen=True)
class LeverState:
    """Lever's connection with its scopes, signature tokens and webhooks."""

    connection: LeverConnection | None
    can_connect: bool
    #: For the OAuth consent the region is chosen, where there is a choice; so far the account's is this one.
    regions: list[tuple[str, str]]
    region: str
    scopes: list[Scope]
    scopes_for_key: list[Scope]
    #: Not while no scopes are stored for a working connection.
    scopes_known: bool
    tokens: list[Token]
    retired_webhooks: list[LeverWebhook]
    manual_webhooks: list[LeverWebhook]
    api_webhooks: list[LeverWebhook]
    #: Whether a message or test request of Lever has been verified.
    has_heard: bool
    rejection: WebhookRejection | None
    #: The last that arrived by webhook, newest first.
    deliveries: list[Delivery]
    #: How many invitations have still to go out, and how many candidates have an open assessment.
    unsent: int
    followed: int

    @property
    def has_grant(self) -> bool:
        """Whether there is a grant that can be given up."""
        return self.connection is not None and self.connection.state != LeverConnection.State.REVOKED

    @property
    def must_make_webhook_again(self) -> bool:
        """Whether the portal's own webhook has a token that can't be read: Lever doesn't show it a second time."""
        return any(webhook.unreadable_tokens for webhook in self.api_webhooks)

    @property
    def lacks_webhook(self) -> bool:
        """Whether the portal made webhooks, but not for every event that it asks for by now."""
        made = {webhook.event for webhook in self.api_webhooks}
        return bool(made) and not made.issuperset(WebhookEvent)

    @property
    def is_ready(self) -> bool:
        """Whether a token is stored that can verify deliveries."""
        return any(not token.is_unreadable for token in self.tokens)

    @property
    def granted_count(self) -> int:
        return sum(scope.is_granted for scope in self.scopes)


@dataclass(frozen=True)
class CodeScreenState:
    """CodeScreen's connection, how many assessments it lists, and its last rejected webhook."""

    connection: CodeScreenConnection | None
    assessment_count: int
    rejection: WebhookRejection | None


def lever_state(organization: Organization) -> LeverState:
    """Return the state of the connection to Lever."""
    connections = LeverConnection.objects.filter(organization=organization).select_related("connected_by")
    connection = connections.first()
    working = connection if connection and connection.is_working else None
    scopes = scopes_of(attaches_files=organization.attach_report)
    webhooks = list(LeverWebhook.objects.active().filter(organization=organization).order_by("pk"))
    return LeverState(
        connection=connection,
        can_connect=bool(settings.LEVER_CLIENT_ID and settings.LEVER_CLIENT_SECRET),
        regions=Region.choices if Region.is_chosen() else [],
        region=connection.region if connection else Region.WORLDWIDE.value,
        scopes_for_key=scopes_for_key(organization, working.refused_scopes.split() if working else ()),
        scopes=[
            Scope(name, reason, not (working and working.lacks(name))) for name, reason in scopes.items()
        ],
        scopes_known=bool(working and working.scopes),
        tokens=active_tokens(organization),
        retired_webhooks=recently_retired(organization),
        manual_webhooks=[row for row in webhooks if row.origin == LeverWebhook.Origin.MANUAL],
        api_webhooks=[row for row in webhooks if row.origin == LeverWebhook.Origin.API],
        has_heard=any(webhook.last_received_at or webhook.last_verified_at for webhook in webhooks),
        rejection=open_rejection(organization, Platform.LEVER),
        deliveries=list(_received(organization)[:SHOWN_DELIVERIES]),
        **Invitation.objects.filter(organization=organization).aggregate(
            unsent=Count("pk", filter=Q(status__in=UNSENT)),
            followed=Count(
                "opportunity_id", filter=Q(status__in=FOLLOWED, following_ended=""), distinct=True
            ),
        ),
    )


def _received(organization: Organization) -> QuerySet[Delivery]:
    """Return what Lever sent, without what a sweep found."""
    sent = Delivery.objects.filter(organization=organization, platform=Platform.LEVER)
    return sent.exclude(event=DeliveryEvent.SWEEP).order_by("-received_at", "-pk")


def codescreen_state(organization: Organization) -> CodeScreenState:
    """Return the state of the connection to CodeScreen."""
    connection = organization.codescreen
    return CodeScreenState(
        connection=connection,
        assessment_count=Assessment.objects.live().filter(organization=organization).count(),
        rejection=open_rejection(organization, Platform.CODESCREEN),
    )
