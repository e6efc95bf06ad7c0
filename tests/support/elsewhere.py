"""Another organization with rows about the same candidacies in Lever, in which everything has come out differently."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Model
from django.utils import timezone

from integrations.catalog.models import RoleMapping
from integrations.core.vocabulary import ErasureCause
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import MESSAGES
from integrations.privacy.models import Erasure
from tests.support import factories

MODELS: tuple[type[Model], ...] = (RoleMapping, Candidate, Delivery, Invitation, Result, Effect, Erasure)


class Elsewhere:
    """The other organization, and how its rows are to stay."""

    def __init__(self, opportunity_ids: Sequence[str]) -> None:
        self._organization = factories.OrganizationFactory(slug="elsewhere", passing_score=1)
        RoleMapping.objects.create(
            organization=self._organization, role="Backend Engineer", assessment="Frontend Developer"
        )
        for number, opportunity_id in enumerate(opportunity_ids):
            self._add_candidacy(number, opportunity_id)
        self._before = self._rows()

    def _add_candidacy(self, number: int, opportunity_id: str) -> None:
        own = {"organization": self._organization, "opportunity_id": opportunity_id}
        factories.CandidateFactory(**own, name="Candidate Elsewhere")
        factories.DeliveryFactory(
            **own,
            due_at=None,
            verdict="entered_before",
            explanation="They were there.",
            decided_at=timezone.now(),
        )
        invitation = factories.InvitationFactory(
            **own,
            candidate_name="Candidate Elsewhere",
            status="completed",
            instance_id=f"elsewhere-{number}",
            completed_at=timezone.now(),
        )
        Result.objects.create(invitation=invitation, attempt=1, outcome="Failed", score=3)
        for kind in set(Effect.Kind) - set(MESSAGES):
            factories.EffectFactory(
                **own,
                invitation=invitation,
                kind=kind,
                payload={},
                state="done",
                due_at=None,
                done_at=timezone.now(),
            )
        Erasure.objects.create(**own, cause=ErasureCause.FORGOTTEN)

    def changes(self) -> Iterator[str]:
        """Yield which of its tables differ from how they were."""
        yield from (
            f"{table} changed elsewhere"
            for table, rows in self._rows().items()
            if rows != self._before[table]
        )

    def _rows(self) -> dict[str, list[dict[str, Any]]]:
        return {
            model.__name__: list(
                model._default_manager.filter(organization=self._organization).order_by("pk").values()
            )
            for model in MODELS
        }
