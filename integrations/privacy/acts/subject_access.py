"""The answer to a candidate who asks what the portal holds about them: every row, by the data inventory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC

from integrations.audit.evidence.selection import record_of_one
from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction
from integrations.data_inventory import Table, candidate_tables, processing
from integrations.http.shapes import JsonObject
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.privacy.concerned import Subject, mentioning_rows, rows_of, subject_of
from integrations.privacy.emails import digests_about, emails_of_nobody
from integrations.privacy.erase import Receipt, stored_receipt
from integrations.store import database


@dataclass(frozen=True)
class HeldRow:
    """One row about the person: its key, and its columns with personal data that aren't empty."""

    key: int
    personal: Mapping[str, object]
    columns: Mapping[str, object]


@dataclass(frozen=True)
class HeldTable:
    """What one table holds about the person.

    `mentions` counts rows about others that name the person too; None when they weren't counted.
    """

    name: str
    holds: str
    lives: str
    rows: tuple[HeldRow, ...]
    mentions: int | None


@dataclass(frozen=True)
class HeldData:
    """Everything that the portal holds about one opportunity's person."""

    organization: Organization
    opportunity_id: str
    tables: tuple[HeldTable, ...]
    erasure: Receipt | None

    def to_json(self) -> JsonObject:
        """Return it for a file that the person can be given."""
        return {
            "organization": self.organization.name,
            "opportunity_id": self.opportunity_id,
            "made_at": database.now().astimezone(UTC).isoformat(timespec="seconds"),
            "processing": _processing(self.organization),
            "erased": self.erasure.to_json() if self.erasure else None,
            "tables": [
                {
                    "table": table.name,
                    "holds": table.holds,
                    "how_long": table.lives,
                    "rows": [dict(row.columns) for row in table.rows],
                    "rows_about_others_that_name_the_person": table.mentions,
                }
                for table in self.tables
            ],
        }


def _processing(organization: Organization) -> JsonObject:
    """Return what else a person may ask: why, what kinds of data, who gets it, how long, from where, which rights."""
    alerts = [
        f"{address.get_kind_display()} {address.name} at {address.host}"
        for address in organization.alert_addresses.all()
    ]
    days = organization.retention_days
    return {
        "controller": organization.name,
        "purposes": processing.PURPOSES,
        "categories": processing.CATEGORIES,
        "recipients": [*processing.RECIPIENTS, *alerts],
        "how_long": f"{days} days after the end of the journey"
        if days
        else "until somebody asks for the erasure",
        "sources": processing.SOURCES,
        "rights": processing.RIGHTS,
        "decisions": processing.DECISIONS,
    }


def held_data(organization: Organization, opportunity_id: str, *, counts_mentions: bool) -> HeldData | None:
    """Return what is held about the opportunity's person; None when there is no row about the opportunity.

    Counting mentions reads the texts of all rows that belong to no opportunity: for a file that is handed out, not for
    a page.
    """
    subject = subject_of(organization.pk, opportunity_id)
    rows = {
        table.model: tuple(_rows(table, rows_of(table, subject).iterator())) for table in candidate_tables()
    }
    erasure = stored_receipt(organization, opportunity_id)
    if not any(rows.values()) and erasure is None:
        return None
    tables = []
    for table in candidate_tables():
        mentions = _mentions(table, subject) if counts_mentions else None
        if rows[table.model] or mentions:
            tables.append(HeldTable(_name(table), table.holds, table.lives, rows[table.model], mentions))
    return HeldData(organization, opportunity_id, tuple(tables), erasure)


def _mentions(table: Table, subject: Subject) -> int:
    """Return how many rows about others name the person; e-mails to the team may be about several candidates."""
    keys = mentioning_rows(table, subject)
    if table.model is Effect:
        keys = [*keys, *emails_of_nobody(subject), *digests_about(subject)]
    return len(keys)


def record_subject_access(
    data: HeldData, actor: Actor, action: AuditAction = AuditAction.SUBJECT_ACCESS
) -> None:
    """Record in the audit log that the data was handed out or looked at, and of how many rows; it names no person."""
    changes: dict[str, tuple[object, object]] = {"opportunity_id": (None, data.opportunity_id)}
    changes["rows"] = (None, sum(len(table.rows) for table in data.tables))
    audit(data.organization, actor, action, changes)


def _rows(table: Table, rows: Iterator[object]) -> Iterator[HeldRow]:
    model = table.model
    for row in rows:
        if not isinstance(row, model):
            continue
        columns = record_of_one(row)
        personal = {
            name: columns[name] for name in table.candidate if columns[name] not in ("", {}, [], None)
        }
        yield HeldRow(row.pk, personal, columns)


def _name(table: Table) -> str:
    return str(table.model._meta.verbose_name_plural)
