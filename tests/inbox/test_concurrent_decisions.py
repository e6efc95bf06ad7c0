"""Two people or workers decide the same thing at the same moment: the first one wins."""

from functools import partial

import pytest

from integrations.case import facts
from integrations.catalog.acts import MAPPINGS
from integrations.catalog.models import RoleMapping
from integrations.clients import provider
from integrations.core.vocabulary import ActionNotAllowed
from integrations.inbox import decide_delivery
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts import invitations
from integrations.invitations.acts.chosen import invite_candidate
from integrations.invitations.models.candidate import Candidate
from integrations.organizations.models.organization import Organization
from tests.support import factories
from tests.support.at_once import run_at_once, run_during_transaction
from tests.support.scenario import ASSESSMENT


@pytest.mark.django_db(transaction=True)
def test_only_one_of_two_concurrent_decisions_takes_the_last_place_of_the_bulk_limit(scenario, monkeypatch):
    Organization.objects.update(bulk_limit=1, default_assessment="Backend")
    for word in ("Hazel", "Tamarack"):
        scenario.move(word)
    clients = provider.ClientProvider(scenario.organization)
    deliveries = [factories.claimed(Delivery, f"worker {number}") for number in range(2)]
    gathered = {row.pk: facts.gather_facts(row, clients) for row in deliveries}
    monkeypatch.setattr(
        decide_delivery, "gather_facts", lambda row, *_, **__: gathered[row.pk]
    )  # so that they wait for each other alone
    assert (
        run_during_transaction(
            *(partial(decide_delivery.decide_delivery, row, clients) for row in deliveries)
        )
        == []
    )
    assert sorted(Delivery.objects.values_list("verdict", flat=True)) == ["held_for_approval", "invite"]


@pytest.mark.django_db(transaction=True)
def test_an_invitation_is_not_sent_again_while_a_decision_invites_the_person_elsewhere():
    failed = factories.InvitationFactory.create(status="failed")
    row = type(failed).objects.get(pk=failed.pk)

    def invite_elsewhere():
        Organization.objects.lock(failed.organization_id)
        factories.InvitationFactory.create(organization=failed.organization, email=failed.email)

    raised = run_during_transaction(invite_elsewhere, lambda: invitations.send_again(row, "another"))
    assert [type(error) for error in raised] == [ActionNotAllowed]
    failed.refresh_from_db()
    assert failed.status == "failed"


@pytest.fixture
def hazel(scenario, sandbox):
    """A candidate who got no assessment."""
    scenario.enter("Hazel")
    return Candidate.objects.get(delivery__verdict="no_assessment")


@pytest.mark.django_db(transaction=True)
def test_a_choice_and_webhooks_that_workers_decide_at_once_invite_once(hazel, scenario, sandbox, super_admin):
    scenario.set_policies(default_assessment="Backend")
    invite_candidate(hazel, super_admin, ASSESSMENT)
    for _ in range(3):
        scenario.deliver("Hazel")
    failed = run_at_once(scenario.work)
    scenario.work()
    assert failed == []
    assert sorted(Delivery.objects.values_list("verdict", flat=True)) == ["already_invited"] * 3 + ["invite"]
    assert sandbox.invitations_sent() == 1


def change_stage(mapping: RoleMapping, actor: str) -> None:
    mapping.stage = "CodeScreen Home"
    MAPPINGS.save(mapping, actor)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [MAPPINGS.remove, change_stage])
def test_a_mapping_by_which_somebody_is_being_decided_may_be_changed(organization, act):
    """PostgreSQL checks the foreign key at COMMIT: in another order the two would wait for each other."""
    mapping = RoleMapping.objects.create(organization=organization, role="Chef", assessment="Soup")
    delivery = factories.DeliveryFactory(organization=organization).lease()

    def decide():
        Organization.objects.lock(organization.pk)
        factories.InvitationFactory(organization=organization, mapping=mapping)
        assert delivery.decide("no_email", "There is no address.")

    row = RoleMapping.objects.get(pk=mapping.pk)
    assert run_during_transaction(decide, lambda: act(row, "one")) == []
    assert RoleMapping.objects.filter(stage="").count() == 0
