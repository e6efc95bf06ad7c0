"""What Lever allows where it doesn't tell, as for an API key: each scope is tried by a read, and nothing is written."""

from collections.abc import Iterable

from integrations.http.session import PlatformError
from integrations.lever.client import LeverClient

_OPPORTUNITY = "/opportunities/{opportunity}"
#: For each scope, the reads that Lever answers only where it is allowed; the opportunities come first.
_READS: dict[str, tuple[str, ...]] = {
    "opportunities:write:admin": ("/opportunities", _OPPORTUNITY),
    "applications:read:admin": (f"{_OPPORTUNITY}/applications",),
    "postings:read:admin": ("/postings",),
    "stages:read:admin": ("/stages",),
    "users:read:admin": ("/users",),
    "interviews:read:admin": (f"{_OPPORTUNITY}/interviews",),
    "notes:write:admin": (f"{_OPPORTUNITY}/notes",),
    "feedback_templates:write:admin": ("/feedback_templates",),
    "feedback:write:admin": (f"{_OPPORTUNITY}/feedback",),
    "webhooks:write:admin": ("/webhooks",),
    "files:write:admin": (f"{_OPPORTUNITY}/files",),
}


def refused_scopes(lever: LeverClient, scopes: Iterable[str]) -> list[str]:
    """Return which of the scopes Lever refuses, in its order; in an account without a candidate fewer are tried.

    That Lever allows a read doesn't show that it allows to write. Raises PlatformError when Lever doesn't answer.
    """
    needed, refused, opportunity = set(scopes), [], ""
    for scope, paths in _READS.items():
        for path in paths if scope in needed else ():
            if "{opportunity}" in path and not opportunity:
                continue
            try:
                first = lever.first_id(path.format(opportunity=opportunity))
            except PlatformError as error:
                if error.status == 404:
                    continue  # it is gone meanwhile
                if error.status != 403:
                    raise
                refused.append(scope)
                break
            opportunity = opportunity or first
    return refused


def has_box(scope: str) -> bool:
    """Whether an API key has a permission of this scope: staying connected needs none."""
    return scope in _READS


def boxes(scope: str) -> str:
    """Return which boxes of an API key in Lever allow what the scope does, as “Read and Write: feedback templates”."""
    name, verb, _ = scope.split(":")
    return f"{'Read' if verb == 'read' else 'Read and Write'}: {name.replace('_', ' ')}"
