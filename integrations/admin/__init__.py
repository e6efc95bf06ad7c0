"""The Django admin: what happened to which person and when, and what waits. It reads; people act on the portal's pages.

Staff see the rows of the organizations they are members of. Tokens and keys are never read, so never shown.
"""

from integrations.admin import (  # noqa: F401 - each registers models
    audit_log,
    candidate,
    delivery,
    organization,
    plain,
    single_sign_on,
)
