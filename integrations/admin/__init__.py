"""The Django admin: what happened to which person and when, and what waits. It reads; people act on the portal's pages.

Staff see the rows of the organizations they are members of. Tokens and keys are never read, so never shown.
"""

import social_django.admin  # noqa: F401 - registers the models that are unregistered below
from django.contrib import admin
from social_django.models import Association, Nonce, UserSocialAuth

from integrations.admin import (  # noqa: F401 - each registers its models
    account,
    audit_log,
    candidate,
    catalog,
    connections,
    delivery,
    effect,
    health,
    incident,
    invitation,
    organization,
)

# Lever's grant is stored encrypted in LeverConnection; nobody needs social-auth's own tables.
admin.site.unregister([Association, Nonce, UserSocialAuth])
