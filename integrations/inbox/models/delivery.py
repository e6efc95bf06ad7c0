"""The inbox: verified webhooks, each stored once and unchanged, with their current verdicts."""

from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Self

from django.db import connection, models, transaction
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils.text import capfirst

from integrations.core import verdict_code, vocabulary
from integrations.core.vocabulary import FINAL_ERASURES, Platform
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.privacy.models import Erasure
from integrations.store import database
from integrations.store.columns import (
    UNTIL_ERASED,
    Holds,
    about_candidate,
    harmless,
    index_of_set,
    moment,
    one_of,
)
from integrations.store.leasing import Leasable, LeasableQuerySet

#: Deliveries that are decided again when the connection is back or the organization is no longer paused.
WAITING = models.Q(verdict__in=verdict_code.WAITING_VERDICTS)
#: Deliveries that the portal gave up deciding.
STUCK = models.Q(due_at__isnull=True, verdict="")


class DeliveryQuerySet(LeasableQuerySet["Delivery"]):
    """Deliveries by verdict."""

    def waiting(self) -> Self:
        return self.filter(WAITING)

    def stranded(self) -> Self:
        """Waiting deliveries that no worker is going to claim: nothing has made them due again."""
        return self.waiting().filter(due_at__isnull=True)

    def offered(self) -> Self:
        """Deliveries of candidates who may be invited already, by what no row tells of: a person may invite them."""
        return self.filter(verdict=verdict_code.VerdictCode.ENTERED_BEFORE)

    def undecided_since(self, moment: datetime | Combinable) -> Self:
        """Deliveries that were received before that time and have no verdict, or that can't be decided again since."""
        waits = models.Q(verdict="", received_at__lt=moment) | models.Q(failing_since__lt=moment)
        return self.scheduled().filter(waits)

    def requeue(self, organization: Organization) -> int:
        """Make the organization's waiting deliveries due. Return how many."""
        return self.stranded().filter(organization=organization).update(due_at=Now(), attempts=0)

    def decide_again(self, **changes: object) -> int:
        """Make those due that are at rest, with these changes: decided, and held by nobody now. Return how many."""
        at_rest = self.unheld().filter(due_at__isnull=True)
        return at_rest.update(due_at=Now(), attempts=0, leased_until=None, lease_owner="", **changes)


