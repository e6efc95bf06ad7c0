"""Everyone who entered a trigger stage, where they stand, and who is on them in Lever."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from typing import Any, Self

from django.db import connection, models
from django.db.models.functions import Now

from integrations.core import vocabulary
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership, folded
from integrations.organizations.models.organization import Organization
from integrations.store.columns import (
    UNTIL_ERASED,
    Holds,
    TextSearchIndex,
    about_candidate,
    about_user,
    harmless,
    index_of_set,
    moment,
    one_of,
)
from integrations.store.database import adapted
from integrations.store.triggers import KeepsUpdatedAt, updated_at_column


class CandidateQuerySet(models.QuerySet["Candidate"]):
    """Candidates by where they stand."""

    def not_invited(self) -> Self:
        """Candidates who got no assessment."""
        return self.filter(invitation__isnull=True)

    def with_standing(self) -> Self:
        """Read with each the invitation, and the delivery without its contents: they say where the candidate stands."""
        related = self.select_related("delivery", "invitation")
        return related.defer("delivery__payload", "delivery__traceback")

    def point_to(self, invitation: Invitation) -> None:
        """Let the candidate's row point to an invitation that a person made by hand."""
        self.update_or_create(
            organization_id=invitation.organization_id,
            opportunity_id=invitation.opportunity_id,
            defaults={"invitation": invitation, "assessment_name": invitation.assessment_name, "outcome": ""},
            create_defaults={
                "invitation": invitation,
                "name": invitation.candidate_name,
                "email": invitation.email,
                "role_id": invitation.role_id,
                "role_title": invitation.role_title,
                "stage_name": invitation.stage_name,
                "assessment_name": invitation.assessment_name,
                "entered_at": Now(),
            },
        )

    def record_outcome(self, invitation: Invitation, outcome: str) -> None:
        """Store what CodeScreen states of the invitation's latest attempt, where the row points to the invitation."""
        self.filter(invitation=invitation).update(outcome=outcome)


#: What stands where a name would, after an erasure and before the candidate is read.
ERASED_PERSON, NAME_NOT_READ = "Erased person", "Name not read yet"


def count_candidates(rows: models.QuerySet[Any, Any]) -> int:
    """Return how many candidates the rows are about, each counted once: rows with an `opportunity_id`; one query."""
    return rows.order_by().values("opportunity_id").distinct().count()


