"""Who is on a candidate in Lever: a Limited Team Member sees the candidates they are on, and no others."""

from collections.abc import Iterable, Mapping
from typing import Self

from django.db import models

from integrations.models.membership import Membership
from integrations.models.organization import Organization
from integrations.models.pending_membership import folded

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

    def seen_by(self, member: Membership) -> Self:
        """Return the rows of the candidates whom the member is on.

        The member is known by the address at which they accepted, or which the operator states, while it is still that
        of their account.
        """
        if not member.address or member.address != folded(member.user.email):
            return self.none()
        return self.filter(organization=member.organization_id, email=member.address)

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

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="opportunity_people"
    )
    opportunity_id = models.CharField(max_length=200)
    email = models.EmailField(help_text="In small letters.")
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
