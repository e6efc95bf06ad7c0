"""Connections in the admin, changed under Settings, and what is read through them: roles, stages, assessments."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import NOTHING, badge, column, columns, secret_column
from integrations.admin.filters import GoneFilter, OrganizationFilter
from integrations.api.models import ApiToken
from integrations.catalog.models.platform_lists import Assessment, Role, Stage
from integrations.catalog.models.role_mapping import (
    ASSESSMENT_RULES,
    CATEGORY_COLUMNS,
    OWN_RULES,
    THRESHOLDS,
    AssessmentRules,
    RoleMapping,
)
from integrations.codescreen.models import CodeScreenConnection
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.notifications.models.preferences import AlertAddress
from integrations.single_sign_on.models import IdentityProvider, ProviderIdentity, SignInDomain

ACCESS_TOKEN = secret_column("access_token", "access token")
STATE = column("state", lambda connection: badge(connection.get_state_display(), connection.state), "state")
REFRESH_TOKEN = secret_column("refresh_token", "refresh token")


@admin.register(LeverConnection)
class LeverConnectionAdmin(ScopedAdmin):
    """The grants of Lever accounts."""

    list_display = columns(
        "organization standing state_reason connected_by connected_at refreshed_at ends_at"
    )
    list_filter = ("state", OrganizationFilter)
    list_select_related = ("organization", "connected_by")
    search_fields = ("organization__name",)
    fields = (
        *columns("organization standing state_reason connected_by connected_at first_connected_at ends_at"),
        ACCESS_TOKEN,
        "access_expires_at",
        REFRESH_TOKEN,
        *columns(
            "refreshed_at generation scopes lever_account_id lever_user_id feedback_author feedback_template_id "
            "stages_refreshed_at roles_refreshed_at"
        ),
    )

    standing = STATE
    ends_at = column("consent ends", lambda connection: connection.ends_at)


API_KEY = secret_column("api_key", "API key")
WEBHOOK_SECRET = secret_column("webhook_secret", "webhook secret")


@admin.register(CodeScreenConnection)
class CodeScreenConnectionAdmin(ScopedAdmin):
    """The keys of CodeScreen accounts."""

    list_display = ("organization", "standing", "state_reason", API_KEY, "verified_at", "last_received_at")
    list_filter = ("state", OrganizationFilter)
    search_fields = ("organization__name",)
    fields = (
        *columns("organization standing state_reason"),
        API_KEY,
        WEBHOOK_SECRET,
        *columns("key_stored_at verified_at last_received_at assessments_refreshed_at"),
    )
    standing = STATE


SIGNATURE_TOKEN = secret_column("signature_token", "signature token")
PREVIOUS_TOKEN = secret_column("previous_signature_token", "previous signature token")


@admin.register(LeverWebhook)
class LeverWebhookAdmin(ScopedAdmin):
    """The webhooks in Lever that the portal knows of."""

    list_display = (
        *columns("organization event origin"),
        SIGNATURE_TOKEN,
        *columns("retired_at last_verified_at last_received_at"),
    )
    list_filter = ("origin", OrganizationFilter)
    search_fields = ("organization__name",)
    # its address holds the webhook key, so it isn't among them
    fields = (
        *columns("organization event origin lever_webhook_id"),
        SIGNATURE_TOKEN,
        *columns("token_stored_at token_proved_at"),
        PREVIOUS_TOKEN,
        *columns(
            "previous_until previous_proved_at created_at listed_at missing_since retired_at "
            "last_verified_at last_received_at"
        ),
    )


URL, SECRET = secret_column("url", "URL"), secret_column("secret", "signing secret")


@admin.register(AlertAddress)
class AlertAddressAdmin(ScopedAdmin):
    """Where the alerts of organizations go."""

    list_display = columns("name organization kind host is_on last_success_at last_failure_at stopped_at")
    list_filter = ("kind", "is_on", OrganizationFilter)
    search_fields = ("name", "host", "organization__name")
    fields = (
        *columns("organization name kind host"),
        URL,
        SECRET,
        *columns(
            "is_on wants_results wants_held wants_incidents created_at last_success_at last_failure_at "
            "last_failure stopped_at"
        ),
    )


CLIENT_SECRET = secret_column("client_secret", "client secret")


@admin.register(ApiToken)
class ApiTokenAdmin(ScopedAdmin):
    """The tokens of organizations' programs."""

    list_display = columns("name organization scopes created_at expires_at last_used_at")
    list_filter = (OrganizationFilter,)
    search_fields = ("name", "organization__name")
    fields = columns("organization name scopes created_at expires_at last_used_at")


