"""Lever's OAuth scopes."""

_READ_ONLY = (
    "applications archive_reasons audit_events diversity_surveys eeo_responses eeo_responses_pii offers "
    "referrals resumes roles sources stages tags tasks"
)
_READ_WRITE = (
    "contact feedback feedback_templates files forms form_templates groups interviews notes "
    "opportunities panels permissions postings requisitions requisition_fields roles users webhooks"
)
SCOPES = (
    {"offline_access", "confidential:access:admin", "uploads:write:admin"}
    | {f"{name}:read:admin" for name in f"{_READ_ONLY} {_READ_WRITE}".split()}
    | {f"{name}:write:admin" for name in _READ_WRITE.split()}
)


def has_scope(granted: frozenset[str], wanted: str) -> bool:
    """Return whether scopes cover one, given without `:admin`; writing includes reading."""
    if f"{wanted}:admin" in granted:
        return True
    name, _, verb = wanted.rpartition(":")
    return verb == "read" and f"{name}:write:admin" in granted
