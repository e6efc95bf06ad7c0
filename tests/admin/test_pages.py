"""The admin's first page: each count is that of the list it leads to, and each question's list opens."""

from django.urls import reverse

from integrations.admin.pages import QUESTIONS
from integrations.audit.models.entry import AuditEntry
from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.members.models.membership import Membership
from tests.admin.conftest import Customer, sign_in
from tests.support import factories


def rows_of(client, question) -> list[object]:
    answer = client.get(question.address)
    assert answer.status_code == 200, question.text
    return list(answer.context["cl"].result_list)


def test_each_count_is_the_length_of_the_list_that_it_leads_to(acme: Customer, globex: Customer) -> None:
    own = sign_in(Membership.Role.TEAM_MEMBER, acme)
    waiting = own.get(reverse("admin:index")).context["waiting"]
    assert [count for _, count in waiting] == [1, 0, 0, 1, 1]
    assert [len(rows_of(own, question)) for question, _ in waiting] == [1, 0, 0, 1, 1]
    everything = sign_in(None, is_superuser=True).get(reverse("admin:index")).context["waiting"]
    assert [count for _, count in everything] == [2, 0, 0, 2, 2]


def test_each_question_leads_to_its_rows(acme: Customer) -> None:
    again = factories.InvitationFactory.create(organization=acme.organization, round=2)
    swept = factories.DeliveryFactory.create(organization=acme.organization, event="sweep")
    nobody = factories.CandidateFactory.create(organization=acme.organization, invitation=None)
    mapped = AuditEntry.objects.create(
        organization=acme.organization,
        actor_name="x",
        action="change_mapping",
        target_kind="mapping",
        target="m",
    )
    unanswered = ApiCall.objects.create(
        organization=acme.organization, platform="codescreen", method="POST", path="/x", duration_ms=9
    )
    client = sign_in(Membership.Role.ADMIN, acme)
    found = {question.model: rows_of(client, question) for question in QUESTIONS}
    assert found[LeverConnection] == [acme.rows[LeverConnection]]
    assert found[ApiCall] == [unanswered]
    assert (found[Candidate], found[Invitation], found[Delivery]) == ([nobody], [again], [swept])
    assert found[AuditEntry] == [mapped]


def test_who_sees_no_records_gets_no_questions(acme: Customer) -> None:
    page = sign_in(Membership.Role.LIMITED_TEAM_MEMBER, acme).get(reverse("admin:index"))
    assert "You may not see any records." in page.content.decode()
    assert "waiting" not in page.context