class Candidate(models.Model):
    """One opportunity in Lever that entered a trigger stage, by its latest entry.

    Why they were invited or not is said by the current verdict of `delivery`.
    """

    HOLDS = Holds(
        "everyone who entered a CodeScreen stage, invited or not; by the name they are found",
        UNTIL_ERASED,
        opportunity="opportunity_id",
    )

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="candidates", db_index=False
    )
    opportunity_id = harmless(models.CharField(max_length=200))
    name = about_candidate(
        "the name, as Lever has it",
        models.CharField(
            max_length=500, blank=True, help_text="As Lever has it; empty until the candidate was read."
        ),
    )
    email = about_candidate("the e-mail address", models.EmailField(max_length=320, blank=True))
    role_id = harmless(models.CharField(max_length=200, blank=True))
    role_title = harmless(models.CharField(max_length=300, blank=True))
    stage_name = harmless(models.CharField(max_length=300, blank=True))
    assessment_name = about_candidate(
        "the assessment as a tag on the candidate may name it",
        models.CharField(
            max_length=300,
            blank=True,
            help_text="As the mapping, tag or default names it; empty when nothing does.",
        ),
    )
    origin = harmless(
        models.CharField(
            max_length=20,
            choices=vocabulary.Origin.choices(),
            blank=True,
            help_text="How they came, as Lever says; empty where it says nothing that the portal knows.",
        )
    )
    stage_id = harmless(
        models.CharField(
            max_length=200,
            blank=True,
            default="",
            help_text="The stage that Lever last showed; empty until the candidate was read.",
        )
    )
    shown = about_candidate(
        "what else a decision needs of Lever, such as tags that begin with CodeScreen",
        models.JSONField(default=dict, blank=True, editable=False),
    )
    entered_at = models.DateTimeField(help_text="When the candidate entered the stage, the latest time.")
    delivery = models.ForeignKey(
        "integrations.Delivery",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="candidates",
        db_index=False,
        help_text="The delivery whose verdict says where the candidate stands.",
    )
    invitation = models.ForeignKey(
        "integrations.Invitation",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="candidates",
        db_index=False,
        help_text="The latest; empty when the candidate wasn't invited.",
    )
    outcome = models.CharField(
        max_length=20,
        choices=vocabulary.ResultOutcome.choices(),
        blank=True,
        default="",
        help_text="What CodeScreen states of the invitation's latest attempt; empty until it does, and while the "
        "assessment is open again.",
    )
    erased_at = moment("When the person's data was erased.")
    updated_at = updated_at_column()
    people_read_at = moment("When a full sweep read who is on them in Lever.", editable=False)

    objects = CandidateQuerySet.as_manager()

    class Meta:
        ordering = ["-entered_at", "-pk"]
        constraints = [
            # the opportunity first, so that the index serves operators too, who search in all organizations
            models.UniqueConstraint(fields=["opportunity_id", "organization"], name="candidate_once"),
            models.CheckConstraint(condition=~models.Q(opportunity_id=""), name="candidate_has_opportunity"),
            one_of("candidate_outcome_known", "outcome", ["", *vocabulary.ResultOutcome]),
            KeepsUpdatedAt(
                name="candidate_updated_at",
                fields=[
                    "role_title",
                    "stage_name",
                    "assessment_name",
                    "entered_at",
                    "delivery",
                    "invitation",
                    "outcome",
                    "erased_at",
                ],
            ),
        ]
        # each decision stores such a row; times ascend, so new rows fill the last page of an index
        indexes = [
            models.Index(fields=["organization", "entered_at"], name="candidate_recent"),
            models.Index(fields=["organization", "id", "updated_at"], name="candidate_updated"),
            models.Index(fields=["entered_at"], name="candidate_recent_of_all"),
            models.Index(fields=["role_id", "organization", "entered_at"], name="candidate_role"),
            models.Index(
                fields=["assessment_name", "organization", "entered_at"], name="candidate_assessment"
            ),
            models.Index(
                fields=["organization", "entered_at"],
                name="candidate_not_invited",
                condition=models.Q(invitation__isnull=True),
            ),
            models.Index(
                fields=["outcome", "organization", "entered_at"],
                name="candidate_outcome",
                condition=~models.Q(outcome=""),
            ),
            index_of_set("candidate_invitation", "invitation"),
            index_of_set("candidate_delivery", "delivery"),
            TextSearchIndex(fields=["name", "email", "role_title", "assessment_name"], name="candidate_text"),
        ]

    def __str__(self) -> str:
        return self.name or self.opportunity_id

    @property
    def called(self) -> str:
        """The name, or why there is none, for people."""
        return self.name or (ERASED_PERSON if self.erased_at else NAME_NOT_READ)


@dataclass(frozen=True)
class ShownPerson:
    """Who a candidate is, as Lever showed them now."""

    name: str
    email: str
    role_id: str
    role_title: str
    origin: str
    stage_id: str = ""
    shown: dict[str, Any] = field(default_factory=dict)


_DECIDED = (
    "organization_id",
    "opportunity_id",
    "stage_name",
    "assessment_name",
    "entered_at",
    "delivery_id",
    "invitation_id",
    "outcome",
)
#: What stays as it is where the person wasn't shown now.
_SHOWN = tuple(one.name for one in fields(ShownPerson))
_COLUMNS = (*_DECIDED, *_SHOWN)
_UPSERT = """
INSERT INTO {table} ({columns}) VALUES ({values})
ON CONFLICT (opportunity_id, organization_id) DO UPDATE SET
    stage_name = EXCLUDED.stage_name,
    assessment_name = CASE
        WHEN EXCLUDED.invitation_id IS NULL AND {table}.invitation_id IS NOT NULL THEN {table}.assessment_name
        ELSE EXCLUDED.assessment_name END,
    entered_at = EXCLUDED.entered_at,
    delivery_id = EXCLUDED.delivery_id,
    invitation_id = COALESCE(EXCLUDED.invitation_id, {table}.invitation_id),
    outcome = CASE
        WHEN EXCLUDED.invitation_id IS NULL OR EXCLUDED.invitation_id = {table}.invitation_id THEN {table}.outcome
        ELSE EXCLUDED.outcome END{shown}
WHERE {table}.delivery_id IS NULL
    OR {table}.delivery_id = EXCLUDED.delivery_id
    OR {table}.entered_at <= EXCLUDED.entered_at
    OR ({table}.invitation_id IS NULL AND EXCLUDED.invitation_id IS NOT NULL)
"""


