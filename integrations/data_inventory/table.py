"""How a table declares what it holds about people."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """What one table holds about people. Every column of text or JSON is in exactly one of the three groups.

    Columns whose values are choices, and encrypted ones, belong to none: they hold codes and secrets.
    """

    #: Django's label of the model, such as `integrations.Delivery`.
    model: str
    holds: str
    lives: str
    #: What is about a candidate, by column: erasure empties these.
    candidate: Mapping[str, str] = field(default_factory=dict)
    #: What is about the people who use the portal, by column.
    people: Mapping[str, str] = field(default_factory=dict)
    #: Ids, codes, hashes, and names of the customer's roles, stages and assessments.
    harmless: frozenset[str] = frozenset()
    #: The lookup from a row to the id of its opportunity; empty where rows belong to none.
    opportunity: str = ""
    #: The lookup from a row to its organization; empty where rows belong to none.
    organization: str = "organization"
    #: The column that a row's age counts from, where retention empties rows that belong to no opportunity.
    age: str = ""
