"""A full disk: webhooks are answered 503, nothing is half-written, and work continues when there is room."""

import json
import time
import uuid
from contextlib import ExitStack, contextmanager, nullcontext

import pytest
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created
from django.urls import reverse

from integrations.codescreen.client import CodeScreenClient
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from portal.devtools.sandbox.values import stable_id
from tests.support import factories
from tests.support.effects import enqueue_invitation
from tests.support.factories import SIGNATURE_TOKEN, LeverWebhookFactory
from tests.support.payloads import load, sign

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite's size can be limited"),
]


DEFAULT_MAX_PAGES = 1_073_741_823


@contextmanager
def full_disk():
    """Stop the database from growing, and fill the pages that it has."""
    other_organization = factories.OrganizationFactory()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA page_count")
        (pages,) = cursor.fetchone()

    def limit(connection, **_):  # the limit is set per connection
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA max_page_count = {pages}")

    limit(connection)
    connection_created.connect(limit)
    try:
        fill_up(factories.EffectFactory, organization=other_organization, state="done")
        decided = {"verdict": "noted", "decided_at": factories.a_moment_ago()}
        fill_up(factories.DeliveryFactory, organization=other_organization, **decided)
        yield
    finally:
        connection_created.disconnect(limit)
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA max_page_count = {DEFAULT_MAX_PAGES}")


def fill_up(make, **values):
    """Create rows until there is no room for another."""
    for _ in range(1000):
        try:
            make(due_at=None, **values)
        except OperationalError as error:
            if "full" not in str(error):
                raise
            return
    pytest.fail("the disk isn't full")


def stage_change(word, sandbox):
    payload = load(
        "lever/candidate_stage_change",
        id=str(uuid.uuid4()),
        triggeredAt=int(time.time() * 1000),
        data={
            "opportunityId": sandbox.opportunity_id(word),
            "toStageId": sandbox.stage_id("CodeScreen Assessment"),
            "note": "x" * 5000,
        },
    )
    return json.dumps(sign(payload, SIGNATURE_TOKEN))


@pytest.fixture
def post(connected_organization, sandbox, client):
    """Return a function that moves a candidate and posts the signed webhook. It returns the answer."""
    LeverWebhookFactory(organization=connected_organization)
    endpoint = reverse("lever-webhook", args=[connected_organization.webhook_key])

    def send(word):
        sandbox.lever_does(
            "move", opportunities=[sandbox.opportunity_id(word)], stage="CodeScreen Assessment"
        )
        return client.post(endpoint, stage_change(word, sandbox), content_type="application/json")

    return send


def expire_leases():
    """Let the leases of a worker that has ended expire."""
    for model in (Delivery, Effect):
        model.objects.filter(leased_until__isnull=False).update(leased_until=factories.a_moment_ago())


def test_a_webhook_is_answered_503_and_accepted_later_when_there_is_room(connected_organization, post):
    with full_disk():
        answer = post("Alder")
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert not Delivery.objects.filter(organization=connected_organization).exists()
    assert post("Alder").status_code == 202
    assert Delivery.objects.filter(organization=connected_organization).count() == 1


def test_the_node_is_not_ready_while_the_disk_is_full(client, monkeypatch):
    for status, disk in ((503, full_disk), (200, nullcontext)):
        monkeypatch.setattr("integrations.health.checks.work._next_at", 0.0)
        with disk():
            assert client.get(reverse("ready")).status_code == status


def test_a_decision_is_written_completely_or_not_at_all(connected_organization, sandbox, post):
    assert post("Alder").status_code == 202
    with full_disk():
        with pytest.raises(OperationalError, match="full"):
            worker.work()
        delivery = Delivery.objects.get(organization=connected_organization)
        assert (delivery.verdict, delivery.due_at is not None) == ("", True)
        assert not Invitation.objects.exists()
        assert not Effect.objects.filter(organization=connected_organization, kind="send_invitation").exists()
    expire_leases()
    worker.work()
    assert Invitation.objects.get().status == "invited"
    assert sandbox.invitations_sent() == 1


def test_an_invitation_is_not_sent_twice_when_it_could_not_be_recorded(
    connected_organization, sandbox, monkeypatch
):
    monkeypatch.setattr("integrations.store.database.RETRY_SECONDS", 0.1)
    invitation = factories.InvitationFactory(
        organization=connected_organization,
        opportunity_id=sandbox.opportunity_id("Alder"),
        assessment_id=stable_id("acme", "assessment", "Backend"),
    )
    enqueue_invitation(invitation)
    send = CodeScreenClient.send
    with ExitStack() as disk, monkeypatch.context() as patched:

        def send_and_fill(*args, **options):
            answer = send(*args, **options)
            disk.enter_context(full_disk())
            return answer

        patched.setattr(CodeScreenClient, "send", send_and_fill)
        with pytest.raises(OperationalError, match="full"):
            worker.work()
        assert Invitation.objects.get().status == "sending"
        assert sandbox.invitations_sent() == 1
    expire_leases()
    worker.work()
    assert Invitation.objects.get().status == "uncertain"
    assert sandbox.invitations_sent() == 1