class Delivery(Leasable):
    """One verified inbound webhook, or one thing the sweep found."""

    HOLDS = Holds(
        "messages from Lever and CodeScreen, and what was decided about each",
        UNTIL_ERASED,
        opportunity="opportunity_id",
    )

    Platform = vocabulary.Platform
    VerdictCode = verdict_code.VerdictCode

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    platform = models.CharField(max_length=20, choices=vocabulary.Platform.choices())
    event = harmless(models.CharField(max_length=100))
    dedupe_key = harmless(
        models.CharField(max_length=300, help_text="Equal for repeats of the same delivery.")
    )
    opportunity_id = harmless(models.CharField(max_length=200, blank=True))
    payload = about_candidate("the text of the message; ids and times in it stay", models.JSONField())
    received_at = models.DateTimeField(db_default=Now())
    chosen_at = moment("When a person chose to invite this candidate, who had got no assessment.")
    chosen_assessment = harmless(
        models.CharField(
            max_length=200,
            blank=True,
            help_text="CodeScreen's id of the assessment that the person chose; empty where the rules name it.",
        )
    )
    not_shown_reads = models.SmallIntegerField(
        default=0,
        editable=False,
        help_text="How often in a row Lever didn't show the candidate or their role while this was being decided.",
    )
    late_reads = models.SmallIntegerField(
        default=0,
        editable=False,
        help_text="How often in a row Lever showed the stage from before this move while it was being decided.",
    )
    listed_at = moment(
        "When a full sweep last found the offered candidate in a CodeScreen stage.", editable=False
    )
    failing_since = moment(
        "Since when every try to decide it has failed; empty while none has.", editable=False
    )
    repeats = models.IntegerField(default=0, help_text="How often the platform sent it again.")
    verdict = models.CharField(max_length=40, choices=verdict_code.VerdictCode.choices(), blank=True)
    explanation = about_candidate(
        "why the candidate was invited or not, which may quote a tag", models.TextField(blank=True)
    )
    assessment_source = models.CharField(
        max_length=30,
        choices=vocabulary.AssessmentSource.choices(),
        blank=True,
        help_text="What named the assessment; empty when nothing did or it didn't come to that.",
    )
    assessment_written = about_candidate(
        "the assessment as a tag on the candidate names it",
        models.TextField(
            blank=True, help_text="The name or id of the assessment as the mapping, tag or default has it."
        ),
    )
    decided_at = moment()
    invitation = models.ForeignKey(
        "integrations.Invitation",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="deliveries",
        db_index=False,
    )

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "platform", "dedupe_key"], name="delivery_once"),
            one_of("delivery_platform", "platform", vocabulary.Platform),
            models.CheckConstraint(
                condition=models.Q(verdict="", decided_at__isnull=True)
                | (~models.Q(verdict="") & models.Q(decided_at__isnull=False)),
                name="delivery_verdict_has_time",
            ),
        ]
        # A webhook waits for its insert, and each index makes that dearer, also a partial one that the row isn't in.
        # Times ascend, although the newest are shown first: so new rows fill the last page, and don't split the first.
        indexes = [
            index_of_set("delivery_due", "organization", "due_at"),
            index_of_set("delivery_longest_due", "due_at"),
            index_of_set("delivery_leased", "organization", "leased_until"),
            models.Index(
                fields=["organization", "received_at"],
                name="delivery_of_sweep",
                condition=models.Q(event=vocabulary.DeliveryEvent.SWEEP.value),
            ),
            models.Index(fields=["organization", "received_at"], name="delivery_recent"),
            # for operators, who see the deliveries of all organizations
            models.Index(fields=["received_at"], name="delivery_recent_of_all"),
            # the organization second, so that these serve operators too
            models.Index(fields=["opportunity_id", "organization"], name="delivery_opportunity"),
            index_of_set("delivery_decided", "organization", "decided_at"),
            # also for what is offered or waits
            models.Index(fields=["verdict", "organization", "received_at"], name="delivery_verdict"),
            # for the doctor, also while very many wait to be decided
            models.Index(fields=["organization"], name="delivery_stuck", condition=STUCK),
            index_of_set("delivery_invitation", "invitation"),
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.event} #{self.pk}"

    @property
    def what(self) -> str:
        """What came, in a word or two; what the portal doesn't know by the platform's own name."""
        if self.verdict == verdict_code.VerdictCode.TEST_REQUEST:
            return str(self.get_verdict_display())
        own = self.event.removeprefix("candidate").removeprefix(".")
        return vocabulary.EVENT_NAMES.get(self.event) or capfirst(own)

    @property
    def is_stuck(self) -> bool:
        """Whether it is STUCK: claims crashed MAX_CONSECUTIVE_CRASHES times in a row."""
        return self.due_at is None and not self.verdict

    def decide(
        self,
        verdict: verdict_code.VerdictCode,
        explanation: str,
        invitation: Invitation | None = None,
        *,
        assessment_source: vocabulary.AssessmentSource | None = None,
        assessment_written: str = "",
        cause: vocabulary.VerdictCause | None = None,
    ) -> bool:
        """Record the verdict and end the lease. Return False when another worker holds the lease by now.

        The only place that writes verdicts: the current one into this row, and each into a Verdict row that stays.
        `cause` is derived from the verdict before when it isn't given.
        """
        decided_at = database.now()
        columns: dict[str, Any] = {
            "explanation": explanation,
            "assessment_source": assessment_source or "",
            "assessment_written": assessment_written,
            "invitation": invitation,
            "decided_at": decided_at,
        }
        with transaction.atomic(savepoint=False):
            if not self.release(
                verdict=verdict,
                due_at=None,
                last_error="",
                traceback="",
                not_shown_reads=0,
                late_reads=0,
                failing_since=None,
                **columns,
            ):
                return False
            if self.verdict:
                Verdict.objects.filter(delivery=self).supersede()
            Verdict.objects.create(
                organization_id=self.organization_id,
                delivery=self,
                code=verdict,
                cause=cause or self._cause(),
                **columns,
            )
        return True

    @property
    def record(self) -> verdict_code.VerdictRecord | None:
        return verdict_code.VerdictCode(self.verdict).record if self.verdict else None

    def _cause(self) -> vocabulary.VerdictCause:
        """Return why a worker decides this row, by the verdict that it was claimed with."""
        if self.verdict in verdict_code.WAITING_VERDICTS:
            return vocabulary.VerdictCause.RESUMED
        if self.chosen_at and self.decided_at and self.chosen_at > self.decided_at:
            return vocabulary.VerdictCause.CHOSEN
        if self.verdict:
            return vocabulary.VerdictCause.READ_AGAIN
        if self.event == vocabulary.DeliveryEvent.SWEEP:
            return vocabulary.VerdictCause.SWEEP
        return vocabulary.VerdictCause.FIRST


