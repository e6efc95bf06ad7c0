"""One candidate's journey through one assessment, one round."""

import secrets
from dataclasses import replace
from typing import Self

from django.db import models
from django.db.models.functions import Coalesce, Now

from integrations.core.act import Act
from integrations.core.invitation_status import (
    ERASED,
    FOLLOWED,
    NEED_PERSON,
    NO_RESULT,
    OPEN,
    TRANSITIONS,
    FollowingEnd,
    StatusWords,
)
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ResultOutcome
from integrations.invitations.models.invitation_constraints import CONSTRAINTS, INDEXES
from integrations.invitations.models.result import Result
from integrations.store import database
from integrations.store.columns import UNTIL_ERASED, Holds, about_candidate, harmless, moment
from integrations.store.database import locked_row
from integrations.store.triggers import updated_at_column

#: The columns while CodeScreen is asked about an invitation.
FOLLOWING_GOES_ON: dict[str, object] = {
    "following_ended": "",
    "following_ended_reason": "",
    "following_ended_at": None,
    "missing_since": None,
}
#: The counts of reads before sending, before the first.
UNREAD: dict[str, object] = {"not_shown_reads": 0, "late_reads": 0}
NOT_SENT = models.Q(status=Status.FAILED, erased_at__isnull=True)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations by status."""

    def open(self) -> Self:
        """Invitations whose journey isn't over."""
        return self.filter(status__in=OPEN)

    def locked(self) -> Self:
        """Lock the rows until the transaction ends. SQLite needs no lock: its write transactions run one at a time."""
        return self.select_for_update(of=("self",), no_key=True)

    def lock_all_of(self, organization_id: int, opportunity_id: str) -> None:
        """Lock a candidate's rows until the transaction ends, in the order in which everybody does."""
        own = self.filter(organization=organization_id, opportunity_id=opportunity_id)
        list(own.order_by("pk").locked().values_list("pk"))

    def with_steps(self) -> Self:
        """Add the latest `outcome`, and `begun_at` and `handed_in_at`: when the candidate had started and submitted.

        CodeScreen is asked from time to time. When a candidate starts and finishes between two polls, the portal only
        learns that they finished. An expired assessment may never have been started.
        """
        latest_attempt = Result.objects.filter(invitation=models.OuterRef("pk")).order_by("-attempt")
        outcome = models.Subquery(latest_attempt.values("outcome")[:1])
        is_expired = models.Q(outcome=ResultOutcome.EXPIRED)
        finished_at = models.Case(models.When(is_expired, then=None), default=models.F("completed_at"))
        return self.annotate(
            outcome=outcome,
            begun_at=Coalesce("started_at", "submitted_at", finished_at),
            handed_in_at=Coalesce("submitted_at", "completed_at"),
        )

    def followed(self) -> Self:
        """Sent invitations that no person cancelled, of people not erased: CodeScreen may be polled about them."""
        return self.filter(stopped_by_user=False, erased_at__isnull=True).exclude(instance_id="")

    def ended_without_result(self) -> Self:
        """Invitations that the portal stopped asking about although CodeScreen gave no result."""
        return self.filter(status__in=FOLLOWED, erased_at__isnull=True).exclude(following_ended="")

    def not_sent(self) -> Self:
        """Invitations that could not be sent and that a person may send again."""
        return self.filter(NOT_SENT)

    def candidates_waiting(self) -> dict[str, int]:
        """Return how many candidates wait for a person, by what for, each counted once; one query.

        The lists that these numbers open are of candidates, not of invitations.
        """
        waiting = self.filter(models.Q(status__in=NEED_PERSON) | NOT_SENT)
        conditions = {
            "held": models.Q(status=Status.HELD),
            "uncertain": models.Q(status=Status.UNCERTAIN),
            "not_sent": NOT_SENT,
        }
        return waiting.aggregate(
            **{
                name: models.Count("opportunity_id", filter=condition, distinct=True)
                for name, condition in conditions.items()
            }
        )

    def due_for_poll(self) -> Self:
        """Invitations to poll CodeScreen about now, by the database's clock."""
        return self.followed().filter(next_poll_at__lte=Now())


class IllegalTransition(Exception):
    """The invitation's status doesn't allow the requested change."""


