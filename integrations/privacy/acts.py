"""Hand out what the portal holds about a candidate who asks, and forget a person who used the portal."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Model, Q

from integrations.accounts.models.attempts import PasswordLinkRequest
from integrations.audit.models.entry import Actor, AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.audit.record import audit
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.json_values import JsonObject
from integrations.invitations.models.candidate import OpportunityPerson
from integrations.members.models.membership import LastSuperAdmin, Membership, PendingMembership
from integrations.notifications.notices import EmailPayload
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.privacy.concerned import Subject, containing, rows_of, subject_of
from integrations.privacy.data_inventory import Table, candidate_tables
from integrations.privacy.erase import record_erasure
from integrations.privacy.in_flight import erase_emails
from integrations.store.encryption import EncryptedTextField


@dataclass(frozen=True)
class HeldTable:
    """What one table holds about the person: what it is declared to hold, and the columns of each row."""

    declared: Table
    rows: tuple[dict[str, object], ...]

    @property
    def how_long(self) -> str:
        """How long the rows are kept, with the policy by what it means instead of its name."""
        return self.declared.lives.replace(
            "`retention_days`", "the time for which the organization keeps personal data"
        )

    @property
    def name(self) -> str:
        """What its rows are called."""
        return str(self.declared.model._meta.verbose_name_plural)

    def to_json(self) -> JsonObject:
        """Return it for a file that the person can be given."""
        return {
            "table": self.name,
            "holds": self.declared.holds,
            "how_long": self.how_long,
            "rows": list(self.rows),
        }


def held_data(organization: Organization, opportunity_id: str) -> list[HeldTable]:
    """Return by table what is held about the opportunity's person; nothing when there is no row about it."""
    subject = subject_of(organization.pk, opportunity_id)
    held = [
        HeldTable(table, tuple(own_columns(row) for row in rows_of(table, subject).iterator()))
        for table in candidate_tables()
    ]
    return [table for table in held if table.rows]


def record_subject_access(
    organization: Organization,
    opportunity_id: str,
    held: Sequence[HeldTable],
    actor: Actor,
    action: AuditAction,
) -> None:
    """Record in the audit log that the data was handed out or looked at, and of how many rows; it names no person."""
    changes: dict[str, tuple[object, object]] = {"opportunity_id": (None, opportunity_id)}
    changes["rows"] = (None, sum(len(table.rows) for table in held))
    audit(organization, actor, action, changes)


ACTOR = "forget_person"
BECAUSE = "Because the person is to be forgotten."


def forget_person(username: str) -> JsonObject | None:
    """Erase the person with that user name; return by table how many rows it was, None for no such account.

    Their account can't be signed in to any more and is named by its number. What belongs to it is deleted, e-mails that
    name them are emptied, and so are the texts about their account in the log. Of what they did for candidates the log
    keeps their user name. Raises ActionNotAllowed for an organization's last Super Admin.
    """
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",)).filter(username=username).first()
        if user is None:
            return None
        entries = _entries_about(user)  # by names and keys that are gone afterwards
        counts = _end_memberships(user) + _delete_owned(user) + _delete_by_address(user) + _empty_emails(user)
        _rename(user)
        counts[User._meta.db_table] = 1
        return {"account": user.pk, "rows": _erase_texts(user, entries, counts)}


def _end_memberships(user: User) -> Counter[str]:
    members = list(Membership.objects.filter(user=user).select_related("user", "organization"))
    for member in members:
        try:
            member.end()
        except LastSuperAdmin as error:
            raise ActionNotAllowed(f"{member.organization}: {error}") from error
    return Counter({Membership._meta.db_table: len(members)})


def _delete_owned(user: User) -> Counter[str]:
    """Delete every row that would go with the account, of every table: a new one is never forgotten."""
    counts: Counter[str] = Counter()
    for relation in User._meta.related_objects:
        if relation.on_delete is models.CASCADE:
            model: Any = relation.related_model
            _, deleted = model._base_manager.filter(**{relation.field.name: user}).delete()
            for label, count in deleted.items():
                counts[label.replace(".", "_").lower()] += count
    return counts


def _delete_by_address(user: User) -> Counter[str]:
    """Delete the rows that name the person by their address alone."""
    counts: Counter[str] = Counter()
    address = user.email.strip()
    if address:
        for model, column in (
            (PendingMembership, "email"),
            (OpportunityPerson, "email"),
            (PasswordLinkRequest, "address"),
        ):
            counts[model._meta.db_table] += model._base_manager.filter(
                **{f"{column}__iexact": address}
            ).delete()[0]
    return counts