# The one statement that stores a webhook, unless it was stored before or its candidate was erased.


#: What is kept of a delivery's body, for the timeline, the sweep and a replay: ids and times.
_KEPT_OUTSIDE = ("id", "event", "type", "triggeredAt", "timestamp")
_KEPT_IN_DATA = (
    "opportunityId",
    "candidateId",
    "contactId",
    "toStageId",
    "fromStageId",
    "assessmentInstanceId",
)
#: The columns that the caller states; the others get their defaults.
_STATED = ("organization_id", "platform", "event", "dedupe_key", "opportunity_id", "payload")
_INSERT = """
INSERT INTO {table} ({columns})
SELECT {values} WHERE NOT EXISTS (
    SELECT 1 FROM {erasures} WHERE organization_id = %s AND opportunity_id = %s AND cause IN ({causes})
)
ON CONFLICT (organization_id, platform, dedupe_key) DO UPDATE SET repeats = {table}.repeats + 1
RETURNING id, repeats
"""


def kept_of_payload(payload: object) -> dict[str, object]:
    """Return what stays of a delivery's body: what happened, when, and ids."""
    if not isinstance(payload, dict):
        return {}
    outer = {name: payload[name] for name in _KEPT_OUTSIDE if _is_scalar(payload.get(name))}
    data = payload.get("data")
    if not isinstance(data, dict) or not data:
        return outer
    return {**outer, "data": {name: data[name] for name in _KEPT_IN_DATA if _is_scalar(data.get(name))}}


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, int, float)) and "@" not in str(value)


class Stored(NamedTuple):
    """The row of a webhook, and whether it is new; else it was there already, and the repeat is counted."""

    pk: int
    is_new: bool


def insert_once(
    organization_id: int,
    platform: Platform,
    *,
    event: str,
    dedupe_key: str,
    opportunity_id: str,
    payload: dict[str, object],
    is_impersonal: bool = False,
) -> Stored | None:
    """Store a delivery, or count the repeat of one. Safe to run twice, except that it counts once more.

    Return None, and store nothing, of somebody whose data was erased, unless the payload `is_impersonal`. Raises
    IntegrityError when the organization is gone.
    """
    body = Delivery._meta.get_field("payload").get_db_prep_save(payload, connection)
    stated = (organization_id, platform.value, event, dedupe_key, opportunity_id, body)
    # no receipt is for an empty id
    erased = (organization_id, "" if is_impersonal else opportunity_id)
    with database.kept_plans(), connection.cursor() as cursor:
        cursor.execute(_statement(connection.vendor), (*stated, *erased))
        row = cursor.fetchone()
    return Stored(row[0], is_new=not row[1]) if row else None


@lru_cache
def _statement(_vendor: str) -> str:
    """Return the SQL, with the defaults of the columns that aren't stated."""
    defaults = {
        field.attname: _literal(field.get_default())
        for field in Delivery._meta.local_concrete_fields
        if field.attname not in _STATED and not field.has_db_default()
        if field.get_default() is not None
    }
    quote = connection.ops.quote_name
    return _INSERT.format(
        table=quote(Delivery._meta.db_table),
        erasures=quote(Erasure._meta.db_table),
        columns=", ".join(map(quote, (*_STATED, *defaults))),
        values=", ".join((*["%s"] * len(_STATED), *defaults.values())),
        causes=", ".join(sorted(f"'{cause.value}'" for cause in FINAL_ERASURES)),
    )


def _literal(default: object) -> str:
    """Return a default in SQL: a whole number, or the empty text."""
    return "''" if default == "" else str(int(str(default)))
