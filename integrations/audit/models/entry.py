"""Who changed what: append-only, chained, secrets masked."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction

from integrations.audit.models.chain import Chained, ChainedQuerySet
from integrations.audit.models.chain_head import ChainKind
from integrations.organizations.models.organization import Organization
from integrations.store.append_only import AppendOnly
from integrations.store.columns import TextSearchIndex, UnreadableSecret
from integrations.store.personal import Holds, about_candidate, about_user

#: Who acts: a person, or a command by its name.
type Actor = User | str
#: What an entry changed, by field: the value before and the value after.
type Changes = Mapping[str, tuple[object, object]]

_SECRET = re.compile(r"(token|secret|password|api_key|webhook_key)$", re.IGNORECASE)


class AuditSubject(models.TextChoices):
    """What people ask of the log: actions of one kind."""

    MAPPINGS = "mappings", "Mappings"
    DECISIONS = "decisions", "Decisions about candidates"
    POLICIES = "policies", "Policies and connections"
    MEMBERS = "members", "Members and roles"
    REFUSED = "refused", "Failed and refused sign-ins"
    HANDED_OUT = "handed_out", "Data handed out"
    ERASED = "erased", "Data erased"

    @property
    def actions(self) -> "list[AuditAction]":
        """The actions of this kind."""
        return [action for action in AuditAction if action.subject == self]


_S = AuditSubject


class AuditAction(models.TextChoices):
    """Everything that people and commands do which is recorded: the code, its subject if any, its name for people.

    Where a candidate's page tells of it, what follows the person's name in its sentence stands before the name.
    """

    subject: AuditSubject | None
    deed: str

    def __new__(cls, code: str, subject: AuditSubject | None = None, deed: str = "") -> Self:
        """Make the action of this code; its name is the choice's label."""
        action = str.__new__(cls, code)
        action._value_ = code
        action.subject, action.deed = subject, deed
        return action

    CREATE_ORGANIZATION = "create_organization", _S.POLICIES, "create organization"
    CHANGE_ORGANIZATION = "change_organization", _S.POLICIES, "change organization"
    CHANGE_POLICIES = "change_policies", _S.POLICIES, "change rules"
    CHANGE_SINGLE_SIGN_ON = "change_single_sign_on", _S.POLICIES, "change single sign-on"
    TRY_SINGLE_SIGN_ON = "try_single_sign_on", _S.POLICIES, "try single sign-on"
    ADD_DOMAIN = "add_domain", _S.POLICIES, "add domain"
    PROVE_DOMAIN = "prove_domain", _S.POLICIES, "prove domain"
    LAPSE_DOMAIN = "lapse_domain", _S.POLICIES, "domain no longer proven"
    REMOVE_DOMAIN = "remove_domain", _S.POLICIES, "remove domain"
    BIND_IDENTITY = "bind_identity", "bind to the provider"
    UNBIND_IDENTITY = "unbind_identity", "unbind from the provider"
    CONNECT = "connect", _S.POLICIES, "connect"
    DISCONNECT = "disconnect", _S.POLICIES, "disconnect"
    SAVE_CONNECTION = "save_connection", _S.POLICIES, "save"
    MAKE_WEBHOOK = "make_webhook", _S.POLICIES, "make"
    REMOVE_WEBHOOK = "remove_webhook", _S.POLICIES, "remove"
    MOVE_WEBHOOK = "move_webhook", _S.POLICIES, "move to the new address"
    REPLACE_WEBHOOK_ADDRESS = "replace_webhook_address", _S.POLICIES, "replace webhook address"
    END_WEBHOOK_ADDRESS = "end_webhook_address", _S.POLICIES, "end former webhook address"
    ADD_TOKEN = "add_token", _S.POLICIES, "add token"
    RETIRE_TOKEN = "retire_token", _S.POLICIES, "retire token"
    ADD_MAPPING = "add_mapping", _S.MAPPINGS, "add mapping"
    CHANGE_MAPPING = "change_mapping", _S.MAPPINGS, "change mapping"
    DELETE_MAPPING = "delete_mapping", _S.MAPPINGS, "delete mapping"
    INVITE_MEMBER = "invite_member", _S.MEMBERS, "invite member"
    SEND_INVITATION_LINK = "send_invitation_link", _S.MEMBERS, "send invitation link"
    WITHDRAW_INVITATION = "withdraw_invitation", _S.MEMBERS, "withdraw invitation"
    ACCEPT_MEMBERSHIP = "accept_membership", _S.MEMBERS, "accept membership"
    DECLINE_MEMBERSHIP = "decline_membership", _S.MEMBERS, "decline membership"
    LEAVE = "leave", _S.MEMBERS, "leave the organization"
    ADD_MEMBER = "add_member", _S.MEMBERS, "add member"
    CHANGE_MEMBER = "change_member", _S.MEMBERS, "change member"
    CHANGE_ROLE = "change_role", _S.MEMBERS, "change role"
    REMOVE_MEMBER = "remove_member", _S.MEMBERS, "remove member"
    CHANGE_RATING = "change_rating", _S.POLICIES, "change rating thresholds"
    DELETE_RATING = "delete_rating", _S.POLICIES, "delete rating thresholds"
    CHANGE_EMAIL = "change_email", _S.POLICIES, "change e-mail"
    RESET_EMAIL = "reset_email", _S.POLICIES, "reset e-mail"
    CHOOSE_EMAILS = "choose_emails", "choose e-mails"
    ADD_ALERT_ADDRESS = "add_alert_address", _S.POLICIES, "add alert address"
    CHANGE_ALERT_ADDRESS = "change_alert_address", _S.POLICIES, "change alert address"
    TEST_ALERT_ADDRESS = "test_alert_address", _S.POLICIES, "send a test alert"
    REMOVE_ALERT_ADDRESS = "remove_alert_address", _S.POLICIES, "remove alert address"
    ASK_ADMINS = "ask_admins", "ask admins"
    APPROVE = "approve", _S.DECISIONS, "approved the invitation", "approve"
    CANCEL_INVITATION = "cancel_invitation", _S.DECISIONS, "cancelled the invitation", "cancel invitation"
    TAKE_BACK = "take_back", _S.DECISIONS, "took it back before it began", "take back"
    RESOLVE_AS_SENT = (
        "resolve_as_sent",
        _S.DECISIONS,
        "confirmed that the invitation was sent",
        "resolve: it was sent",
    )
    SEND_AGAIN = "send_again", _S.DECISIONS, "had the invitation sent again", "resolve: send again"
    INVITE_AGAIN = "invite_again", _S.DECISIONS, "had the assessment sent again", "send again"
    INVITE_OFFERED = (
        "invite_offered",
        _S.DECISIONS,
        "chose to invite this candidate",
        "invite who was offered",
    )
    INVITE_CANDIDATE = "invite_candidate", _S.DECISIONS, "chose to invite this candidate", "invite"
    RECORD_DECISION = "record_decision", _S.DECISIONS, "recorded a decision", "record a decision"
    RETRY = "retry", _S.DECISIONS, "retried what had failed", "retry"
    REPLAY = "replay", _S.DECISIONS, "had the stage change decided again", "retry a delivery"
    SIGN_IN = "sign_in", "sign in"
    FAIL_SIGN_IN = "fail_sign_in", _S.REFUSED, "failed sign-in"
    REFUSE_SIGN_IN = "refuse_sign_in", _S.REFUSED, "refused sign-in"
    SIGN_OUT = "sign_out", "sign out"
    ADD_ACCOUNT = "add_account", "add account"
    CHANGE_ACCOUNT = "change_account", "change account"
    CHANGE_PASSWORD = "change_password", "change password"
    RESET_PASSWORD = "reset_password", "choose password through a link"
    END_SESSIONS = "end_sessions", "end sessions"
    ERASE = "erase", _S.ERASED, "erased the personal data", "erase"
    REMOVE_OLD = "remove_old", _S.ERASED, "remove old records"
    SUBJECT_ACCESS = (
        "subject_access",
        _S.HANDED_OUT,
        "downloaded the data about this candidate",
        "hand out a candidate's data",
    )
    LOOK_AT_DATA = (
        "look_at_data",
        _S.HANDED_OUT,
        "looked at the data about this candidate",
        "look at a candidate's data",
    )
    EXPORT_EVIDENCE = (
        "export_evidence",
        _S.HANDED_OUT,
        "exported the evidence about this candidate",
        "export evidence",
    )
    EXPORT_LIST = "export_list", _S.HANDED_OUT, "export a list"
    VERIFY_LOG = "verify_log", "check the log"
    RENEW_SEAL = "renew_seal", "seal the log with the first key"
    SEAL_ANEW = "seal_anew", "seal the log as it is"
    RECORD_RESTORE = "record_restore", "record a restore"
    ADD_SECOND_FACTOR = "add_second_factor", "add second factor"
    REMOVE_SECOND_FACTOR = "remove_second_factor", "remove second factor"
    RESET_SECOND_FACTOR = "reset_second_factor", "reset second factor"
    FAIL_SECOND_FACTOR = "fail_second_factor", _S.REFUSED, "failed second factor"
    MAKE_RECOVERY_CODES = "make_recovery_codes", "make recovery codes"
    USE_RECOVERY_CODE = "use_recovery_code", "use recovery code"


