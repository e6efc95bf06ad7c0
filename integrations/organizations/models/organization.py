"""One customer: its name, its webhook address, its connections, and the policies of `Policies`."""

import copy
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.codescreen.models import CodeScreenConnection
from integrations.core.rules.facts import Pause
from integrations.core.vocabulary import Platform
from integrations.lever.models.connection import LeverConnection
from integrations.lever.regions import Region
from integrations.organizations.models.policies import Policies
from integrations.store import database
from integrations.store.columns import WITH_ORGANIZATION, Holds, harmless, moment
from integrations.store.database import locked_row
from integrations.store.encryption import EncryptedTextField

#: For how long a webhook key that was replaced still works.
KEY_OVERLAP = timedelta(days=7)


def make_webhook_key() -> str:
    """Return an unguessable key (256 bits) for an organization's webhook addresses."""
    return secrets.token_urlsafe(32)


class OrganizationQuerySet(models.QuerySet["Organization"]):
    """Organizations with their connections, and locked."""

    def with_connections(self) -> Self:
        """Load both connections in the same query."""
        return self.select_related("lever_connection", "codescreen_connection")

    def unpaused(self) -> Self:
        """Those whose `pause` is None."""
        is_seen = Q(other_webhook_since__isnull=False) | Q(other_tag_at__isnull=False)
        return self.filter(paused=False).exclude(is_seen, other_integration_off=False)

    def reread(self, pk: int) -> "Organization":
        """Return the organization as it is now, with both connections."""
        return self.with_connections().get(pk=pk)

    def with_webhook_key(self, key: str) -> "Organization | None":
        """Return the organization whose webhooks come to the addresses with this key, now or for a while still."""
        previous = Q(previous_webhook_key=key, previous_webhook_key_until__gt=Now())
        return self.filter(Q(webhook_key=key) | previous).only("pk").first()

    def lock(self, pk: int) -> "Organization":
        """Return the organization, locked until the transaction ends. Raises DoesNotExist.

        What decides whether a person is invited takes this lock first: each sees the invitations of those before it.
        """
        if (organization := locked_row(Organization, pk)) is None:
            raise Organization.DoesNotExist
        return organization


