"""What is stored about people and for how long: from the data inventory and the organization's own policies."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.text import capfirst

from integrations.data_inventory import INVENTORY
from integrations.models import Organization
from integrations.vocabulary import ErasureCause


@dataclass(frozen=True)
class StoredData:
    """What one kind of record is for, and what in it is about people."""

    holds: str
    personal: list[str]


@dataclass(frozen=True)
class Retention:
    """How long the organization keeps something; no days where it is kept without a limit."""

    text: str
    days: int


def about_candidates() -> list[StoredData]:
    """Return each kind of record with data about candidates."""
    return [_stored(table.holds, table.candidate) for table in INVENTORY if table.candidate]


def about_members() -> list[StoredData]:
    """Return each kind of record with data about the people who use the portal."""
    return [_stored(table.holds, table.people) for table in INVENTORY if table.people]


def _stored(holds: str, personal: Mapping[str, str]) -> StoredData:
    """Return the record's texts, without the marks around the names of columns, each text once."""
    texts = [capfirst(text.replace("`", "")) for text in personal.values()]
    return StoredData(capfirst(holds.replace("`", "")), list(dict.fromkeys(texts)))


def retention_of(organization: Organization) -> list[Retention]:
    """Return how long the organization keeps each kind of data."""
    return [
        Retention(
            "Names, addresses and texts about a candidate, counted from the end of the assessment",
            organization.retention_days,
        ),
        Retention(
            "The full text of messages from Lever and CodeScreen", organization.delivery_retention_days
        ),
        Retention(
            "Records of calls to Lever and CodeScreen that no candidate's invitation needs",
            organization.call_retention_days,
        ),
    ]


def erasure_causes() -> list[str]:
    """Return when a candidate's data is erased, each as a sentence's beginning."""
    return [capfirst(cause.label) for cause in ErasureCause]
