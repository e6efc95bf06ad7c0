"""The record of one kind of effect: everything that is said of it, its step, and how one try may end.

Nothing else is told by kind. `outbox.perform` records the outcome.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import Enum
from typing import ClassVar

from django.db import models

from integrations.clients.provider import ClientProvider
from integrations.http.json_values import JsonObject
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.client import LeverClient
from integrations.lever.models.connection import LeverConnection
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import Payload

Writes = Callable[[], None]


@dataclass(frozen=True)
class Done:
    """The effect is performed.

    `unwritten` says why nothing had to be written. `record` writes what the platform answered, in the same
    transaction. It is written even if the lease was lost: the call was made, whichever worker holds the row now.
    `written` are the words that Lever was given; they are kept with the effect.
    """

    unwritten: Effect.EndReason | None = None
    record: Writes | None = None
    written: Payload | None = None


@dataclass(frozen=True)
class Ended:
    """The effect ends so, and isn't retried. `also` is written in the same transaction, if the lease is held."""

    state: ClassVar[Effect.State]
    reason: str
    also: Writes | None = None


class Cancelled(Ended):
    """The effect is no longer wanted."""

    state = Effect.State.CANCELLED


class Failed(Ended):
    """The effect can't succeed."""

    state = Effect.State.FAILED


class Uncertain(Ended):
    """It isn't known whether the call took effect; a person has to check."""

    state = Effect.State.UNCERTAIN


class StartedAttempt(Enum):
    """Which started attempt a retry keeps on record: one whose outcome isn't known."""

    NONE = "none"
    EARLIER = "earlier"  # this try certainly had no effect; an attempt started before it is kept
    CURRENT = "current"  # this try may have had an effect


@dataclass(frozen=True)
class Retry:
    """The effect is tried again after `wait`.

    Unless `is_counted`, the attempt doesn't count, because no call was made. `restarts_window` begins the retry window
    anew after the wait, because a person or a rule kept the effect from being tried.
    """

    reason: str
    wait: timedelta
    started_attempt: StartedAttempt = StartedAttempt.EARLIER
    is_counted: bool = True
    restarts_window: bool = False


@dataclass(frozen=True)
class LeaseLost:
    """Another worker holds the row now. Nothing is written."""


@dataclass(frozen=True)
class DecideOnRecording:
    """Rows that others may change decide the outcome: `decide` is called in the transaction that records it."""

    decide: Callable[[], "Done | Cancelled | Retry | LeaseLost"]


Outcome = Done | Cancelled | Failed | Uncertain | Retry | LeaseLost | DecideOnRecording


NOT_RECORDED = "The exact words weren't kept when this was written."


class Target(models.TextChoices):
    """Where an effect acts; the platforms have the values that they have elsewhere."""

    LEVER = "lever", "Lever"
    CODESCREEN = "codescreen", "CodeScreen"
    EMAIL = "email", "E-mail"
    CHAT = "chat", "Chat room"


class Author(Enum):
    """Who is shown in Lever as the author of what is written."""

    NOBODY = "nobody"
    CONNECTED = "connected"  # the user who connected Lever
    CHOSEN = "chosen"  # the user that an Admin chose, or else the one who connected


@dataclass(frozen=True)
class Words(Payload):
    """What an effect wrote, word for word, or is to write: only that of its kind is filled in.

    `fields` are those of a form, with the values that they are given; a `file` is told by its name. `is_kept` where
    these are the words that were written, as `Effect.written` has them, and not derived anew. Where Lever's answer
    didn't list the opportunity's tags, it isn't known which of the `removed` ones it had. `missing` is what is said of
    a done effect whose words weren't kept, or not all of them.
    """

    fields: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""
    url: str = ""
    stage: str = ""
    file: str = ""
    tags: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    is_removal_known: bool = True
    is_kept: bool = False
    missing: str = ""

    def to_json(self) -> JsonObject:
        """Return what is stored: only what is filled in."""
        empty = asdict(Words())
        return {name: value for name, value in asdict(self).items() if value != empty[name]}

    @property
    def line(self) -> str:
        return ", ".join(self.tags) or self.text or self.stage or self.file

    @property
    def named(self) -> dict[str, str]:
        named = {
            "Note": self.text,
            "File": self.file,
            "Stage": self.stage,
            "Link": self.url,
            "Tags added" if self.is_kept else "Tags": ", ".join(self.tags),
            "Tags removed": ", ".join(self.removed),
        }
        return {
            **dict(self.fields),
            **{name: value for name, value in named.items() if value},
        }


def has_started(effect: Effect) -> bool:
    """Whether a call may have been made already: a pause doesn't hold reconciling back."""
    return effect.attempt_started_at is not None