class Organization(Policies):
    """One customer: a Lever account and a CodeScreen account, its members and its policies."""

    HOLDS = Holds("the settings of a customer", WITH_ORGANIZATION)

    name = harmless(models.CharField(max_length=200))
    slug = harmless(models.SlugField(max_length=80, unique=True))
    webhook_key = harmless(
        models.CharField(
            max_length=100,
            unique=True,
            default=make_webhook_key,
            validators=[
                RegexValidator(
                    r"^[A-Za-z0-9._~-]+\Z", "It becomes part of an address: use letters, digits, - and _."
                )
            ],
        )
    )
    previous_webhook_key = harmless(
        models.CharField(
            max_length=100,
            blank=True,
            editable=False,
            help_text="The key before, whose addresses work for a while.",
        )
    )
    previous_webhook_key_until = moment("Until when webhooks to its addresses are taken.", editable=False)
    chat_url = EncryptedTextField(
        bound_to=["id"],
        blank=True,
        editable=False,
        help_text="The webhook of a chat room that results and problems are posted to.",
    )
    chat_failure = harmless(
        models.TextField(
            blank=True, editable=False, help_text="Why the chat room was removed; empty once there is one."
        )
    )
    bodies_emptied_until = moment(
        "Until when the texts of webhooks were removed; ids and times stay.", editable=False
    )
    rows_lost_from = moment(
        "When the backup was made that was restored last; rows written since are lost.", editable=False
    )
    rows_lost_until = moment("When the portal stopped whose rows are lost.", editable=False)
    other_webhook_since = moment(
        "Since when Lever lists a webhook for stage changes to CodeScreen's own integration.", editable=False
    )
    other_tag_at = moment(
        "When somebody who just moved had a progress tag that no invitation here explains.", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta(Policies.Meta):
        abstract = False
        ordering = ["name"]
        constraints = [
            *Policies.Meta.constraints,
            models.CheckConstraint(
                condition=~models.Q(webhook_key=""), name="organization_webhook_key_not_blank"
            ),
            models.UniqueConstraint(
                fields=["previous_webhook_key"],
                condition=~models.Q(previous_webhook_key=""),
                name="organization_previous_webhook_key_once",
            ),
            models.CheckConstraint(
                condition=models.Q(rows_lost_from__isnull=True, rows_lost_until__isnull=True)
                | models.Q(
                    rows_lost_from__isnull=False,
                    rows_lost_until__isnull=False,
                    rows_lost_from__lte=models.F("rows_lost_until"),
                ),
                name="organization_rows_lost_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def changed(self, values: Mapping[str, object]) -> Self:
        """Return a copy with these values. Raises ValidationError by field when they aren't valid.

        What else is stored may be invalid by now, such as a time zone, and must not keep anybody from ending a pause.
        """
        changed = copy.copy(self)
        for name, value in values.items():
            setattr(changed, name, value)
        kept = {field.name for field in self._meta.fields} - values.keys()
        changed.full_clean(exclude=kept if self.pk else None, validate_constraints=False)
        changed.validate_constraints()
        return changed

    @property
    def lever(self) -> LeverConnection | None:
        """The Lever connection as first read through this object; None when there has never been one."""
        return getattr(self, "lever_connection", None)

    @property
    def codescreen(self) -> CodeScreenConnection | None:
        """The CodeScreen connection as first read through this object; None when there has never been one."""
        return getattr(self, "codescreen_connection", None)

    @property
    def lever_region(self) -> Region:
        """Where the organization's Lever account is."""
        return Region(self.lever.region) if self.lever is not None else Region.WORLDWIDE

    @property
    def working_lever(self) -> LeverConnection | None:
        """The Lever connection as first read through this object, if Lever accepts it."""
        lever = self.lever
        return lever if lever is not None and lever.is_working else None

    @property
    def pause(self) -> Pause | None:
        """Why nothing is sent although both connections may work; None when that isn't so."""
        if self.paused:
            return Pause.BY_ADMIN
        is_seen = self.other_webhook_since is not None or self.other_tag_at is not None
        return Pause.OTHER_INTEGRATION if is_seen and not self.other_integration_off else None

    @property
    def disconnected_reason(self) -> str:
        """Which connection doesn't work, as a sentence; empty when both do."""
        lever, codescreen = self.lever, self.codescreen
        if lever is None or lever.state == LeverConnection.State.REVOKED:
            return "Lever isn't connected."
        if lever.state == LeverConnection.State.CONNECTED and lever.is_unreadable:
            return "Lever's stored tokens can't be read."
        if not lever.is_working:
            return "Lever no longer accepts the connection."
        if codescreen is not None and codescreen.is_key_unreadable:
            return "CodeScreen's stored API key can't be read."
        if codescreen is None or not codescreen.api_key:
            return "CodeScreen has no API key yet."
        if codescreen.state == CodeScreenConnection.State.NOT_FOUND:
            return "CodeScreen's API isn't at the address that the portal calls."
        if not codescreen.is_working:
            return "CodeScreen refused the API key."
        return ""

    def has_lost_rows_since(self, moment: datetime) -> bool:
        """Whether rows that were written after that moment were lost by a restore."""
        return self.rows_lost_until is not None and moment < self.rows_lost_until

    @property
    def lever_webhook_url(self) -> str:
        """The address to paste into Lever."""
        return _webhook_url(Platform.LEVER, self.webhook_key)

    @property
    def codescreen_webhook_url(self) -> str:
        """The address to give to CodeScreen."""
        return _webhook_url(Platform.CODESCREEN, self.webhook_key)

    @property
    def previous_lever_webhook_url(self) -> str:
        """The address before, at which Lever's webhooks are still taken; empty when there is none."""
        until = self.previous_webhook_key_until
        if until is None or until <= database.now():
            return ""
        return _webhook_url(Platform.LEVER, self.previous_webhook_key)

    def lever_webhook_urls(self) -> list[str]:
        """Return the addresses at which Lever's webhooks are taken now, the present one first."""
        return [url for url in (self.lever_webhook_url, self.previous_lever_webhook_url) if url]


def _webhook_url(platform: Platform, key: str) -> str:
    return f"{settings.PORTAL_URL}/webhooks/{platform}/{key}/"
