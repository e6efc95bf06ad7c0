"""Who changed what: append-only, chained, secrets masked."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction

from integrations.audit.models.chain import Chained, ChainedQuerySet
from integrations.core.vocabulary import LabelledEnum
from integrations.organizations.models.organization import Organization
from integrations.store.columns import Holds, TextSearchIndex, about_candidate, about_user
from integrations.store.encryption import UnreadableSecret
from integrations.store.triggers import AppendOnly

#: Who acts: a person, or a command by its name.
type Actor = User | str
#: What an entry changed, by field: the value before and the value after.
type Changes = Mapping[str, tuple[object, object]]

_SECRET = re.compile(r"(token|secret|password|api_key|webhook_key)$", re.IGNORECASE)


class AuditAction(LabelledEnum):
    """Everything that people and commands do which is recorded."""

    CREATE_ORGANIZATION = "create_organization", "created the organization"
    CHANGE_ORGANIZATION = "change_organization", "changed the organization"
    CHANGE_POLICIES = "change_policies", "changed the rules"
    CHANGE_SINGLE_SIGN_ON = "change_single_sign_on", "changed single sign-on"
    LINK_TO_PROVIDER = "link_to_provider", "linked a person to the provider"
    UNLINK_FROM_PROVIDER = "unlink_from_provider", "unlinked a person from the provider"
    CONNECT = "connect", "connected"
    DISCONNECT = "disconnect", "disconnected"
    SAVE_CONNECTION = "save_connection", "saved a key or secret"
    MAKE_WEBHOOK = "make_webhook", "made a webhook in Lever"
    REMOVE_WEBHOOK = "remove_webhook", "removed a webhook in Lever"
    MOVE_WEBHOOK = "move_webhook", "moved a webhook to the new address"
    REPLACE_WEBHOOK_ADDRESS = "replace_webhook_address", "replaced the webhook address"
    RETIRE_TOKEN = "retire_token", "retired a signature token"
    ADD_MAPPING = "add_mapping", "added a mapping"
    CHANGE_MAPPING = "change_mapping", "changed a mapping"
    DELETE_MAPPING = "delete_mapping", "deleted a mapping"
    INVITE_MEMBER = "invite_member", "invited a member"
    SEND_INVITATION_LINK = "send_invitation_link", "sent an invitation link"
    WITHDRAW_INVITATION = "withdraw_invitation", "withdrew a member's invitation"
    ACCEPT_MEMBERSHIP = "accept_membership", "accepted the membership"
    DECLINE_MEMBERSHIP = "decline_membership", "declined the membership"
    LEAVE = "leave", "left the organization"
    ADD_MEMBER = "add_member", "added a member"
    CHANGE_MEMBER = "change_member", "changed a member"
    CHANGE_ROLE = "change_role", "changed a role"
    REMOVE_MEMBER = "remove_member", "removed a member"
    CHOOSE_EMAILS = "choose_emails", "chose e-mails"
    LIST_OWN_CANDIDATES = "list_own_candidates", "listed their own candidates"
    CHANGE_CHAT_ROOM = "change_chat_room", "changed the chat room"
    MAKE_API_TOKEN = "make_api_token", "made an API token"
    REVOKE_API_TOKEN = "revoke_api_token", "revoked an API token"
    ASK = "ask", "asked for help"
    APPROVE = "approve", "approved the invitation"
    CANCEL_INVITATION = "cancel_invitation", "cancelled the invitation"
    RESOLVE_AS_SENT = "resolve_as_sent", "confirmed that the invitation was sent"
    SEND_AGAIN = "send_again", "sent the invitation again"
    INVITE_AGAIN = "invite_again", "sent the assessment again"
    INVITE_OFFERED = "invite_offered", "invited the candidate, who may be invited already"
    INVITE_CANDIDATE = "invite_candidate", "chose to invite the candidate"
    TAKE_OVER = "take_over", "took over the invitation of CodeScreen's own integration"
    RETRY = "retry", "retried what had failed"
    REPLAY = "replay", "decided the stage change again"
    SIGN_IN = "sign_in", "signed in"
    FAIL_SIGN_IN = "fail_sign_in", "failed to sign in"
    REFUSE_SIGN_IN = "refuse_sign_in", "was refused a sign-in"
    SIGN_OUT = "sign_out", "signed out"
    ADD_ACCOUNT = "add_account", "added an account"
    CHANGE_ACCOUNT = "change_account", "changed an account"
    CHANGE_PASSWORD = "change_password", "changed a password"
    RESET_PASSWORD = "reset_password", "chose a password through a link"
    END_SESSIONS = "end_sessions", "ended sessions"
    ERASE = "erase", "erased personal data"
    REMOVE_OLD = "remove_old", "removed old records"
    SUBJECT_ACCESS = "subject_access", "downloaded the candidate's data"
    LOOK_AT_DATA = "look_at_data", "looked at the candidate's data"
    EXPORT_LIST = "export_list", "exported a list"
    ACCEPT_LOG = "accept_log", "accepted the log as it is"
    RECORD_RESTORE = "record_restore", "recorded a restore"
    ADD_SECOND_FACTOR = "add_second_factor", "added a second factor"
    REMOVE_SECOND_FACTOR = "remove_second_factor", "removed a second factor"
    RESET_SECOND_FACTOR = "reset_second_factor", "reset a second factor"
    FAIL_SECOND_FACTOR = "fail_second_factor", "failed the second factor"
    MAKE_RECOVERY_CODES = "make_recovery_codes", "made recovery codes"
    USE_RECOVERY_CODE = "use_recovery_code", "used a recovery code"


class TargetKind(models.TextChoices):
    """What an entry can be about."""

    ORGANIZATION = "organization", "Organization"
    MEMBER = "member", "Member"
    ACCOUNT = "account", "Account"
    PENDING_MEMBERSHIP = "pending_membership", "Pending membership"
    SINGLE_SIGN_ON = "single_sign_on", "Single sign-on"
    MAPPING = "mapping", "Mapping"
    LEVER_CONNECTION = "lever_connection", "Lever connection"
    LEVER_WEBHOOK = "lever_webhook", "Lever webhook"
    CODESCREEN_CONNECTION = "codescreen_connection", "CodeScreen connection"
    API_TOKEN = "api_token", "API token"
    INVITATION = "invitation", "Invitation"
    EFFECT = "effect", "Effect"
    DELIVERY = "delivery", "Delivery"
    ERASURE = "erasure", "Erasure"


@dataclass(frozen=True)
class AuditTarget:
    """What one entry is about: the kind and key of a row, and its name for people.

    The row may be deleted later, or never have been stored: then only the name says what it was.
    """

    kind: TargetKind
    id: int | None
    name: str
    #: Whose log the entry is in; None stands for the portal's own.
    organization_id: int | None = None


def changes_to(row: object, values: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    """Return what these values would change of the row, by column."""
    return {
        name: (getattr(row, name), value) for name, value in values.items() if getattr(row, name) != value
    }


def is_secret(name: str) -> bool:
    """Whether a field's value is a secret, by the field's name."""
    return bool(_SECRET.search(name))


def masked(changes: Changes) -> dict[str, list[object]]:
    """Return the changes with every secret, before and after and however deep, replaced by whether it is set."""
    return {
        field: [_masked(field, before), _masked(field, after)] for field, (before, after) in changes.items()
    }


def _masked(name: str, value: object) -> object:
    if isinstance(value, UnreadableSecret):
        return "unreadable"
    if is_secret(name):
        return "set" if value else "empty"
    if isinstance(value, dict):
        return {inner: _masked(inner, inner_value) for inner, inner_value in value.items()}
    return value


class AuditEntryQuerySet(ChainedQuerySet["AuditEntry"]):
    """Entries, by what they are about."""

    def erase_text(self) -> list[int]:
        """Erase as for every row of a chain, but for erasures: they say which rows may be empty."""
        rows = self.exclude(action=AuditAction.ERASE)
        with transaction.atomic():
            of_accounts = rows.filter(target_kind=TargetKind.ACCOUNT)._erase(AuditEntry.TEXT_OF_ACCOUNTS)
            return of_accounts + rows.exclude(target_kind=TargetKind.ACCOUNT)._erase(AuditEntry.TEXT_COLUMNS)

    def about(self, targets: Mapping[TargetKind, Iterable[int]]) -> Self:
        """Return the entries about any of these rows, given as keys by kind."""
        is_about = models.Q(pk__in=[])
        for kind, ids in targets.items():
            # read first: PostgreSQL finds given keys by the index, but with a subquery reads all entries of the kind
            is_about |= models.Q(target_kind=kind, target_id__in=list(ids))
        return self.filter(is_about)


#: That an account was signed in to or changed, and when, stays; from where, for so long.
SIGN_INS_KEPT_FOR = timedelta(days=180)


class AuditEntry(Chained):
    """One change a person or a command made."""

    HOLDS = Holds(
        "the audit log: what people did, when and why; entries are never removed, so that it can be checked",
        "for ever; texts about a candidate until they are erased",
    )

    TIME_COLUMN = "at"
    HASHED_COLUMNS = (
        "organization_id",
        "actor_id",
        "actor_name",
        "action",
        "target_kind",
        "target_id",
        "at",
    )
    TEXT_COLUMNS = ("target", "changes", "reason")
    #: Who signed in is known as long as where from: what was done for a candidate stays with its actor.
    TEXT_OF_ACCOUNTS = (*TEXT_COLUMNS, "actor_name")

    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="audit_entries",
        db_index=False,
    )
    # the id is part of the hash: it stays when the user is deleted
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
    )
    actor_name = about_user(
        f"who did it; for sign-ins with the client's address under `changes`, for {SIGN_INS_KEPT_FOR.days} days",
        models.CharField(
            max_length=200, help_text="Kept when the user is deleted; a command's name otherwise."
        ),
    )
    action = models.CharField(max_length=40, choices=AuditAction.choices())
    target_kind = models.CharField(max_length=30, choices=TargetKind)
    target_id = models.BigIntegerField(
        null=True, blank=True, help_text="The row's key; empty where there never was a row."
    )
    target = about_candidate(
        "what was changed",
        models.CharField(max_length=300, help_text="The row's name at that time."),
    )
    changes = about_candidate(
        "the values before and after",
        models.JSONField(
            default=dict, blank=True, help_text="By field: the value before and the value after."
        ),
    )
    reason = about_candidate("the reason that the person gave", models.TextField(blank=True))
    at = models.DateTimeField()

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-at", "-pk"]
        constraints = [
            AppendOnly(
                name="audit_append_only",
                erasable=["target", "changes", "reason"],
                also_erasable=["actor_name"],
                salt="text_salt",
            ),
            models.UniqueConstraint(fields=["organization", "position"], name="audit_position_once"),
            models.UniqueConstraint(
                fields=["position"],
                condition=models.Q(organization__isnull=True),
                name="audit_portal_position_once",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-at"], name="audit_recent"),
            models.Index(fields=["-at"], name="audit_recent_of_all"),
            # the organization second, so that it serves operators too, who see all organizations
            models.Index(fields=["target_kind", "organization", "target_id"], name="audit_of_target"),
            models.Index(fields=["organization", "actor_name", "-at"], name="audit_of_actor"),
            models.Index(fields=["organization", "action", "-at"], name="audit_of_action"),
            TextSearchIndex(fields=["actor_name", "action", "target"], name="audit_text"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.get_action_display()}: {self.target}"

    @property
    def who(self) -> str:
        """Who did it: the person's name as it is now, else the name that was recorded, or the command's."""
        return (self.actor.get_full_name() if self.actor else "") or self.actor_name

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns that hold personal text: in entries about accounts the name of who acted, too."""
        return self.TEXT_OF_ACCOUNTS if self.target_kind == TargetKind.ACCOUNT else self.TEXT_COLUMNS
