"""The one statement that stores a candidate, or brings the row up to date by a newer entry into a stage."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db import connection, models

from integrations.models.candidate import Candidate

_COLUMNS = (
    "organization_id",
    "opportunity_id",
    "stage_name",
    "assessment_name",
    "entered_at",
    "delivery_id",
    "invitation_id",
    "name",
    "email",
    "role_id",
    "role_title",
    "outcome",
)
#: What stays as it is where the candidate wasn't read now.
_READ = ("name", "email", "role_id", "role_title")
_UPSERT = """
INSERT INTO {table} ({columns}) VALUES ({values})
ON CONFLICT (opportunity_id, organization_id) DO UPDATE SET
    stage_name = EXCLUDED.stage_name,
    assessment_name = EXCLUDED.assessment_name,
    entered_at = EXCLUDED.entered_at,
    delivery_id = EXCLUDED.delivery_id,
    invitation_id = COALESCE(EXCLUDED.invitation_id, {table}.invitation_id),
    outcome = CASE
        WHEN EXCLUDED.invitation_id IS NULL OR EXCLUDED.invitation_id = {table}.invitation_id THEN {table}.outcome
        ELSE EXCLUDED.outcome END{read}
WHERE {table}.delivery_id IS NULL
    OR {table}.delivery_id = EXCLUDED.delivery_id
    OR {table}.entered_at <= EXCLUDED.entered_at
    OR ({table}.invitation_id IS NULL AND EXCLUDED.invitation_id IS NOT NULL)
"""


@dataclass(frozen=True)
class Person:
    """What Lever showed of the candidate."""

    name: str
    email: str
    role_id: str
    role_title: str


@dataclass(frozen=True)
class Entry:
    """One entry into a stage, as it was decided.

    `outcome` is what CodeScreen states of the invitation by now. It is stored where the row pointed to another one.
    """

    organization_id: int
    opportunity_id: str
    stage_name: str
    assessment_name: str
    entered_at: datetime
    delivery_id: int
    invitation_id: int | None
    outcome: str = ""


def store_candidate(entry: Entry, person: Person | None) -> None:
    """Store where a candidate stands after a decision; an entry older than the stored one changes nothing.

    Without a `person`, who they are stays as it was. Safe to run twice.
    """
    stated = (
        entry.organization_id,
        entry.opportunity_id,
        entry.stage_name[:300],
        entry.assessment_name[:300],
        models.DateTimeField().get_db_prep_value(entry.entered_at, connection),
        entry.delivery_id,
        entry.invitation_id,
    )
    shown = (
        (person.name[:500], person.email[:320], person.role_id[:200], person.role_title[:300])
        if person
        else ("", "", "", "")
    )
    with connection.cursor() as cursor:
        cursor.execute(_statement(connection.vendor, person is not None), (*stated, *shown, entry.outcome))


@lru_cache
def _statement(_vendor: str, is_read: bool) -> str:
    """Return the SQL; where the candidate `is_read`, it says who they are too."""
    quote = connection.ops.quote_name
    read = "".join(f",\n    {name} = EXCLUDED.{name}" for name in _READ)
    return _UPSERT.format(
        table=quote(Candidate._meta.db_table),
        columns=", ".join(map(quote, _COLUMNS)),
        values=", ".join(["%s"] * len(_COLUMNS)),
        read=f"{read},\n    erased_at = NULL" if is_read else "",
    )
