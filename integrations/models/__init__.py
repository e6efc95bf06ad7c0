"""What is true: one module per noun. Imports nothing of the portal but its own siblings."""

from integrations.models.api_call import ApiCall
from integrations.models.audit_entry import AuditEntry
from integrations.models.catalog import Assessment, Role, Stage
from integrations.models.codescreen_connection import CodeScreenConnection
from integrations.models.delivery import Delivery
from integrations.models.effect import Effect
from integrations.models.email import EmailKind, EmailTemplate, NotificationPreference
from integrations.models.incident import Trouble
from integrations.models.invitation import IllegalTransition, Invitation
from integrations.models.lever_connection import LeverConnection
from integrations.models.lever_probe import LeverCheckup
from integrations.models.lever_webhook import LeverWebhook
from integrations.models.linter_finding import LinterFinding
from integrations.models.membership import LastSuperAdmin, Membership
from integrations.models.organization import Organization
from integrations.models.personal_settings import PersonalSettings
from integrations.models.result import Result
from integrations.models.role_mapping import RoleMapping
from integrations.models.runtime import Breaker, Heartbeat, PaceBucket
from integrations.models.webhook_rejection import RefusedRequest

__all__ = [
    "ApiCall",
    "Assessment",
    "AuditEntry",
    "Breaker",
    "CodeScreenConnection",
    "Delivery",
    "Effect",
    "EmailKind",
    "EmailTemplate",
    "Heartbeat",
    "IllegalTransition",
    "Invitation",
    "LastSuperAdmin",
    "LeverCheckup",
    "LeverConnection",
    "LeverWebhook",
    "LinterFinding",
    "Membership",
    "NotificationPreference",
    "Organization",
    "PaceBucket",
    "PersonalSettings",
    "RefusedRequest",
    "Result",
    "Role",
    "RoleMapping",
    "Stage",
    "Trouble",
]
