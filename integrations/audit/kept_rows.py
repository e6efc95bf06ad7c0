"""Rows that people keep in an organization: each kind is described once, for what stores, shows and records them."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from integrations.api.models import ApiToken
from integrations.audit.models.entry import Actor, AuditAction, Changes, changes_to
from integrations.audit.record import audit, target_of
from integrations.catalog.models import RoleMapping
from integrations.members.models.membership import PendingMembership
from integrations.organizations.models.organization import Organization

type KeptRow = RoleMapping | ApiToken | PendingMembership


@dataclass(frozen=True)
class KeptRows[Row: KeptRow]:
    """One kind of kept row: how one is found again, who keeps them, how many, and what the log tells of them."""

    model: type[Row]
    #: The roles of those who add, change and remove them.
    roles: Collection[str]
    #: The columns that tell the rows of an organization apart.
    named_by: tuple[str, ...]
    #: What entries of the log tell of a row, in this order, and what they say was done.
    told: tuple[str, ...]
    added: AuditAction
    removed: AuditAction
    changed: AuditAction | None = None
    #: What is said of one that is there already.
    taken: str = ""
    #: How many one organization may have, and what is said of one more; None for any number.
    most: int | None = None
    is_full: str = ""
    #: Records a row that was added; it may tell people of it too.
    record: Callable[[Row, Actor, AuditAction, Changes], None] = audit

    def of(self, organization: Organization) -> QuerySet[Row]:
        """Return the rows of an organization, which may be new."""
        return QuerySet[Row](self.model).filter(organization=organization.pk).select_related("organization")

    def save(self, row: Row, actor: Actor) -> Changes:
        """Store a new or changed row; return what differs from the stored one, nothing when it is the same.

        Raises ValidationError with the fix.
        """
        return next(iter(self.save_all(row.organization, [row], actor)), {})

    def save_all(self, organization: Organization, rows: Iterable[Row], actor: Actor) -> list[Changes]:
        """Store new and changed rows, all or none; return what differs, of those that do.

        The organization is locked first, as by who decides. PostgreSQL checks foreign keys at COMMIT: who decides by
        a row holds the end of the log then, and waits for who changes the row. Raises ValidationError with the fix.
        """
        with transaction.atomic():
            Organization.objects.lock(organization.pk)
            stored = [(row, *changed) for row in rows if (changed := self._store(row))[1]]
            # the entries come after all rows: who waits for the end of the chain may hold a row that is wanted here
            for row, action, changes in stored:
                (self.record if action == self.added else audit)(row, actor, action, changes)
        return [changes for *_, changes in stored]

    def remove(self, row: Row, actor: Actor, action: AuditAction | None = None) -> bool:
        """Delete a row; return whether it was still there. `action` is what was done, if not simply removing it."""
        with transaction.atomic():
            Organization.objects.lock(row.organization_id)
            target, changes = target_of(row), self._changes(row, self.model())
            if not self.model._default_manager.filter(pk=row.pk).delete()[0]:
                return False
            audit(target, actor, action or self.removed, changes)
        return True

    def _store(self, row: Row) -> tuple[AuditAction, Changes]:
        """Store the row; return what its entry will say, no changes for none. Raises ValidationError with the fix."""
        own = self.of(row.organization)
        before = own.filter(pk=row.pk).first()
        if changes := self._changes(before or self.model(), row):
            if before is None and self.most is not None and own.count() >= self.most:
                raise ValidationError(self.is_full)
            field = self.named_by[0] if len(self.named_by) == 1 else NON_FIELD_ERRORS
            taken = ValidationError({field: self.taken})
            if own.filter(**{name: getattr(row, name) for name in self.named_by}).exclude(pk=row.pk).exists():
                raise taken
            row.full_clean()
            try:
                row.save()
            except IntegrityError as error:  # another request has stored it since the check
                raise taken from error
        return (self.changed if before and self.changed else self.added), changes

    def _changes(self, before: Row, after: Row) -> Changes:
        return changes_to(before, {name: getattr(after, name) for name in self.told})
