"""Whom an erasure is about: the ids, names and addresses by which rows are found. Kept nowhere afterwards."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from integrations.models import Candidate, Delivery, Effect, Invitation
from integrations.workflow.email.payload import EmailPayload

_ADDRESS = re.compile(r"[^\s@\"'<>(),;:]+@[^\s@\"'<>(),;:]+")


@dataclass(frozen=True)
class Subject:
    """One opportunity's person: the ids of the opportunity and the contact, and every known name and address."""

    organization_id: int
    opportunity_id: str
    contact_ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    def is_mentioned(self, value: object) -> bool:
        """Whether a text, or a text anywhere in decoded JSON, contains an id, a name or an address as a whole."""
        return any(self._pattern.search(text) for text in texts_in(value))

    def is_named(self, value: object) -> bool:
        """Whether a text, or a text anywhere in decoded JSON, contains a name or an address as a whole."""
        patterns = [_whole(word) for word in self.names | self.addresses]
        return any(pattern.search(text) for text in texts_in(value) for pattern in patterns)

    def replaced(self, text: str, instead: str) -> str:
        """Return the text with `instead` for every id, name and address that stands in it as a whole."""
        return self._pattern.sub(lambda _: instead, text)

    def names_opportunity(self, value: object) -> bool:
        """Whether a text, or a text anywhere in decoded JSON, contains the opportunity's id."""
        return any(_whole(self.opportunity_id).search(text) for text in texts_in(value))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(_whole(word).pattern for word in self.written_forms))

    @cached_property
    def written_forms(self) -> tuple[str, ...]:
        """Everything that is looked for, as it may be written: plain, in JSON and in an address of the web."""
        words = {self.opportunity_id, *self.contact_ids, *self.names, *self.addresses} - {""}
        forms: set[str] = set()
        for word in words:
            forms |= {word, json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1], quote(word)}
        return tuple(sorted(forms))


def _whole(word: str) -> re.Pattern[str]:
    """Return the pattern of a word that isn't part of a longer one. Case counts only in a name of a single word."""
    pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
    is_single_word = not re.search(r"[\W\d_]", word)
    return re.compile(pattern if is_single_word else f"(?i:{pattern})")


def texts_in(value: object) -> Iterator[str]:
    """Yield every text in decoded JSON, the keys of objects too; a text itself."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from texts_in(item)
    elif isinstance(value, Iterable):
        for item in value:
            yield from texts_in(item)


def subject_of(organization_id: int, opportunity_id: str) -> Subject:
    """Return whom the opportunity is about, as far as the portal's rows know."""
    own = {"organization": organization_id, "opportunity_id": opportunity_id}
    contact_ids, names, addresses = set[str](), set[str](), set[str]()
    for invitation in Invitation.objects.filter(**own):
        contact_ids.add(invitation.contact_id)
        names.add(invitation.candidate_name.strip())
        addresses.add(invitation.email.strip())
    for candidate in Candidate.objects.filter(**own):
        names.add(candidate.name.strip())
        addresses.add(candidate.email.strip())
    for delivery in Delivery.objects.filter(**own).only("payload"):
        data = delivery.payload.get("data") if isinstance(delivery.payload, dict) else None
        if isinstance(data, dict) and isinstance(data.get("contactId"), str):
            contact_ids.add(data["contactId"])
        addresses |= {found for text in texts_in(delivery.payload) for found in _ADDRESS.findall(text)}
    for effect in Effect.objects.filter(**own, kind=Effect.Kind.SEND_EMAIL).only("payload", "opportunity_id"):
        first = EmailPayload.from_json(effect.payload).notices[0]
        names.add(first.variables.get("candidate", "").strip())
    return Subject(
        organization_id,
        opportunity_id,
        frozenset(contact_ids - {""}),
        frozenset(names - {"", NAMELESS}),
        frozenset(addresses - {""}),
    )


#: What e-mails call somebody whose name isn't known.
NAMELESS = "A candidate"
