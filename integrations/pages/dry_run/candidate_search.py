"""Find the candidate that a person means: by id, by a link from Lever or the portal, by e-mail address, or by name."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from django.db.models import Value
from django.db.models.functions import Upper

from integrations.http.errors import NotConnected
from integrations.models import Candidate, Delivery, Invitation, Organization
from integrations.queue import on_request

MAX_MATCHES = 20
#: The segments of a link that are followed by the opportunity id.
_BEFORE_ID = {"candidates", "opportunities", "opportunity", "candidate", "activity"}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class CandidateMatch:
    """A candidate who may be meant; `detail` is their role, or that they are archived."""

    opportunity_id: str
    name: str
    detail: str = ""


def opportunity_id(written: str) -> str:
    """Return the opportunity id in an id or in a link to the candidate; empty for a link without one."""
    text = written.strip()
    if "/" not in text:
        return text[:200]
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
    except ValueError:  # not a possible host
        return ""
    # A single-page application has its path behind the #.
    paths = [_segments(path) for path in (parts.path, parts.fragment)]
    for segments in paths:
        for segment, following in pairwise(segments):
            if segment.casefold() in _BEFORE_ID:
                return following[:200]
    last_segments = [segments[-1] for segments in paths if segments]
    return last_segments[0][:200] if last_segments else ""


def _segments(path: str) -> list[str]:
    return [unquote(part) for part in path.partition("?")[0].split("/") if part]


def is_exact(organization: Organization, written: str) -> bool:
    """Whether the text is an id or a link, so that no search is needed."""
    text = written.strip()
    if "/" in text or _UUID.fullmatch(text):
        return True
    own = {"organization": organization, "opportunity_id": text}
    return Invitation.objects.filter(**own).exists() or Delivery.objects.filter(**own).exists()


def search(organization: Organization, written: str) -> list[CandidateMatch]:
    """Return the candidates with this name or e-mail address, each opportunity once. Raises PlatformError.

    Lever can be searched by address but not by name: a name finds only candidates who entered a stage, invited or not.
    """
    text = written.strip()
    candidates = Candidate.objects.filter(organization=organization).order_by("-entered_at", "-pk")
    invitations = Invitation.objects.filter(organization=organization).order_by("-created_at", "-pk")
    if "@" in text:
        known = invitations.alias(address=Upper("email")).filter(address=Upper(Value(text)))
        matches = [*_invited(known[:MAX_MATCHES]), *_in_lever(organization, text)]
    else:
        invited = invitations.filter(candidate_name__icontains=text)[: MAX_MATCHES * 5]
        matches = [*_entered(candidates.filter(name__icontains=text)[:MAX_MATCHES]), *_invited(invited)]
    unique: dict[str, CandidateMatch] = {}
    for match in matches:
        unique.setdefault(match.opportunity_id, match)
    return list(unique.values())[:MAX_MATCHES]


def _entered(candidates: Iterable[Candidate]) -> Iterator[CandidateMatch]:
    for candidate in candidates:
        yield CandidateMatch(candidate.opportunity_id, candidate.name, candidate.role_title)


def _invited(invitations: Iterable[Invitation]) -> Iterator[CandidateMatch]:
    for invitation in invitations:
        yield CandidateMatch(
            invitation.opportunity_id, invitation.candidate_name or "A candidate", invitation.role_title
        )


def _in_lever(organization: Organization, address: str) -> Iterator[CandidateMatch]:
    try:
        opportunities = on_request.opportunities_with_address(organization, address, MAX_MATCHES)
    except NotConnected:
        return
    for opportunity in opportunities:
        detail = "archived" if opportunity.is_archived else ""
        yield CandidateMatch(opportunity.id, opportunity.name or "A candidate", detail)