def store_candidate(candidate: Candidate, person: ShownPerson | None) -> None:
    """Store where an unsaved candidate stands after a decision; an entry older than the stored one changes nothing.

    An entry that leads to no invitation leaves the one before, with its assessment and outcome. The outcome is stored
    where the row pointed to another invitation. Without a `person`, who they are stays as it was. Texts are cut to what
    their columns hold. Safe to run twice.
    """
    who = asdict(person or ShownPerson("", "", "", "", ""))
    values = {name: getattr(candidate, name) for name in _DECIDED} | who
    values["shown"] = Candidate._meta.get_field("shown").get_db_prep_save(values["shown"], connection)
    with connection.cursor() as cursor:
        cursor.execute(
            _statement(connection.vendor, person is not None),
            [adapted(_cut(name, values[name])) for name in _COLUMNS],
        )


def _cut(name: str, value: Any) -> Any:
    longest = getattr(Candidate._meta.get_field(name), "max_length", None)
    return value[:longest] if isinstance(value, str) else value


@lru_cache
def _statement(_vendor: str, is_shown: bool) -> str:
    """Return the SQL; where the person `is_shown`, it says who they are too."""
    quote = connection.ops.quote_name
    shown = "".join(f",\n    {name} = EXCLUDED.{name}" for name in _SHOWN)
    return _UPSERT.format(
        table=quote(Candidate._meta.db_table),
        columns=", ".join(map(quote, _COLUMNS)),
        values=", ".join(["%s"] * len(_COLUMNS)),
        shown=f"{shown},\n    erased_at = NULL" if is_shown else "",
    )


# Who is on a candidate in Lever: a Limited Team Member sees the candidates they are on, and no others. Other members
# may list theirs, and get e-mails about them alone.


BATCH = 500


class Relation(models.TextChoices):
    """What somebody is to a candidate in Lever."""

    OWNER = "owner", "Owner"
    FOLLOWER = "follower", "Follower"
    HIRING_MANAGER = "hiring_manager", "Hiring manager"
    INTERVIEWER = "interviewer", "Interviewer"


#: The addresses of the people on one candidate, by relation. A relation that wasn't read is left out.
type People = Mapping[Relation, Iterable[str]]


class OpportunityPersonQuerySet(models.QuerySet["OpportunityPerson"]):
    """People on candidates."""

    def of_member(self, member: Membership) -> Self:
        """Return the rows of the candidates that the member is on."""
        if not member.lever_address:
            return self.none()
        return self.filter(organization=member.organization_id, email=member.lever_address)

    def replace(self, organization: Organization, read: Mapping[str, People]) -> None:
        """Make the rows equal to what was read of each opportunity; relations that weren't read stay as they are."""
        ids = [opportunity_id for opportunity_id, people in read.items() if opportunity_id and people]
        wanted = {
            (opportunity_id, folded(email)[:254], relation)
            for opportunity_id in ids
            for relation, emails in read[opportunity_id].items()
            for email in emails
            if email.strip()
        }
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            stored = self.filter(organization=organization, opportunity_id__in=batch).order_by()
            known = {
                (one, email, Relation(relation)): pk
                for one, email, relation, pk in stored.values_list(
                    "opportunity_id", "email", "relation", "pk"
                )
            }
            gone = [pk for key, pk in known.items() if key not in wanted and key[2] in read[key[0]]]
            new = sorted(key for key in wanted - known.keys() if key[0] in set(batch))
            if gone:
                self.filter(pk__in=gone).delete()
            rows = [
                self.model(organization=organization, opportunity_id=one, email=email, relation=relation)
                for one, email, relation in new
            ]
            self.bulk_create(
                rows, ignore_conflicts=True, batch_size=BATCH
            )  # another process may store them too


class OpportunityPerson(models.Model):
    """One person on one candidate in Lever, by e-mail address, as Lever last showed it."""

    HOLDS = Holds(
        "who is on which candidate in Lever, where a member uses that",
        "until Lever shows otherwise, the candidate is erased, or no member uses it any more",
    )

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="opportunity_people"
    )
    opportunity_id = harmless(models.CharField(max_length=200))
    email = about_user("the person's address in Lever", models.EmailField(help_text="In small letters."))
    relation = models.CharField(max_length=20, choices=Relation)

    objects = OpportunityPersonQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "opportunity people"
        ordering = ["opportunity_id", "organization", "email"]
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity_id", "organization", "email", "relation"], name="opportunity_person_once"
            ),
            models.CheckConstraint(condition=~models.Q(email=""), name="opportunity_person_has_address"),
        ]
        indexes = [models.Index(fields=["email", "organization"], name="opportunity_person_email")]

    def __str__(self) -> str:
        return f"{self.get_relation_display()} of {self.opportunity_id}"