@admin.register(IdentityProvider)
class IdentityProviderAdmin(ScopedAdmin):
    """The providers of organizations."""

    list_display = ("organization", "issuer", "mode", "counts_as_second_factor", "tried_at", "failure")
    list_filter = ("mode", OrganizationFilter)
    search_fields = ("organization__name", "issuer")
    fields = (
        *columns("organization issuer client_id"),
        CLIENT_SECRET,
        *columns("mode counts_as_second_factor tried_at checked_at failure"),
    )


@admin.register(SignInDomain)
class SignInDomainAdmin(ScopedAdmin):
    """The e-mail domains of organizations, with their proofs."""

    is_in_index = False
    list_display = ("domain", "organization", "proven_at", "checked_at", "missing_since")
    list_filter = (OrganizationFilter,)
    search_fields = ("domain", "organization__name")


@admin.register(ProviderIdentity)
class ProviderIdentityAdmin(ScopedAdmin):
    """Who is bound to which subject of a provider."""

    is_in_index = False
    organization_path = "provider__organization"
    list_display = ("user", "provider", "bound_at", "signed_in_at")
    list_filter = (OrganizationFilter,)
    list_select_related = ("user", "provider__organization")
    search_fields = ("user__username", "user__email")

    def organization_of(self, row: ProviderIdentity) -> int:
        return row.provider.organization_id


@admin.register(RoleMapping)
class RoleMappingAdmin(ScopedAdmin):
    """Which assessment a role needs."""

    list_display = ("subject", "stage", "assessment", "updated_at", "organization")
    list_filter = (OrganizationFilter,)
    search_fields = ("role", *CATEGORY_COLUMNS, "stage", "assessment")
    fields = (
        "organization",
        "role",
        *CATEGORY_COLUMNS,
        "stage",
        "assessment",
        *OWN_RULES,
    )


@admin.register(AssessmentRules)
class AssessmentRulesAdmin(ScopedAdmin):
    """The rules of one assessment: its rating thresholds, its bar, and the days to start."""

    is_in_index = False
    list_display = ("assessment", *THRESHOLDS, *ASSESSMENT_RULES, "organization")
    list_filter = (OrganizationFilter,)
    search_fields = ("assessment",)


@admin.register(Role)
class RoleAdmin(ScopedAdmin):
    """Roles, as last read from Lever."""

    list_display = ("title", "state", "tags_shown", "external_id", "gone_at", "organization")
    list_filter = (GoneFilter, OrganizationFilter)
    search_fields = ("title", "external_id__exact")
    fields = ("organization", "title", "state", "tags_shown", "external_id", "gone_at")

    # one that begins with CodeScreen can name the assessment
    tags_shown = column("tags", lambda role: ", ".join(map(str, role.tags)) or NOTHING)


@admin.register(Stage)
class StageAdmin(ScopedAdmin):
    """Lever's stages, as last read."""

    list_display = ("name", "position", "external_id", "gone_at", "organization")
    list_filter = (GoneFilter, OrganizationFilter)
    search_fields = ("name", "external_id__exact")


@admin.register(Assessment)
class AssessmentAdmin(ScopedAdmin):
    """CodeScreen's assessments, as last read."""

    list_display = ("name", "external_id", "gone_at", "organization")
    list_filter = (GoneFilter, OrganizationFilter)
    search_fields = ("name", "external_id__exact")
