"""The admin's first page: each count is that of the list it leads to, and each question's list opens."""

from django.urls import reverse
from pytest_django.asserts import assertContains

from integrations.admin.pages import QUESTIONS
from integrations.audit.models.entry import AuditEntry
from integrations.clients.models import ApiCall
from integrations.invitations.acts.invitations import invite_again
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
    approved, mapped, ruled, failed, looked, erased = (
        AuditEntry.objects.create(
            organization=acme.organization, actor_name="x", action=action, target_kind=kind, target="m"
        )
        for action, kind in (
            ("approve", "invitation"),
            ("change_mapping", "mapping"),
            ("change_policies", "organization"),
            ("fail_sign_in", "account"),
            ("look_at_data", "erasure"),
            ("erase", "erasure"),
        )
    )
    unanswered = ApiCall.objects.create(
        organization=acme.organization, platform="codescreen", method="POST", path="/x", duration_ms=9
    )
    client = sign_in(Membership.Role.ADMIN, acme)
    found = {question.text: rows_of(client, question) for question in QUESTIONS}
    assert found["Who authorized Lever, and when?"] == [acme.rows[LeverConnection]]
    assert found["Which calls to Lever or CodeScreen failed?"] == [unanswered]
    assert found["Who was not invited, and why?"] == [nobody]
    assert found["Who was invited again?"] == [again]
    assert found["Who was found only by comparing with Lever?"] == [swept]
    assert found["Who approved which invitation?"] == [approved]
    assert found["Who changed a mapping?"] == [mapped]
    assert found["Who changed the rules?"] == [ruled]
    assert found["Who signed in, and who failed to?"] == [failed]
    assert found["Who looked at or exported personal data?"] == [looked]
    assert found["Whose data was erased, and why?"] == [erased]


def test_record_of_a_later_round_says_who_asked_for_it_and_why(acme: Customer) -> None:
    first = factories.InvitationFactory.create(organization=acme.organization, status="withdrawn")
    second = invite_again(first, "Ada", "Was ill.")
    page = sign_in(Membership.Role.ADMIN, acme).get(
        reverse("admin:integrations_invitation_change", args=[second.pk])
    )
    assertContains(page, "sent the assessment again")
    assertContains(page, "Was ill.")


def test_who_sees_no_records_gets_no_questions(acme: Customer) -> None:
    page = sign_in(Membership.Role.LIMITED_TEAM_MEMBER, acme).get(reverse("admin:index"))
    assert "You may not see any records." in page.content.decode()
    assert "waiting" not in page.context
