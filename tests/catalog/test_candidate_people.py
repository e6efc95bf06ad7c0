"""Who is on a candidate in Lever is read with the opportunity, and stored where a member uses it."""

from unittest.mock import Mock

import pytest

from integrations.case import person
from integrations.case.person import (
    people_shown,
    read_missing_people,
    read_people,
    store_people,
    store_people_shown,
)
from integrations.clients import provider
from integrations.clients.models import ApiCall
from integrations.http.session import PlatformError
from integrations.invitations.models.candidate import OpportunityPerson, Relation
from integrations.lever.client import LeverClient
from integrations.lever.payloads import Opportunity
from integrations.members.acts.members import change_role, list_own_candidates
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.queue.worker import perform_duties
from portal.devtools.sandbox.values import stable_id
from tests.support import duty_runs, factories


def user(word: str) -> str:
    return stable_id("acme", "user", word)


@pytest.fixture
def people(sandbox):
    """Return a function that changes who is on a candidate in Lever."""

    def change(candidate: str = "Alder", hiring_manager: str | None = None, **people) -> None:
        opportunity = sandbox.candidate(candidate)
        sandbox.account.postings[opportunity.posting_id].hiring_manager = hiring_manager
        vars(opportunity).update(people)
        opportunity.mark_updated()

    return change


@pytest.fixture
def limited(connected_organization):
    person = factories.UserFactory.create(email="interviewer@acme.example")
    return Membership.objects.create(
        user=person,
        organization=connected_organization,
        role=Membership.Role.LIMITED_TEAM_MEMBER,
        address=person.email,
    )


def stored(organization) -> set[tuple[str, str]]:
    rows = OpportunityPerson.objects.filter(organization=organization)
    return set(rows.values_list("relation", "email"))


def read(organization, sandbox, candidate="Alder"):
    clients = provider.ClientProvider(organization)
    opportunity = clients.lever().opportunity(sandbox.opportunity_id(candidate))
    return opportunity, read_people(organization, opportunity, clients)


def paths(organization) -> list[str]:
    calls = ApiCall.objects.filter(organization=organization)
    return [call.path for call in calls for _ in range(1 + call.repeats)]


def test_nobody_is_read_or_stored_where_nobody_uses_it(connected_organization, sandbox, people):
    people(owner=user("admin"), followers=[user("interviewer")], interviewers=[user("former")])
    opportunity, found = read(connected_organization, sandbox)
    store_people(connected_organization, opportunity, found)
    store_people_shown(connected_organization, [opportunity])
    assert stored(connected_organization) == set()
    assert paths(connected_organization) == [f"/opportunities/{opportunity.id}"]


@pytest.mark.parametrize("how", ["becomes a Limited Team Member", "lists their own"])
def test_the_first_who_uses_it_has_it_read_of_all_known_candidates(
    connected_organization, sandbox, people, super_admin, how
):
    people(owner=user("admin"))
    opportunity_id = sandbox.opportunity_id("Alder")  # in no trigger stage
    for known in (opportunity_id, "gone-from-lever"):
        factories.CandidateFactory.create(organization=connected_organization, opportunity_id=known)
    colleague = factories.member(connected_organization, Membership.Role.TEAM_MEMBER, "limited")
    DutyRun.objects.update(due_at=None)
    if how == "lists their own":
        for _ in range(2):
            list_own_candidates(colleague.memberships.get(), colleague)
        assert factories.recorded().filter(action="list_own_candidates").count() == 1
    else:
        change_role(colleague.memberships.get(), Membership.Role.LIMITED_TEAM_MEMBER, super_admin)
    [run] = DutyRun.objects.filter(due_at__isnull=False)
    assert run.duty == Duty.SWEEP_FULLY
    perform_duties()
    assert ("owner", "admin@acme.example") in stored(connected_organization)


def test_it_is_read_in_turns(connected_organization, sandbox, people, limited, monkeypatch):
    monkeypatch.setattr(person, "READ_AT_ONCE", 1)
    ids = sorted(sandbox.opportunity_id(name) for name in ("Alder", "Birch"))
    for opportunity_id in ids:
        factories.CandidateFactory.create(organization=connected_organization, opportunity_id=opportunity_id)
    clients = provider.ClientProvider(connected_organization)
    turns = [read_missing_people(connected_organization, clients) for _ in range(3)]
    assert turns == [True, True, False]
    read_ids = [path.split("/")[2] for path in paths(connected_organization) if path.count("/") == 2]
    assert sorted(one for one in read_ids if one in ids) == ids  # each once


def test_who_interviews_is_read_once_of_a_candidate_whose_followers_are_stored(
    connected_organization, sandbox, people, limited
):
    people(followers=[user("former")], interviewers=[user("interviewer")])
    opportunity, _ = read(connected_organization, sandbox)
    factories.CandidateFactory.create(organization=connected_organization, opportunity_id=opportunity.id)
    store_people_shown(connected_organization, [opportunity])  # as a sweep does
    clients = provider.ClientProvider(connected_organization)
    read_missing_people(connected_organization, clients)
    assert ("interviewer", "interviewer@acme.example") in stored(connected_organization)
    calls = len(paths(connected_organization))
    read_missing_people(connected_organization, clients)
    assert len(paths(connected_organization)) == calls


