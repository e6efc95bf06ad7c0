"""Digests: what happens to many candidates alike shares an e-mail."""

from datetime import timedelta

from django.utils import timezone

from integrations.notifications import notify as gathering
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.payload import EmailPayload, Notice
from integrations.outbox.models import Effect
from tests.notifications.outgoing import notify, send_all
from tests.support import factories


def test_many_uncertain_invitations_are_one_email(organization, super_admin, invitation):
    def notify_uncertain(key: str, line: str) -> None:
        notify(organization, EmailTopic.INVITATION_UNCERTAIN, key, lines=[line], invitation=invitation)

    for number in range(40):
        notify_uncertain(f"{number}:1", f"Line {number}.")
    notify_uncertain("3:1", "Line 3.")
    [message] = send_all()
    assert message.subject == "Several invitations were possibly sent"
    assert all(message.body.count(f"Line {number}.") == 1 for number in range(40))
    notify_uncertain("99:1", "Later.")
    assert len(send_all()) == 2


def test_an_email_that_a_worker_takes_meanwhile_is_not_about_the_invitation(
    organization, super_admin, invitation, monkeypatch
):
    topic = EmailTopic.INVITATION_FAILED
    notify(organization, topic, "1")
    with_appended = EmailPayload.with_appended

    def taken_meanwhile(payload: EmailPayload, notice: Notice) -> EmailPayload:
        Effect.objects.update(leased_until=timezone.now() + timedelta(minutes=1))
        return with_appended(payload, notice)

    monkeypatch.setattr(EmailPayload, "with_appended", taken_meanwhile)
    assert not gathering.append_to_waiting(organization, topic, Notice("Second", key="2"), invitation)
    assert not Effect.objects.get().also_about.exists()


def test_results_are_single_emails_until_there_are_many(organization, super_admin, invitation):
    for number in range(EmailTopic.RESULT.record.single_emails + 500):
        notify(
            organization,
            EmailTopic.RESULT,
            f"{number}:1:1",
            subject="Alder: Passed 80 (Backend)",
            lines=[f"Candidate {number}: Passed, score 80."],
            variables={"first_name": "Alder", "result": "Passed 80"},
            invitation=invitation,
        )
    messages = send_all()
    subjects = [message.subject for message in messages]
    assert subjects.count("Alder: Passed 80 (Backend)") == EmailTopic.RESULT.record.single_emails
    assert subjects.count("Several CodeScreen results") == 1
    assert len(subjects) == EmailTopic.RESULT.record.single_emails + 1
    digest = next(message for message in messages if message.subject == "Several CodeScreen results")
    assert f"Candidate {EmailTopic.RESULT.record.single_emails}: Passed, score 80." in digest.body
    assert f"Candidate {EmailTopic.RESULT.record.single_emails + 100}: Passed, score 80." in digest.body
    assert "more:\nhttp://testserver/activity/" in digest.body


def test_topics_and_organizations_have_digests_of_their_own(organization, super_admin, stranger):
    other = stranger.memberships.get().organization
    for number in range(2):
        for topic in (EmailTopic.INVITATION_FAILED, EmailTopic.INVITATION_UNCERTAIN):
            notify(organization, topic, str(number))
        notify(other, EmailTopic.INVITATION_FAILED, str(number))
    rows = Effect.objects.values_list("organization", "email_topic")
    assert sorted(rows) == sorted(
        [
            (organization.pk, "invitation_failed"),
            (organization.pk, "invitation_uncertain"),
            (other.pk, "invitation_failed"),
        ]
    )


def test_a_new_digest_waits_longer_soon_after_another(organization):
    topic = EmailTopic.INVITATION_FAILED
    assert gathering.gathering_time(organization, topic) == gathering.SHORTEST_WAIT
    earlier = timezone.now() - timedelta(minutes=10)
    factories.EffectFactory.create(
        organization=organization, kind="send_email", email_topic=topic, created_at=earlier
    )
    wait = gathering.gathering_time(organization, topic)
    assert timedelta(minutes=19) < wait <= timedelta(minutes=20)
    assert gathering.gathering_time(organization, EmailTopic.RESULT) == gathering.SHORTEST_WAIT
