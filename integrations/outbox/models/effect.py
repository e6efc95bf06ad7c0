"""The outbox: intended acts on the outside world."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models.functions import Now

from integrations.invitations.models.invitation import Invitation
from integrations.notifications.models.email_kind import EmailTopic
from integrations.organizations.models.organization import Organization
from integrations.store import database
from integrations.store.claims import lease_most_urgent_statement
from integrations.store.columns import (
    UNTIL_ERASED,
    Holds,
    about_candidate,
    about_user,
    harmless,
    index_of_set,
    moment,
    one_of,
)
from integrations.store.leasing import LEASE, Leasable, LeasableQuerySet


class EffectQuerySet(LeasableQuerySet["Effect"]):
    """Effects by whether a worker may take them.

    The state isn't asked, since only what is to be performed has a due time. A statement with a state among its values
    is planned anew each time that it runs: which value it is decides whether it may use the index.
    """

    work_order = ("priority", "due_at")
    also_due = """AND (
        job.opportunity_id = '' OR job.leased_until IS NOT NULL OR NOT EXISTS (
            SELECT 1 FROM {table} other
            WHERE other.organization_id = job.organization_id AND other.opportunity_id = job.opportunity_id
            AND other.id <> job.id AND (other.leased_until IS NOT NULL OR (
                other.due_at <= {now}
                AND (other.priority, other.due_at, other.id) < (job.priority, job.due_at, job.id)
            ))
        )
    )"""

    def due(self) -> Self:
        """Free effects, of each candidate the most urgent, and none while one of the candidate's is held.

        Two workers that write to one opportunity would overwrite each other's tags. So an effect whose lease ran out
        goes before the candidate's others, too: its worker may only be slow.
        """
        others = self.model._base_manager.filter(
            organization=models.OuterRef("organization"), opportunity_id=models.OuterRef("opportunity_id")
        ).exclude(pk=models.OuterRef("pk"))
        more_urgent = (
            models.Q(priority__lt=models.OuterRef("priority"))
            | models.Q(priority=models.OuterRef("priority"), due_at__lt=models.OuterRef("due_at"))
            | models.Q(
                priority=models.OuterRef("priority"),
                due_at=models.OuterRef("due_at"),
                pk__lt=models.OuterRef("pk"),
            )
        )
        is_next = models.Q(due_at__lte=Now()) & more_urgent
        goes_first = models.Q(leased_until__isnull=False) | is_next
        has_held_it = models.Q(leased_until__isnull=False)
        is_behind = models.Exists(others.filter(goes_first))
        return self.free().filter(models.Q(opportunity_id="") | has_held_it | ~is_behind)

    def tried_in_vain(self) -> Self:
        """Effects whose last try failed, and that are tried again."""
        return self.scheduled().filter(attempts__gt=0).exclude(last_error="")

    def failed_steps(self) -> Self:
        """Effects that failed and can be retried; an invitation that could not be sent is counted by its own status."""
        return self.filter(state=self.model.State.FAILED).exclude(kind=self.model.Kind.SEND_INVITATION)

    def make_due(self, **changes: object) -> int:
        """Let these effects be due now, with these changes, unless they are due already; return how many."""
        return self.exclude(state=self.model.State.DUE).update(
            state=self.model.State.DUE,
            due_at=Now(),
            attempts=0,
            done_at=None,
            end_reason="",
            retry_window_started_at=Now(),
            **changes,
        )

    def requeue(self, organization: Organization) -> int:
        """Make the organization's effects that wait for their next try due now; return how many."""
        waiting = self.filter(organization=organization, state=self.model.State.DUE, due_at__gt=Now())
        return waiting.update(due_at=Now())