def make_reference() -> str:
    """Return a random reference, by which the portal recognizes its own feedback in Lever."""
    return secrets.token_hex(6)


class Invitation(models.Model):
    """One candidate's journey through one assessment in one round."""

    HOLDS = Holds(
        "one candidate's journey through one assessment; name and address are needed to invite them",
        UNTIL_ERASED,
        opportunity="opportunity_id",
    )

    Status = Status

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="invitations", db_index=False
    )
    opportunity_id = harmless(models.CharField(max_length=200))
    contact_id = harmless(models.CharField(max_length=200, blank=True))
    candidate_name = about_candidate(
        "the name, as Lever has it", models.CharField(max_length=500, blank=True)
    )
    email = about_candidate("the e-mail address", models.EmailField(max_length=320, blank=True))
    role_id = harmless(models.CharField(max_length=200, blank=True))
    role_title = harmless(models.CharField(max_length=300, blank=True))
    stage_id = harmless(models.CharField(max_length=200, blank=True))
    stage_name = harmless(models.CharField(max_length=300, blank=True))
    assessment_id = harmless(models.CharField(max_length=200))
    assessment_name = harmless(models.CharField(max_length=300))
    mapping = models.ForeignKey(
        "integrations.RoleMapping",
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        help_text="The mapping whose rules hold; empty where none led to it, or it is deleted: the organization's do.",
    )
    round = models.IntegerField(default=1)
    reference = harmless(models.CharField(max_length=20, default=make_reference))
    status = models.CharField(max_length=20, choices=Status.choices(), default=Status.PENDING.value)
    status_reason = about_candidate("text about what happened", models.TextField(blank=True))
    held_for = harmless(
        models.JSONField(
            default=list,
            blank=True,
            editable=False,
            help_text="Why it is on hold; once a person has it sent, the reasons that hold it no more.",
        )
    )
    is_chosen = models.BooleanField(
        default=False,
        editable=False,
        help_text="Whether a person has it sent, knowing that the candidate may be invited already.",
    )
    is_fixed = models.BooleanField(
        default=False,
        editable=False,
        help_text="Whether a person chose this assessment for the candidate, so that the rules choose no other.",
    )
    first_call_at = moment(
        "When the first call that may have arrived was about to be made; empty when none may have.",
        editable=False,
    )
    instance_id = harmless(
        models.CharField(max_length=200, blank=True, help_text="CodeScreen's assessmentInstanceId.")
    )
    feedback_id = harmless(
        models.CharField(max_length=200, blank=True, help_text="The feedback form in Lever.")
    )
    stopped_by_user = models.BooleanField(
        default=False,
        help_text="Whether a person cancelled it while the candidate was in the stage; the sweep doesn't invite again.",
    )
    raw_status = harmless(
        models.CharField(
            max_length=100, blank=True, help_text="CodeScreen's own word for the status, as last read."
        )
    )
    created_at = models.DateTimeField(db_default=Now())
    checked_at = moment(
        "When the opportunity was last read; empty when it must be read again before sending."
    )
    not_shown_reads = models.SmallIntegerField(
        default=0, help_text="How many times in a row Lever didn't show the candidate before sending."
    )
    late_reads = models.SmallIntegerField(
        default=0,
        help_text="How many times in a row Lever showed the stage from before the move, before sending.",
    )
    in_any_stage = models.BooleanField(
        default=False,
        help_text="Whether a person invited again, wherever the candidate is: the stage isn't checked before sending.",
    )
    invited_at = moment()
    unstarted_tag = harmless(
        models.CharField(
            max_length=100,
            blank=True,
            help_text="The progress tag that says that the candidate hasn't started; empty while it is another one.",
        )
    )
    bounced_at = moment("When CodeScreen last said that the e-mail couldn't be delivered.")
    started_at = moment()
    submitted_at = moment()
    completed_at = moment()
    changed_at = models.DateTimeField(db_default=Now(), help_text="When the status last changed.")
    polled_at = moment()
    next_poll_at = moment()
    poll_failures = models.IntegerField(default=0)
    missing_since = moment("Since when CodeScreen answers that it doesn't have the instance.")
    followed_since = models.DateTimeField(
        db_default=Now(),
        help_text="From when the time to start or finish counts: sent, reopened, followed again.",
    )
    following_ended = models.CharField(
        max_length=20,
        choices=FollowingEnd.choices(),
        blank=True,
        help_text="Why CodeScreen is no longer asked about it; empty while it is.",
    )
    following_ended_reason = about_candidate(
        "text about why CodeScreen is no longer asked", models.TextField(blank=True)
    )
    following_ended_at = moment()
    erased_at = moment("When the person's data was erased; nothing is read about them since.")
    updated_at = updated_at_column()

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = CONSTRAINTS
        indexes = INDEXES

    def __str__(self) -> str:
        return f"{self.assessment_name} for {self.candidate_name or 'a candidate without a name'}"

    def latest_result(self) -> Result | None:
        """Return the result of the latest attempt, None before the first."""
        return self.results.order_by("-attempt").first()

    @property
    def is_unstarted(self) -> bool:
        """Whether the candidate has the invitation, can start and hasn't, and CodeScreen is asked about it."""
        return self.status == Status.INVITED and not self.following_ended

    @property
    def has_ended_without_result(self) -> bool:
        """Whether the portal stopped asking about it although CodeScreen gave no result."""
        return bool(self.following_ended) and self.status in FOLLOWED and self.erased_at is None

    @property
    def allows(self) -> tuple[Act, ...]:
        """What a person may do to it now."""
        return Status(self.status).record.allows

    @property
    def words(self) -> StatusWords:
        """What is said of where it stands: of its status, unless it was erased or has no result."""
        if self.erased_at is not None and self.status != Status.COMPLETED:
            return ERASED
        if self.has_ended_without_result:
            return replace(NO_RESULT, title=FollowingEnd(self.following_ended).label)
        return Status(self.status).record

    @property
    def why(self) -> str:
        """Why it stands so, as far as it says; empty where nothing is to be said."""
        return self.following_ended_reason if self.has_ended_without_result else self.status_reason

    def move(self, status: str, reason: str = "", **changes: object) -> None:
        """Change the status, and `changes` with it, by compare-and-set.

        Raises IllegalTransition when TRANSITIONS doesn't allow it from the row's present status. A move to the
        present status stores the reason and `changes`, but `changed_at`, `followed_since` and the end of following
        stay. The object gets the new values too; `lock()` reads what else others have changed.
        """
        sources = (*TRANSITIONS[Status(status)], status)
        changes |= {"status": status, "status_reason": reason}
        if status != self.status:
            now = database.now()
            changes |= {"changed_at": now, "followed_since": now, **FOLLOWING_GOES_ON}
        if status != Status.WITHDRAWN:
            changes["stopped_by_user"] = False
        if status not in {Status.INVITED, Status.WITHDRAWN}:
            changes["unstarted_tag"] = ""  # a status that is reached later has a tag of its own
        if not Invitation.objects.filter(pk=self.pk, status__in=sources).update(**changes):
            raise IllegalTransition(f"invitation {self.pk} can't become {status}")
        for name, value in changes.items():
            setattr(self, name, value)

    def begin_again(self, status: str, reason: str, **changes: object) -> None:
        """Let an invitation that never reached CodeScreen be one that was just decided, with these changes."""
        changes |= {"status": status, "status_reason": reason, "changed_at": database.now()}
        changes |= {"stopped_by_user": False, "unstarted_tag": "", **UNREAD, **FOLLOWING_GOES_ON}
        self.change(**changes)

    def change(self, **changes: object) -> None:
        """Store these columns; the object gets the new values too."""
        Invitation.objects.filter(pk=self.pk).update(**changes)
        for name, value in changes.items():
            setattr(self, name, value)

    def lock(self) -> None:
        """Lock the row until the transaction ends, and read it again. Raises DoesNotExist."""
        if (row := locked_row(Invitation, self.pk)) is None:
            raise Invitation.DoesNotExist
        for column in self._meta.concrete_fields:
            setattr(self, column.attname, getattr(row, column.attname))

    def follow_again(self) -> None:
        """Ask CodeScreen about it again from now on; the time to start or finish counts anew."""
        now = database.now()
        self.change(followed_since=now, next_poll_at=now, poll_failures=0, **FOLLOWING_GOES_ON)
