"""Hand out what the portal holds about a candidate who asks, and forget a person who used the portal."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Q

from integrations.accounts.models.sessions import PasswordLinkRequest
from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.core.vocabulary import ActionNotAllowed
from integrations.data_inventory import Table, candidate_tables
from integrations.effects.kinds.messages import EMPTY_EMAIL
from integrations.http.json_values import JsonObject
from integrations.invitations.models.candidate import OpportunityPerson
from integrations.members.models.membership import LastSuperAdmin, Membership
from integrations.members.models.pending import PendingMembership
from integrations.notifications.models.email_kind import EmailWording
from integrations.notifications.payload import EmailPayload
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.privacy import processing
from integrations.privacy.concerned import Subject, containing, mentioning_rows, rows_of, subject_of
from integrations.privacy.erase import Receipt, record_erasure
from integrations.privacy.in_flight import digests_about, emails_of_nobody
from integrations.privacy.models import Erasure
from integrations.privacy.own_columns import own_columns
from integrations.store import database


@dataclass(frozen=True)
class HeldTable:
    """What one table holds about the person: what it is declared to hold, and the columns of each row.

    `mentions` counts rows about others that name the person too; None when they weren't counted.
    """

    declared: Table
    rows: tuple[dict[str, object], ...]
    mentions: int | None

    @property
    def name(self) -> str:
        """What the table's rows are called."""
        return str(self.declared.model._meta.verbose_name_plural)


@dataclass(frozen=True)
class HeldData:
    """Everything that the portal holds about one opportunity's person."""

    organization: Organization
    opportunity_id: str
    tables: tuple[HeldTable, ...]
    erasure: Erasure | None

    def to_json(self) -> JsonObject:
        """Return it for a file that the person can be given."""
        return {
            "organization": self.organization.name,
            "opportunity_id": self.opportunity_id,
            "made_at": database.now().astimezone(UTC).isoformat(timespec="seconds"),
            "processing": _processing(self.organization),
            "erased": Receipt(self.erasure).to_json() if self.erasure else None,
            "tables": [
                {
                    "table": table.name,
                    "holds": table.declared.holds,
                    "how_long": table.declared.lives,
                    "rows": list(table.rows),
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
        table.model: tuple(own_columns(row) for row in rows_of(table, subject).iterator())
        for table in candidate_tables()
    }
    erasure = Erasure.objects.filter(organization=organization, opportunity_id=opportunity_id).first()
    if not any(rows.values()) and erasure is None:
        return None
    tables = []
    for table in candidate_tables():
        mentions = _mentions(table, subject) if counts_mentions else None
        if rows[table.model] or mentions:
            tables.append(HeldTable(table, rows[table.model], mentions))
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


ACTOR = "forget_person"
BECAUSE = "Because the person is to be forgotten."


def pseudonym(key: int) -> str:
    """Return the user name that an account has once its person is forgotten."""
    return f"forgotten-{key}"


def forget_person(username: str) -> tuple[JsonObject, bool] | None:
    """Erase the person with that user name; return the receipt and whether it is new, None for no such account.

    The receipt is as the command prints it: `rows` counts what was erased by table, `kept` what stays.

    Their account can't be signed in to any more and is named by its number. What belongs to it is deleted, e-mails to
    them alone are emptied, and so are the texts about their account in the log. In e-mails to others the account's
    number stands for the names. Of what they did for candidates the log keeps their user name. With the name that an
    account has afterwards, the stored receipt is returned.
    Raises ActionNotAllowed for an organization's last Super Admin.
    """
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",)).filter(username=username).first()
        if user is None:
            return None
        if user.username == pseudonym(user.pk):
            return _receipt(user), False
        entries = _entries_about(user)  # by names and keys that are gone afterwards
        counts = _end_memberships(user) + _delete_owned(user) + _delete_by_address(user) + _empty_emails(user)
        _rename(user)
        _erase_texts(user, entries, counts + Counter({User._meta.db_table: 1}))
        return _receipt(user), True


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
    """Take the person out of all e-mails. One that goes to nobody else is emptied; if it isn't sent yet, cancelled."""
    addresses = frozenset({user.email.strip()} - {""})
    subject = Subject(0, "", names=frozenset({user.username}), addresses=addresses)
    found = containing(Effect.objects.filter(kind=Effect.Kind.SEND_EMAIL), ["payload"], subject)
    count = 0
    for effect in Effect.objects.filter(pk__in=list(found.values_list("pk", flat=True))):
        stored = _payload_without(user, subject, EmailPayload.from_json(effect.payload)).to_json()
        if stored == effect.payload:
            continue
        changes: dict[str, object] = {
            "payload": stored,
            "last_error": subject.replaced(effect.last_error, pseudonym(user.pk)),
        }
        if stored == EMPTY_EMAIL and effect.state == Effect.State.DUE:
            changes |= {"state": Effect.State.CANCELLED, "due_at": None, "last_error": ""}
            changes |= {"end_reason": Effect.EndReason.ERASED}
        # a worker that is sending it loses its lease, so that it can't write the names back
        changes |= {"traceback": "", "leased_until": None, "lease_owner": ""}
        Effect.objects.filter(pk=effect.pk).update(**changes)
        count += 1
    return Counter({Effect._meta.db_table: count})


def _payload_without(user: User, subject: Subject, payload: EmailPayload) -> EmailPayload:
    """Return the e-mail to the others, in which the account's number stands for the person; empty without others."""
    address = user.email.strip().casefold()
    recipients = tuple(one for one in payload.recipients if one.casefold() != address)
    if not recipients:
        return EmailPayload()

    def renamed(text: str) -> str:
        return subject.replaced(text, pseudonym(user.pk))

    notices = [notice.changed(renamed) for notice in payload.notices]
    wording = payload.wording and EmailWording(
        renamed(payload.wording.subject), renamed(payload.wording.body)
    )
    sent_to = tuple(one for one in payload.sent_to if one.casefold() != address)
    return replace(payload.with_notices(*notices), recipients=recipients, sent_to=sent_to, wording=wording)


def _rename(user: User) -> None:
    user.username, user.email, user.first_name, user.last_name = pseudonym(user.pk), "", "", ""
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


def _erase_texts(user: User, keys: list[int], counts: Counter[str]) -> None:
    """Empty the texts of these entries, and record it in each chain; the receipt stands in that of the portal."""
    entries = AuditEntry.objects.filter(pk__in=keys)
    organizations = [
        *Organization.objects.filter(audit_entries__in=keys).distinct().order_by("pk"),
        None,
    ]
    erased = {one: entries.filter(organization=one).erase_text() for one in organizations}
    counts[AuditEntry._meta.db_table] = sum(len(positions) for positions in erased.values())
    rows = {table: count for table, count in sorted(counts.items()) if count}
    for organization, positions in erased.items():
        counted = rows if organization is None else None
        record_erasure(_target(user), ACTOR, BECAUSE, counted, positions, organization)


def _target(user: User) -> AuditTarget:
    return AuditTarget(TargetKind.ERASURE, None, f"account {user.pk}")


def _receipt(user: User) -> JsonObject:
    entries = AuditEntry.objects.filter(organization=None, action=AuditAction.ERASE)
    entry = entries.filter(actor_name=ACTOR, target=_target(user).name).latest("at")
    acts = AuditEntry.objects.filter(actor_id=user.pk).exclude(actor_name="").count()
    return {
        "account": user.pk,
        "erased_at": entry.at.astimezone(UTC).isoformat(),
        "rows": entry.changes["rows"][1],
        "kept": {AuditEntry._meta.db_table: acts} if acts else {},
    }
