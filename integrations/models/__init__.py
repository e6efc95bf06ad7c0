"""The tables, one module per noun: constraints, transitions and leasing. Knows no platform and no workflow."""

from integrations.models.alert_address import AlertAddress, AlertTopic
from integrations.models.api_call import ApiCall
from integrations.models.append_only import AppendOnlyError
from integrations.models.attempt_limit import AttemptLimit
from integrations.models.audit_entry import Actor, AuditAction, AuditEntry, AuditTarget, Changes, TargetKind
from integrations.models.audited_rows import audit, target_of
from integrations.models.authenticator_app import AuthenticatorApp
from integrations.models.cache_entry import CacheEntry
from integrations.models.candidate import Candidate
from integrations.models.catalog import Assessment, Role, Stage
from integrations.models.chain_format import ChainKind
from integrations.models.chain_head import AnnouncedHead, ChainHead
from integrations.models.chained import Chained, erased_positions
from integrations.models.circuit_breaker import CircuitBreaker
from integrations.models.codescreen_connection import CodeScreenConnection
from integrations.models.delivery import Delivery
from integrations.models.duty_run import Duty, DutyRun
from integrations.models.effect import Effect
from integrations.models.email import EmailKind, EmailTopic
from integrations.models.email_template import EmailTemplate
from integrations.models.erasure import Erasure
from integrations.models.former_webhook_key import FormerWebhookKey
from integrations.models.heartbeat import Heartbeat
from integrations.models.identity_provider import IdentityProvider, ProviderIdentity
from integrations.models.incident import Incident
from integrations.models.invitation import IllegalTransition, Invitation
from integrations.models.lever_connection import LeverConnection
from integrations.models.lever_probe import LeverProbe
from integrations.models.lever_webhook import LeverWebhook
from integrations.models.linter_finding import LinterFinding
from integrations.models.membership import LastSuperAdmin, Membership
from integrations.models.notification_preference import NotificationPreference
from integrations.models.opportunity_person import OpportunityPerson
from integrations.models.organization import Organization
from integrations.models.passkey import Passkey
from integrations.models.password_link_request import PasswordLinkRequest
from integrations.models.pending_membership import PendingMembership
from integrations.models.personal_settings import PersonalSettings
from integrations.models.portal_duty import PortalDuty
from integrations.models.rate_limit_bucket import RateLimitBucket
from integrations.models.rating_thresholds import RatingThresholds
from integrations.models.recovery_code import RecoveryCode
from integrations.models.result import Result
from integrations.models.role_mapping import RoleMapping
from integrations.models.shape_deviation import ShapeDeviation
from integrations.models.sign_in_domain import SignInDomain
from integrations.models.user_session import UserSession
from integrations.models.verdict import Verdict
from integrations.models.webhook_rejection import WebhookRejection

__all__ = [
    "Actor",
    "AlertAddress",
    "AlertTopic",
    "AnnouncedHead",
    "ApiCall",
    "AppendOnlyError",
    "Assessment",
    "AttemptLimit",
    "AuditAction",
    "AuditEntry",
    "AuditTarget",
    "AuthenticatorApp",
    "CacheEntry",
    "Candidate",
    "ChainHead",
    "ChainKind",
    "Chained",
    "Changes",
    "CircuitBreaker",
    "CodeScreenConnection",
    "Delivery",
    "Duty",
    "DutyRun",
    "Effect",
    "EmailKind",
    "EmailTemplate",
    "EmailTopic",
    "Erasure",
    "FormerWebhookKey",
    "Heartbeat",
    "IdentityProvider",
    "IllegalTransition",
    "Incident",
    "Invitation",
    "LastSuperAdmin",
    "LeverConnection",
    "LeverProbe",
    "LeverWebhook",
    "LinterFinding",
    "Membership",
    "NotificationPreference",
    "OpportunityPerson",
    "Organization",
    "Passkey",
    "PasswordLinkRequest",
    "PendingMembership",
    "PersonalSettings",
    "PortalDuty",
    "ProviderIdentity",
    "RateLimitBucket",
    "RatingThresholds",
    "RecoveryCode",
    "Result",
    "Role",
    "RoleMapping",
    "ShapeDeviation",
    "SignInDomain",
    "Stage",
    "TargetKind",
    "UserSession",
    "Verdict",
    "WebhookRejection",
    "audit",
    "erased_positions",
    "target_of",
]
