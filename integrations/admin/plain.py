"""The lists of the admin that show rows as they are: one line for each kind, with its columns and its filters."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db.models import Model

from integrations.accounts.models.attempts import AttemptLimit, PasswordLinkRequest
from integrations.admin.base import OrganizationFilter, PortalWideAdmin, ScopedAdmin
from integrations.admin.display import columns
from integrations.api.models import ApiToken
from integrations.audit.models.chain import ChainHead
from integrations.catalog.models import Assessment, Role, RoleMapping, Stage
from integrations.clients.models import CircuitBreaker, RateLimitBucket
from integrations.codescreen.models import CodeScreenConnection
from integrations.health.models import Incident, WebhookRejection
from integrations.invitations.models.candidate import OpportunityPerson
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.members.models.membership import PendingMembership, PersonalSettings
from integrations.queue.models.duty_run import DutyRun
from integrations.queue.models.nodes import Heartbeat, PortalDuty


def _list(model: type[Model], shown: str, filters: str = "", **options: Any) -> None:
    """Register a list of organizations' rows with these columns and filters."""
    list_filter = (*columns(filters), OrganizationFilter)
    admin.site.register(model, ScopedAdmin, list_display=columns(shown), list_filter=list_filter, **options)


def _portal_list(model: type[Model], shown: str, **options: Any) -> None:
    """Register a list of rows that belong to no organization."""
    admin.site.register(model, PortalWideAdmin, list_display=columns(shown), **options)


# connections, and what is read through them
_list(
    LeverConnection,
    "organization connected_by lever_user_name connected_at state state_reason refreshed_at",
    "state",
    exclude=["feedback_template"],  # a form as Lever has it, for programs
)
_list(CodeScreenConnection, "organization state state_reason verified_at last_received_at", "state")
# the address of a webhook holds the organization's webhook key
_list(LeverWebhook, "organization event origin retired_at last_received_at", "origin", exclude=["url"])
_list(
    ApiToken,
    "name organization scopes maker created_at expires_at last_used_at",
    exclude=["digest", "previous_digest"],
)
_list(
    RoleMapping,
    "role stage assessment updated_at organization",
    search_fields=["role", "stage", "assessment"],
)
_list(Role, "title state external_id gone_at organization", search_fields=["title", "external_id__exact"])
_list(Stage, "name position external_id gone_at organization", search_fields=["name", "external_id__exact"])
_list(Assessment, "name external_id gone_at organization", search_fields=["name", "external_id__exact"])

# members
_list(PendingMembership, "email role organization invited_at", "role")
_list(
    OpportunityPerson,
    "opportunity_id email relation organization",
    "relation",
    search_fields=["email__exact"],
)

# whether it works
_list(Incident, "title began_at ended_at notified_at organization", "began_at code", lookups=("ended_at",))
_list(WebhookRejection, "platform code hint count last_at organization", "last_at platform")
_list(CircuitBreaker, "organization platform failures open_until", "platform")
_list(DutyRun, "duty organization succeeded_at failures due_at last_error", "duty", exclude=["traceback"])

# of the whole portal
_portal_list(PortalDuty, "name started_at succeeded_at due_at last_error")
_portal_list(Heartbeat, "node version at")
_portal_list(ChainHead, "chain position hash")
_portal_list(RateLimitBucket, "key free_at")
_portal_list(AttemptLimit, "key count free_at")
# the values that are kept, and the addresses that wait for a link, are those of people
_portal_list(PasswordLinkRequest, "pk requested_at", exclude=["address"])

# how people sign in
_PERSON: dict[str, Any] = {"search_fields": ["user__username"], "list_select_related": ["user"]}
_portal_list(PersonalSettings, "user last_organization", **_PERSON)
_portal_list(
    UserSession, "user created_at last_seen_at ip user_agent", exclude=["session_key", "data"], **_PERSON
)
_portal_list(Authenticator, "user type created_at last_used_at", exclude=["data"], **_PERSON)
