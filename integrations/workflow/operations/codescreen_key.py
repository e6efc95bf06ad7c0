"""Replace CodeScreen's API key: the new one is tried first, so that a wrong one never replaces one that works."""

from dataclasses import dataclass

from integrations.clients import provider
from integrations.http.errors import PlatformError
from integrations.models import Actor, CodeScreenConnection, Organization
from integrations.workflow.catalog import sync
from integrations.workflow.operations.codescreen_connection import checked_key, save_codescreen_key

#: How CodeScreen answers a key that it doesn't accept.
_REFUSED = frozenset({401, 403})


@dataclass(frozen=True)
class KeyStored:
    """The key is stored; CodeScreen listed so many assessments with it."""

    assessments: int


@dataclass(frozen=True)
class KeyStoredUntried:
    """The key is stored, but CodeScreen could not be asked whether it accepts it."""

    reason: str


@dataclass(frozen=True)
class KeyRefused:
    """CodeScreen refused the key; nothing was changed. `keeps_key`: whether a key that works is stored."""

    reason: str
    keeps_key: bool


@dataclass(frozen=True)
class KeyUntried:
    """CodeScreen could not be asked, and the stored key works: nothing was changed."""

    reason: str


type KeyOutcome = KeyStored | KeyStoredUntried | KeyRefused | KeyUntried


def replace_codescreen_key(
    organization: Organization, api_key: str, actor: Actor, *, may_be_untried: bool = False
) -> KeyOutcome:
    """Try an API key at CodeScreen and store it unless it is refused.

    One that can't be tried is stored only where no stored key works, or where a person allows it by `may_be_untried`.
    Raises ValidationError, with the fix, for what can't be a key.
    """
    api_key = checked_key(api_key)
    try:
        assessments = provider.codescreen_client_with(organization, api_key).assessments()
    except PlatformError as error:
        if error.status in _REFUSED:
            return KeyRefused(str(error), keeps_key=_has_working_key(organization))
        if not may_be_untried and _has_working_key(organization):
            return KeyUntried(str(error))
        save_codescreen_key(organization, api_key, actor)
        return KeyStoredUntried(str(error))
    save_codescreen_key(organization, api_key, actor)
    sync.store_assessments(organization, assessments)
    return KeyStored(len(assessments))


def _has_working_key(organization: Organization) -> bool:
    stored = CodeScreenConnection.objects.filter(organization=organization).first()
    return stored is not None and bool(stored.api_key) and stored.is_working