class Effect(Leasable):
    """One intended act on the outside world. A worker performs it, and retries it until it is done or given up."""

    HOLDS = Holds(
        "what the portal sent and wrote: invitations, tags, notes, feedback, reports, e-mails, chat messages",
        UNTIL_ERASED,
        opportunity="opportunity_id",
    )

    class Kind(models.TextChoices):
        """What is to be done."""

        SEND_INVITATION = "send_invitation", "Send invitation"
        SET_PROGRESS_TAG = "set_progress_tag", "Set progress tag"
        SET_RESULT_TAG = "set_result_tag", "Set result tag"
        MOVE_STAGE = "move_stage", "Move to stage"
        WRITE_FEEDBACK = "write_feedback", "Write feedback"
        ADD_REPORT_LINK = "add_report_link", "Add report link"
        ATTACH_REPORT = "attach_report", "Attach report"
        REMOVE_REPORT = "remove_report", "Remove report"
        LEAVE_NOTE = "leave_note", "Leave note"
        MAKE_TEMPLATE = "make_template", "Make feedback template"
        SEND_EMAIL = "send_email", "Send e-mail"
        SEND_ALERT = "send_alert", "Post to chat room"

    class State(models.TextChoices):
        """The state as stored. A due effect that a worker holds is shown as leased."""

        DUE = "due", "Due"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "Uncertain"
        CANCELLED = "cancelled", "Cancelled"

    class EndReason(models.TextChoices):
        """Why it ended so, where no error says it: done without writing anything, or cancelled by an erasure."""

        LATER_ATTEMPT = "later_attempt", "The feedback of a later attempt took its place."
        ALREADY_THERE = "already_there", "The candidate was already there."
        NOTHING_LEFT = "nothing_left", "Lever had no report of the portal's about the candidate any more."
        NOT_WANTED = "not_wanted", "It was no longer wanted."
        ERASED = "erased", "The person's data was erased."

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="effects", db_index=False
    )
    invitation = models.ForeignKey(
        "integrations.Invitation", on_delete=models.CASCADE, null=True, blank=True, related_name="effects"
    )
    delivery = models.ForeignKey(
        "integrations.Delivery",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="effects",
        db_index=False,
    )
    kind = models.CharField(max_length=30, choices=Kind)
    key = harmless(models.CharField(max_length=300, help_text="Equal for repeats of the same effect."))
    opportunity_id = harmless(models.CharField(max_length=200, blank=True))
    about = harmless(
        models.CharField(
            max_length=100,
            blank=True,
            editable=False,
            help_text="What of a candidate it keeps true in Lever; empty for what nothing else takes the place of.",
        )
    )
    version = harmless(
        models.CharField(
            max_length=64, blank=True, editable=False, help_text="Equal for what says the same about it."
        )
    )
    email_topic = models.CharField(
        max_length=30,
        choices=EmailTopic.choices(),
        blank=True,
        help_text="What an e-mail or a message to the chat room tells of.",
    )
    member = models.ForeignKey(
        "integrations.Membership",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="emails",
        db_index=False,
        help_text="The member that a welcome, a password reset or a request to the Super Admins is about.",
    )
    payload = about_candidate(
        "the text of notes, reports, e-mails and chat messages, which may name candidates and their results",
        about_user("the addresses of an e-mail's recipients", models.JSONField(default=dict, blank=True)),
    )
    written = about_candidate(
        "the tags, the feedback and the report as they were written into Lever",
        models.JSONField(
            default=dict,
            blank=True,
            editable=False,
            help_text="Its words, where the payload alone doesn't say them: tags, feedback, files, a stage.",
        ),
    )
    correlation_id = harmless(
        models.CharField(
            max_length=40, blank=True, editable=False, help_text="Shared with the calls of what led to it."
        )
    )
    state = models.CharField(max_length=20, choices=State, default=State.DUE)
    end_reason = models.CharField(
        max_length=20,
        choices=EndReason,
        blank=True,
        editable=False,
        help_text="Where no error says why it ended so.",
    )
    priority = models.SmallIntegerField(default=5, help_text="Smaller goes first.")
    created_at = models.DateTimeField(db_default=Now())
    retry_window_started_at = moment(
        "When retrying was restarted, after a pause or by a person, or begins after a wait; else empty."
    )
    attempt_started_at = moment(
        "When a worker was about to act. Without an outcome, it is unknown whether it did."
    )
    done_at = moment()
    failed_at = moment("When it was last given up; kept while it is tried again.")

    objects = EffectQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "opportunity_id"],
                condition=models.Q(leased_until__isnull=False) & ~models.Q(opportunity_id=""),
                name="effect_one_per_candidate_at_once",
            ),
            models.CheckConstraint(
                condition=models.Q(leased_until__isnull=True) | models.Q(state="due", due_at__isnull=False),
                name="effect_leased_is_due",
            ),
            models.UniqueConstraint(fields=["kind", "organization", "key"], name="effect_once"),
            one_of("effect_state_known", "state", ["due", "done", "failed", "uncertain", "cancelled"]),
            models.CheckConstraint(
                condition=models.Q(state="due") | models.Q(due_at__isnull=True),
                name="effect_only_due_has_due_time",
            ),
            models.CheckConstraint(
                condition=models.Q(end_reason="")
                | models.Q(
                    end_reason__in=["later_attempt", "already_there", "nothing_left"],
                    state="done",
                )
                | models.Q(end_reason__in=["erased", "not_wanted"], state="cancelled"),
                name="effect_end_reason_fits_state",
            ),
            models.CheckConstraint(
                condition=(models.Q(kind="send_email") & ~models.Q(email_topic=""))
                | models.Q(kind="send_alert")
                | (~models.Q(kind="send_email") & models.Q(email_topic="")),
                name="effect_email_has_topic",
            ),
        ]
        indexes = [
            index_of_set("effect_due", "organization", "priority", "due_at"),
            index_of_set("effect_longest_due", "due_at"),
            index_of_set("effect_leased", "organization", "leased_until"),
            models.Index(fields=["organization"], name="effect_failed", condition=models.Q(state="failed")),
            models.Index(fields=["organization", "-created_at"], name="effect_recent"),
            models.Index(fields=["-created_at"], name="effect_recent_of_all"),
            models.Index(
                fields=["organization", "email_topic", "-created_at"],
                name="effect_email",
                condition=models.Q(kind="send_email"),
            ),
            # the organization second, so that these serve operators too, who see all organizations
            models.Index(fields=["state", "organization", "kind"], name="effect_state"),
            models.Index(fields=["opportunity_id", "organization", "kind"], name="effect_candidate"),
            index_of_set("effect_delivery", "delivery"),
            index_of_set("effect_member", "member"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

    @property
    def shown_state(self) -> str:
        """The state as a person sees it: `leased` while a worker holds it."""
        if self.state == self.State.DUE and self.leased_until and self.leased_until > database.now():
            return "leased"
        return self.state

    @property
    def reason(self) -> str:
        """Why it waits or ended so, in a sentence; empty when there is nothing to say."""
        return self.last_error or str(self.get_end_reason_display())

    @property
    def waits_untried(self) -> bool:
        """Whether it waits, no worker holds it, and no attempt has begun whose outcome is unknown."""
        is_free = self.leased_until is None and self.attempt_started_at is None
        return self.state == self.State.DUE and is_free

    @property
    def wrote_nothing(self) -> bool:
        """Whether it ended without writing anything: it was cancelled, or done because nothing had to be written."""
        return self.state == self.State.CANCELLED or self.end_reason != ""

    @property
    def own_invitation(self) -> Invitation:
        """The invitation that it is about. Raises TypeError where it is about none."""
        if self.invitation is None:
            raise TypeError(f"{self} is about no invitation")
        return self.invitation

    @property
    def trying_since(self) -> datetime:
        return self.retry_window_started_at or self.created_at

    @classmethod
    def claim_next(cls, organization_id: int, opportunity_id: str, owner: str) -> Self | None:
        """Lease the candidate's next due effect to `owner`. Return None when there is none, or one is held."""
        statement = lease_most_urgent_statement(cls, LEASE, owner, 1, organization_id, opportunity_id)
        return next(iter(cls._leased(statement)), None)

    def mark_attempt_started(self, payload: Mapping[str, object] | None = None) -> bool:
        """Commit that a worker is about to act, and the new payload if given. Return False when the lease was lost."""
        self.attempt_started_at = database.now()
        changes: dict[str, object] = {"attempt_started_at": self.attempt_started_at}
        if payload is not None:
            self.payload = changes["payload"] = payload
        return self.change_fenced(**changes)

    def finish(
        self,
        state: str = State.DONE,
        error: str = "",
        written: Mapping[str, object] | None = None,
        end_reason: str = "",
    ) -> bool:
        """End it in `state`, and keep what was written to Lever if given. Return False when the lease was lost."""
        ended: dict[str, object] = {"done_at": Now() if state == self.State.DONE else None}
        if written is not None:
            ended["written"] = written
        if state == self.State.FAILED:
            ended["failed_at"] = Now()
        return self.release(state=state, due_at=None, last_error=error, end_reason=end_reason, **ended)