class TargetKind(models.TextChoices):
    """What an entry can be about."""

    ORGANIZATION = "organization", "Organization"
    MEMBER = "member", "Member"
    ACCOUNT = "account", "Account"
    PENDING_MEMBERSHIP = "pending_membership", "Pending membership"
    SINGLE_SIGN_ON = "single_sign_on", "Single sign-on"
    SIGN_IN_DOMAIN = "sign_in_domain", "E-mail domain"
    MAPPING = "mapping", "Mapping"
    RATING_THRESHOLDS = "rating_thresholds", "Rating thresholds"
    LEVER_CONNECTION = "lever_connection", "Lever connection"
    LEVER_WEBHOOK = "lever_webhook", "Lever webhook"
    CODESCREEN_CONNECTION = "codescreen_connection", "CodeScreen connection"
    EMAIL_TEMPLATE = "email_template", "E-mail template"
    ALERT_ADDRESS = "alert_address", "Alert address"
    ADMIN_REQUEST = "admin_request", "Request to the admins"
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
            is_about |= models.Q(target_kind=kind, target_id__in=list(ids))
        return self.filter(is_about)


class AuditEntry(Chained):
    """One change a person or a command made."""

    HOLDS = Holds(
        "who changed what; the log proves itself, so rows are never removed",
        "for ever; texts about a candidate until they are erased",
    )

    KIND = ChainKind.AUDIT_ENTRY
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
    #: Who signs in says nothing of what was done for a candidate: a reader of the chain's links isn't told.
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
        "who did it; for sign-ins with the client's address under `changes`, for 180 days",
        models.CharField(
            max_length=200, help_text="Kept when the user is deleted; a command's name otherwise."
        ),
    )
    action = models.CharField(max_length=40, choices=AuditAction)
    target_kind = models.CharField(max_length=30, choices=TargetKind)
    target_id = models.BigIntegerField(
        null=True, blank=True, help_text="The row's key; empty where there never was a row."
    )
    target = about_candidate(
        "the name of the row that was changed",
        models.CharField(max_length=300, help_text="The row's name at that time."),
    )
    changes = about_candidate(
        "values before and after",
        models.JSONField(
            default=dict, blank=True, help_text="By field: the value before and the value after."
        ),
    )
    reason = about_candidate("what the person gave as the reason", models.TextField(blank=True))
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
        return f"{self.actor_name}: {self.get_action_display()} {self.target}"

    @property
    def seals_anew(self) -> bool:
        """Whether an operator takes the log as it is."""
        return self.action == AuditAction.SEAL_ANEW

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns that hold personal text: in entries about accounts the name of who acted, too."""
        return self.TEXT_OF_ACCOUNTS if self.target_kind == TargetKind.ACCOUNT else self.TEXT_COLUMNS