@dataclass(frozen=True, kw_only=True)
class EffectKind[P: Payload]:
    """One kind of effect. Where a default stands, it is the harmless answer."""

    kind: Effect.Kind
    target: Target
    payload: type[P]
    #: One try; raises PlatformError where it is to be retried or given up.
    perform: Callable[[Effect, ClientProvider], Outcome]
    author: Author = Author.NOBODY
    #: Whether a repeated write would stand there twice, so that it is looked for after rows were lost.
    repeats_show: bool = False
    #: Whether it is performed while the organization is paused.
    goes_on_in_a_pause: Callable[[Effect], bool] = has_started
    #: How it ends when it isn't retried any more.
    give_up: Callable[[Effect, str], Uncertain | Failed] = lambda _effect, reason: Failed(reason)

    #: Its heading among what was written to Lever about a candidate; empty for what writes nothing there.
    heading: str = ""
    icon: str = "mail"
    #: What it is to write; the Result is the one that it writes into a form.
    to_write: Callable[[P, Result | None], Words] = lambda _payload, _result: Words()
    #: What it is about in a few words, where its words are none.
    topic: Callable[[Effect], str] = lambda _effect: ""
    #: What would happen, by its brief, where a dry run enqueues it.
    intended: Callable[[str], str] = lambda _brief: ""
    #: The lines of a candidate's history; empty where what was written to Lever says it.
    done: str = ""
    failed: str = ""

    #: What stays of the payload when the person is erased.
    kept_payload: Callable[[JsonObject], JsonObject] = lambda _payload: {}
    #: Whether it ends unperformed when the person is erased.
    is_stopped_by_erasure: bool = True

    @property
    def tells_the_team(self) -> bool:
        """Whether it is a message to people, and no act on a platform."""
        return self.target in {Target.EMAIL, Target.CHAT}

    def payload_of(self, effect: Effect) -> P:
        return self.payload.from_json(effect.payload)

    def words(self, effect: Effect, result: Result | None = None) -> Words:
        """Return what an effect wrote, else what it is to write."""
        if effect.written:
            return Words.from_json(effect.written)
        return self.to_write(self.payload_of(effect), result)

    def brief(self, effect: Effect) -> str:
        """Return what an effect writes or is about, in one line; empty where that says nothing more than its kind."""
        return self.topic(effect) or self.words(effect).line


def kept_whole(payload: JsonObject) -> JsonObject:
    """Return the payload of a kind that holds ids, tags of the organization and stages alone: all of it stays."""
    return payload


# What each write to Lever asks first: who is shown as its author, and whether it may be there already.
#
# Looking costs a call for each candidate, so it is done only where the rows can't know.


def known_author(effect: Effect) -> str:
    """Return the author's id in Lever, empty when none is known; writes to a candidate go without one then."""
    connection = effect.organization.lever
    return connection.lever_user_id if connection else ""


def choose_author(effect: Effect, lever: LeverClient) -> str:
    """Return the author of feedback and files: the chosen user, else who connected, else the first active Super Admin.

    The last of the three is stored. Empty when Lever lists no active user. Raises PlatformError.
    """
    connection = LeverConnection.objects.get(organization=effect.organization_id)
    if known := connection.feedback_author or connection.lever_user_id:
        return known
    users = _active_users(lever)
    if not users:
        return ""
    LeverConnection.objects.filter(pk=connection.pk).update(lever_user_id=users[0])
    return users[0]


def replace_author(effect: Effect, clients: ClientProvider, author: Author) -> bool:
    """Choose another author if the known one has left Lever; True when the refused write is worth another try.

    The chosen author of feedback is chosen no longer then. Raises PlatformError.
    """
    connection = LeverConnection.objects.get(organization=effect.organization_id)
    chosen = connection.feedback_author if author is Author.CHOSEN else ""
    known = chosen or connection.lever_user_id
    users = _active_users(clients.lever()) if known else []
    if not users or known in users:
        return False
    # not another author that a person has chosen meanwhile
    same = LeverConnection.objects.filter(pk=connection.pk, feedback_author=connection.feedback_author)
    same.update(
        **{"feedback_author": "", "feedback_author_name": ""} if chosen else {"lever_user_id": users[0]}
    )
    return True


def _active_users(lever: LeverClient) -> list[str]:
    """Return the ids of the active users, Super Admins first."""
    users = [user for user in lever.users() if user.is_active]
    users.sort(key=lambda user: not user.is_super_admin)
    return [user.id for user in users]


def may_be_written(effect: Effect) -> bool:
    """Whether an earlier try may have written it, or the portal whose rows were lost by a restore."""
    if effect.attempt_started_at is not None:
        return True
    if effect.organization.rows_lost_until is None:
        return False
    if effect.invitation is not None:
        return effect.organization.has_lost_rows_since(effect.invitation.created_at)
    since = effect.delivery.received_at if effect.delivery is not None else effect.created_at
    return effect.organization.has_lost_rows_since(since)


def may_be_written_of(invitation: Invitation, kind: str) -> bool:
    """Whether any of the invitation's effects of this kind may have been written."""
    if invitation.organization.has_lost_rows_since(invitation.created_at):
        return True
    return invitation.effects.filter(kind=kind, attempt_started_at__isnull=False).exists()
