"""The Django admin: what happened, to whom, when, and is it stuck; one module per subject.

Staff see the rows of the organizations they are members of; tokens and keys are never read, let alone shown.
"""

import social_django.admin  # registers the models that are taken out again below
from django.contrib import admin
from social_django.models import Association, Nonce, UserSocialAuth

from integrations.admin import (
    api_call,
    audit_entry,
    catalog,
    connections,
    delivery,
    effect,
    email,
    incident,
    invitation,
    linter_finding,
    organization,
    personal_settings,
    result,
    runtime,
)

__all__ = [
    "api_call",
    "audit_entry",
    "catalog",
    "connections",
    "delivery",
    "effect",
    "email",
    "incident",
    "invitation",
    "linter_finding",
    "organization",
    "personal_settings",
    "result",
    "runtime",
    "social_django",
]

# Lever's grant lives encrypted in LeverConnection; social-auth's own tables hold nothing anybody needs to see.
admin.site.unregister([Association, Nonce, UserSocialAuth])
admin.site.site_header = admin.site.site_title = "CodeScreen–Lever portal"
admin.site.index_title = "What happened, and what waits"