def _empty_emails(user: User) -> Counter[str]:
    """Empty all e-mails that go to the person or name them; one that isn't sent yet is cancelled.

    One that isn't sent yet and only goes to them among others still goes to the others.
    """
    addresses = frozenset({user.email.strip()} - {""})
    subject = Subject(0, "", names=frozenset({user.username}), addresses=addresses)
    found = containing(Effect.objects.filter(kind=Effect.Kind.SEND_EMAIL), ["payload"], subject)
    keys, kept = list[int](), 0
    for row in found.values("pk", "state", "payload"):
        if not subject.is_mentioned(row["payload"]):
            continue
        left = _to_others(EmailPayload.from_json(row["payload"]), subject)
        if row["state"] == Effect.State.DUE and left.recipients and not subject.is_mentioned(left.to_json()):
            # a worker that is sending it loses its lease, so that it can't write the address back
            changes = {"payload": left.to_json(), "last_error": "", "leased_until": None, "lease_owner": ""}
            kept += Effect.objects.filter(pk=row["pk"]).update(**changes)
        else:
            keys.append(row["pk"])
    return Counter({Effect._meta.db_table: len(erase_emails(keys)) + kept})


def _to_others(payload: EmailPayload, subject: Subject) -> EmailPayload:
    """Return the e-mail with the person taken out of those that it goes to and went to."""
    recipients, sent_to = (
        tuple(address for address in addresses if not subject.is_mentioned(address))
        for addresses in (payload.recipients, payload.sent_to)
    )
    return replace(payload, recipients=recipients, sent_to=sent_to)


def _rename(user: User) -> None:
    user.username, user.email, user.first_name, user.last_name = f"forgotten-{user.pk}", "", "", ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.set_unusable_password()
    user.save()


def _entries_about(user: User) -> list[int]:
    """Return the keys of the entries whose text is about the person: their account, their memberships, invitations."""
    names = [name for name in (user.username, user.email.strip().lower()) if name]
    members = list(Membership.objects.filter(user=user).values_list("pk", flat=True))
    of_members = Q(target_id__in=members) | Q(target__in=names)
    about = (
        Q(target_kind=TargetKind.ACCOUNT, target_id=user.pk)
        | Q(target_kind=TargetKind.MEMBER) & of_members
        | Q(target_kind=TargetKind.PENDING_MEMBERSHIP, target__in=names)
    )
    return list(AuditEntry.objects.filter(about).exclude(text_salt="").values_list("pk", flat=True))


def _erase_texts(user: User, keys: list[int], counts: Counter[str]) -> dict[str, int]:
    """Empty the texts of these entries, record it in each chain, and return the counts of all tables."""
    entries, table = AuditEntry.objects.filter(pk__in=keys), AuditEntry._meta.db_table
    target = AuditTarget(TargetKind.ERASURE, None, f"account {user.pk}")
    for organization in Organization.objects.filter(audit_entries__in=keys).distinct().order_by("pk"):
        positions = entries.filter(organization=organization).erase_text()
        record_erasure(target, ACTOR, BECAUSE, {table: len(positions)}, positions, organization)
        counts[table] += len(positions)
    positions = entries.filter(organization=None).erase_text()
    counts[table] += len(positions)
    rows = {name: count for name, count in sorted(counts.items()) if count}
    record_erasure(target, ACTOR, BECAUSE, rows, positions)
    return rows


#: What of an e-mail to the team is about others: who got it.
_ABOUT_OTHERS = ("recipients", "sent_to")
#: What of a webhook's body would let a reader send it once more.
_SIGNED = ("signature", "token")


def own_columns(row: Model) -> dict[str, object]:
    """Return a row's columns by name, without secrets and what is about others.

    Times are in UTC with microseconds, decimals are text.
    """
    columns = {
        field.attname: _json(field.attname, getattr(row, field.attname))
        for field in row._meta.concrete_fields
        if not isinstance(field, EncryptedTextField)
    }
    payload = columns.get("payload")
    if isinstance(row, Effect) and isinstance(payload, dict):
        columns["payload"] = {name: value for name, value in payload.items() if name not in _ABOUT_OTHERS}
    return columns


def _json(name: str, value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return str(value)
    if name == "payload" and isinstance(value, dict):
        return {key: "[removed]" if key in _SIGNED else item for key, item in value.items()}
    return value
