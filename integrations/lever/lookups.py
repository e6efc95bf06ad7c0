"""What the portal reads from Lever's lists.

Source: https://hire.lever.co/developer/documentation (Stages, Postings, Users, Webhooks, Files).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from integrations.core.vocabulary import Category
from integrations.http.json_values import JsonObject, one_line
from integrations.lever.payloads import json_object, text, texts


@dataclass(frozen=True)
class PipelineStage:
    """A stage of the pipeline. Ids are strings, not always UUIDs."""

    id: str
    name: str

    @classmethod
    def from_api(cls, data: JsonObject) -> Self:
        return cls(id=text(data.get("id")), name=one_line(text(data.get("text"))))


@dataclass(frozen=True)
class Posting:
    """A posting; `state` is Lever's word (published, internal, closed, …).

    `categories` has the values of each category that the posting has: several locations, one of each other.
    """

    id: str
    title: str
    state: str
    tags: tuple[str, ...]
    categories: Mapping[Category, tuple[str, ...]]

    @classmethod
    def from_api(cls, data: JsonObject) -> Self:
        return cls(
            id=text(data.get("id")),
            title=one_line(text(data.get("text"))),
            state=text(data.get("state")),
            tags=texts(data.get("tags")),
            categories=_categories(json_object(data.get("categories"))),
        )


def _categories(data: JsonObject) -> dict[Category, tuple[str, ...]]:
    """Return the categories that have a value. `allLocations` repeats `location` beside the posting's other places."""
    found: dict[Category, tuple[str, ...]] = {
        category: (text(data.get(category.value)),) for category in Category
    }
    found[Category.LOCATION] += texts(data.get("allLocations"))
    values = {category: tuple(dict.fromkeys(map(one_line, written))) for category, written in found.items()}
    return {
        category: shown for category, written in values.items() if (shown := tuple(filter(None, written)))
    }


@dataclass(frozen=True)
class LeverUser:
    """A person with a Lever account; `access_role` is Lever's word, or the id of a role of the customer's own."""

    id: str
    is_active: bool
    access_role: str
    name: str = ""
    email: str = ""

    @classmethod
    def from_api(cls, data: JsonObject) -> Self:
        """Decode one user; a deactivated one has `deactivatedAt`."""
        return cls(
            id=text(data.get("id")),
            is_active=not data.get("deactivatedAt"),
            access_role=text(data.get("accessRole")),
            name=one_line(text(data.get("name"))),
            email=text(data.get("email")),
        )

    @property
    def is_super_admin(self) -> bool:
        return self.access_role == "super admin"


@dataclass(frozen=True)
class RegisteredWebhook:
    """A webhook in Lever. Only the answer to its creation has the signature token."""

    id: str
    event: str
    url: str
    signature_token: str
    #: Its conditions, to be sent back with a change.
    configuration: JsonObject = field(default_factory=dict)

    @classmethod
    def from_api(cls, data: JsonObject) -> Self:
        configuration = json_object(data.get("configuration"))
        return cls(
            id=text(data.get("id")),
            event=text(data.get("event")),
            url=text(data.get("url")),
            signature_token=text(configuration.get("signatureToken")),
            configuration={name: value for name, value in configuration.items() if name != "signatureToken"},
        )


@dataclass(frozen=True)
class LeverFile:
    """A file on an opportunity."""

    id: str
    name: str

    @classmethod
    def from_api(cls, data: JsonObject) -> Self:
        """Decode one file; sizes and times, which Lever writes as texts or as numbers, aren't read."""
        return cls(id=text(data.get("id")), name=text(data.get("name")))