def test_a_candidate_lever_refuses_is_read_once_and_those_after_it_too(
    connected_organization, sandbox, people, limited, monkeypatch
):
    people(owner=user("admin"))
    refused = "-not-an-id"
    ids: list[str] = []
    for known in (refused, sandbox.opportunity_id("Alder")):
        factories.CandidateFactory.create(organization=connected_organization, opportunity_id=known)
    opportunity = LeverClient.opportunity

    def refuse_one(client, opportunity_id):
        ids.append(opportunity_id)
        if opportunity_id == refused:
            raise PlatformError("Lever refused it", status=404, permanent=True)
        return opportunity(client, opportunity_id)

    monkeypatch.setattr(LeverClient, "opportunity", refuse_one)
    for _ in range(2):
        read_missing_people(connected_organization, provider.ClientProvider(connected_organization))
    assert sorted(ids) == sorted([refused, sandbox.opportunity_id("Alder")])
    assert ("owner", "admin@acme.example") in stored(connected_organization)


def test_who_is_on_candidates_goes_with_the_last_who_uses_it(connected_organization, limited):
    factories.on_candidate(connected_organization, "x", "a@acme.example")
    limited.delete()
    duty_runs.sweep_whole(connected_organization)
    assert stored(connected_organization) == set()


def test_who_hires_and_interviews_is_read_where_somebody_needs_it(
    connected_organization, sandbox, people, limited
):
    people(hiring_manager=user("admin"), interviewers=[user("interviewer"), user("former")])
    for _ in range(2):
        opportunity, found = read(connected_organization, sandbox)
    store_people(connected_organization, opportunity, found)
    assert stored(connected_organization) >= {
        ("hiring_manager", "admin@acme.example"),
        ("interviewer", "interviewer@acme.example"),
        ("interviewer", "former@acme.example"),
    }
    asked = [path.split("/")[1:] for path in paths(connected_organization)]
    assert asked.count(["users", user("admin")]) == 1  # kept for a day
    assert asked.count(["opportunities", opportunity.id, "interviews"]) == 2


def test_each_reading_replaces_what_it_read_and_nothing_else(
    connected_organization, sandbox, people, limited
):
    people(owner=user("admin"), followers=[user("former")], interviewers=[user("interviewer")])
    store_people(connected_organization, *read(connected_organization, sandbox))
    people(followers=[], owner=user("super-admin"))
    opportunity, _ = read(connected_organization, sandbox)
    store_people_shown(connected_organization, [opportunity])
    assert stored(connected_organization) == {
        ("owner", "super-admin@acme.example"),
        ("interviewer", "interviewer@acme.example"),
    }


def test_an_anonymized_persons_people_go(connected_organization, sandbox, people, limited):
    people(interviewers=[user("interviewer")])
    store_people(connected_organization, *read(connected_organization, sandbox))
    sandbox.lever_does("anonymize", opportunities=[sandbox.opportunity_id("Alder")])
    store_people(connected_organization, *read(connected_organization, sandbox))
    assert stored(connected_organization) == set()


def test_what_lever_does_not_show_stays_as_it_was(
    connected_organization, sandbox, people, limited, monkeypatch
):
    people(interviewers=[user("interviewer")])
    store_people(connected_organization, *read(connected_organization, sandbox))
    monkeypatch.setattr(LeverClient, "interviewers", Mock(side_effect=PlatformError("refused", status=403)))
    store_people(connected_organization, *read(connected_organization, sandbox))
    assert ("interviewer", "interviewer@acme.example") in stored(connected_organization)


@pytest.mark.parametrize(
    ("opportunity", "shown"),
    [
        ({"owner": "u", "followers": ["u"]}, {}),  # ids alone say nothing, and remove nothing
        ({"owner": None, "followers": []}, {"owner": [], "follower": []}),
        ({"followers": [{"email": one} for one in "ab"]}, {"owner": [], "follower": ["a", "b"]}),
        ({"owner": {"id": "u"}, "followers": [None, {"id": "v"}]}, {"follower": []}),
        ({"owner": {"id": "u", "email": "Ü@x.example"}}, {"owner": ["Ü@x.example"]}),
    ],
)
def test_only_what_was_expanded_counts(opportunity, shown):
    found = people_shown(Opportunity.from_api({"id": "x", **opportunity}))
    assert {relation.value: list(emails) for relation, emails in found.items()} == shown


def test_addresses_are_compared_in_small_letters_and_stored_once(organization):
    found = {Relation.FOLLOWER: [" A@x.example", "a@X.example", "", " "]}
    OpportunityPerson.objects.replace(organization, {"x": found, "": found})
    assert list(OpportunityPerson.objects.values_list("opportunity_id", "email")) == [("x", "a@x.example")]


def test_a_decision_and_a_sweep_store_who_is_on_the_candidate(scenario, sandbox, people):
    people(followers=[user("interviewer")])
    limited = factories.member(scenario.organization, Membership.Role.LIMITED_TEAM_MEMBER, "limited")
    Membership.objects.filter(user=limited).update(address=limited.email)
    scenario.enter()
    assert ("follower", "interviewer@acme.example") in stored(scenario.organization)
    people(followers=[user("former")])
    organization = Organization.objects.with_connections().get(pk=scenario.organization.pk)
    duty_runs.sweep_whole(organization)
    assert ("follower", "former@acme.example") in stored(scenario.organization)
    assert ("follower", "interviewer@acme.example") not in stored(scenario.organization)
