"""The Django admin: what happened, to whom, when, and what waits; one module per noun.

Staff see the rows of the organizations they are members of. Tokens and keys are never read, so never shown.
"""

import social_django.admin  # registers the models that are unregistered below
from django.contrib import admin
from social_django.models import Association, Nonce, UserSocialAuth

from integrations.admin import (
    api_call,
    assessment,
    attempt_limit,
    audit_entry,
    chain_head,
    circuit_breaker,
    codescreen_connection,
    delivery,
    duty_run,
    effect,
    email_template,
    erasure,
    former_webhook_key,
    heartbeat,
    incident,
    invitation,
    lever_connection,
    lever_probe,
    lever_webhook,
    linter_finding,
    membership,
    notification_preference,
    opportunity_person,
    organization,
    pending_membership,
    personal_settings,
    queue,
    rate_limit_bucket,
    rating_thresholds,
    result,
    role,
    role_mapping,
    shape_deviation,
    single_sign_on,
    stage,
    user_session,
    verdict,
    webhook_rejection,
)

__all__ = [
    "api_call",
    "assessment",
    "attempt_limit",
    "audit_entry",
    "chain_head",
    "circuit_breaker",
    "codescreen_connection",
    "delivery",
    "duty_run",
    "effect",
    "email_template",
    "erasure",
    "former_webhook_key",
    "heartbeat",
    "incident",
    "invitation",
    "lever_connection",
    "lever_probe",
    "lever_webhook",
    "linter_finding",
    "membership",
    "notification_preference",
    "opportunity_person",
    "organization",
    "pending_membership",
    "personal_settings",
    "queue",
    "rate_limit_bucket",
    "rating_thresholds",
    "result",
    "role",
    "role_mapping",
    "shape_deviation",
    "single_sign_on",
    "social_django",
    "stage",
    "user_session",
    "verdict",
    "webhook_rejection",
]

# Lever's grant is stored encrypted in LeverConnection; nobody needs social-auth's own tables.
admin.site.unregister([Association, Nonce, UserSocialAuth])
admin.site.site_header = admin.site.site_title = "CodeScreen–Lever portal"
admin.site.index_title = "What happened, and what waits"
