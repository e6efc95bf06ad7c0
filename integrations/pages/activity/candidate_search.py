"""Which candidate a person means: by id, by a link from Lever or the portal, by e-mail address, or by name."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from django.db.models import Value
from django.db.models.functions import Upper

from integrations.http.errors import NotConnected
from integrations.models import Delivery, Invitation, Organization
from integrations.queue import worker

MOST_FOUND = 20
_AFTER_WORD = {"candidates", "opportunities", "opportunity", "candidate", "activity"}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A candidate who may be meant."""

    opportunity_id: str
    name: str
    detail: str = ""


def opportunity_id(written: str) -> str:
    """Return the opportunity id in what was pasted: an id, or a link to the candidate in Lever or in the portal."""
    text = written.strip()
    if "/" not in text:
        return text[:200]
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
    except ValueError:  # a host that can't be one
        return ""
    # a page that finds its way in the browser has the path behind the #
    places = [_segments(place) for place in (parts.path, parts.fragment)]
    for segments in places:
        for word, following in pairwise(segments):
            if word.casefold() in _AFTER_WORD:
                return following[:200]
    last = [segments[-1] for segments in places if segments]
    return last[0][:200] if last else ""


def _segments(path: str) -> list[str]:
    return [unquote(part) for part in path.partition("?")[0].split("/") if part]


def is_exact(organization: Organization, written: str) -> bool:
    """Whether what was written can only be an id or a link, so that nobody has to be searched."""
    text = written.strip()
    if "/" in text or _UUID.fullmatch(text):
        return True
    rows = {"organization": organization, "opportunity_id": text}
    return Invitation.objects.filter(**rows).exists() or Delivery.objects.filter(**rows).exists()


def search(organization: Organization, written: str) -> list[Found]:
    """Return who may be meant by a name or an address, each candidacy once.

    By name only those the portal knows: Lever can be asked for an address, but not for a name. Raises PlatformError.
    """
    text = written.strip()
    rows = Invitation.objects.filter(organization=organization).order_by("-created_at", "-pk")
    if "@" in text:
        known = rows.alias(address=Upper("email")).filter(address=Upper(Value(text)))
        found = [*_known(known[:MOST_FOUND]), *_in_lever(organization, text)]
    else:
        found = list(_known(rows.filter(candidate_name__icontains=text)[: MOST_FOUND * 5]))
    return list({row.opportunity_id: row for row in reversed(found)}.values())[::-1][:MOST_FOUND]


def _known(rows: Iterable[Invitation]) -> Iterator[Found]:
    for row in rows:
        yield Found(row.opportunity_id, row.candidate_name or "A candidate", row.role_title)


def _in_lever(organization: Organization, address: str) -> Iterator[Found]:
    try:
        found = worker.opportunities_of(organization, address, MOST_FOUND)
    except NotConnected:
        return
    for opportunity in found:
        detail = "archived" if opportunity.is_archived else ""
        yield Found(opportunity.id, opportunity.name or "A candidate", detail)
