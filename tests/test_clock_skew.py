"""A node whose clock is ten minutes off processes nothing early or twice, and takes no active lease."""

import itertools
import json
import re
import time
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from integrations.case import facts
from integrations.clients import provider
from integrations.clients.models import CircuitBreaker, RateLimitBucket
from integrations.codescreen.payloads import sign as sign_codescreen
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.kinds import invitation as step
from integrations.outbox.models.effect import Effect
from integrations.queue import notify
from integrations.queue.models.nodes import Heartbeat
from integrations.store import database
from tests.support import factories
from tests.support.calls import count_calls
from tests.support.effects import enqueue_invitation
from tests.support.payloads import load, sign
from tests.support.scenario import ASSESSMENT

SKEWS = [timedelta(minutes=-10), timedelta(minutes=10)]
MODELS = [(Delivery, factories.DeliveryFactory), (Effect, factories.EffectFactory)]
#: What people are shown, and their sessions: nothing is due, kept or taken by it.
SHOWN = ("integrations/pages/", "integrations/accounts/", "portal/templatetags/", "portal/accounts/")
#: Where else this machine's clock is asked, and why.
BY_OWN_CLOCK = {
    "integrations/health/checks/work.py",  # a session that has long been over
    "integrations/health/models.py",  # until when an ongoing incident is shown
    "integrations/http/session.py",  # Retry-After of an answer without a date
    "integrations/inbox/sweep.py",  # the hour, where Lever names no moment
    "integrations/outbox/kinds/feedback.py",  # the moment that Lever shows
}
_OWN_CLOCK = re.compile(r"\b(timezone|datetime)\.(now|utcnow|today)\b|\bdate\.today\b|\btime\.time\b")


@pytest.fixture(params=SKEWS, ids=["behind", "ahead"])
def skewed(request):
    """Shift this process's clock but not the database's. The value is the true time."""
    database.reset_clock()
    true_time = timezone.now()
    with time_machine.travel(true_time + request.param, tick=True):
        yield true_time
    database.reset_clock()


def seconds_until(moment):
    """Return the seconds until `moment` by the database's clock."""
    return (moment - database.now()).total_seconds()


def test_now_is_the_databases_time(db, skewed):
    assert abs((database.now() - skewed).total_seconds()) < 60
    assert abs((timezone.now() - skewed).total_seconds()) > 500


def test_now_queries_the_database_once_a_minute(db, django_assert_num_queries, monkeypatch):
    database.reset_clock()
    with django_assert_num_queries(1):
        moments = [database.now() for _ in range(3)]
    assert all(earlier <= later for earlier, later in itertools.pairwise(moments))
    monkeypatch.setattr(database, "QUERY_AGAIN_SECONDS", 0.0)
    with django_assert_num_queries(1):
        database.now()


def test_now_queries_the_database_again_when_the_machine_was_suspended(
    db, django_assert_num_queries, monkeypatch
):
    database.reset_clock()
    suspended_seconds = [0.0]
    clock_gettime = time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda kind: clock_gettime(kind) + suspended_seconds[0])
    database.now()
    suspended_seconds[0] = 7200.0  # CLOCK_MONOTONIC doesn't count suspended time
    with django_assert_num_queries(1):
        database.now()


@pytest.mark.slow
def test_now_keeps_no_reading_that_took_long(db, monkeypatch):
    database.reset_clock()
    monkeypatch.setattr(database, "PROMPT_SECONDS", 1.0)
    query, delays = database._query, [1.2, 0.0]

    def query_slowly():
        time.sleep(delays.pop(0))
        return query()

    monkeypatch.setattr(database, "_query", query_slowly)
    database.now()
    assert abs((database.now() - timezone.now()).total_seconds()) < 1
    assert delays == []


def test_nothing_but_what_people_are_shown_goes_by_this_machines_clock():
    paths = [path for room in ("integrations", "portal") for path in (settings.BASE_DIR / room).rglob("*.py")]
    modules = {str(path.relative_to(settings.BASE_DIR)): path.read_text() for path in paths}
    asked = {name for name, source in modules.items() if _OWN_CLOCK.search(source)}
    others = {name for name in asked if not name.startswith((*SHOWN, "portal/devtools/"))}
    assert others == BY_OWN_CLOCK, "use integrations.store.database.now(), which all nodes share"


@pytest.mark.parametrize(("model", "factory"), MODELS)
def test_only_due_rows_are_claimed(db, skewed, model, factory):
    organization = factories.OrganizationFactory()
    factory(organization=organization, due_at=skewed + timedelta(minutes=5))
    due = factory(organization=organization, due_at=skewed - timedelta(seconds=5))
    assert factories.claimed(model, "one").pk == due.pk
    assert model.claim("two") is None


@pytest.mark.parametrize(("model", "factory"), MODELS)
def test_an_active_lease_is_not_taken_and_has_its_usual_length(db, skewed, model, factory):
    factory(due_at=skewed - timedelta(seconds=5))
    held = factories.claimed(model, "one")
    assert 30 < seconds_until(held.leased_until) < 50
    assert model.claim("two") is None
    assert not model.objects.get().lease()
    assert held.renew()
    assert 30 < seconds_until(model.objects.get().leased_until) < 50


def test_the_bulk_limit_counts_the_last_minutes(organization, skewed):
    organization.bulk_limit, organization.bulk_window = 5, 10
    organization.save()
    for minutes in (1, 9, 11):
        row = factories.InvitationFactory(organization=organization)
        Invitation.objects.filter(pk=row.pk).update(created_at=skewed - timedelta(minutes=minutes))
    assert facts.others_invited(Delivery(organization=organization), organization.bulk_window) == 2


def test_an_opportunity_is_read_again_only_when_its_last_read_is_old(connected_organization, sandbox, skewed):
    sandbox.lever_does("move", opportunities=[sandbox.opportunity_id("Alder")], stage="CodeScreen Assessment")
    invitation = factories.InvitationFactory(
        organization=connected_organization,
        opportunity_id=sandbox.opportunity_id("Alder"),
        assessment_id=ASSESSMENT,
        stage_id=sandbox.stage_id("CodeScreen Assessment"),
    )
    enqueue_invitation(invitation)
    effect = factories.claimed(Effect, "me")
    clients = provider.ClientProvider(connected_organization)
    for age, is_read in (
        (step.READ_AGAIN_AFTER - timedelta(seconds=30), False),
        (step.READ_AGAIN_AFTER + timedelta(seconds=30), True),
    ):
        Invitation.objects.update(checked_at=skewed - age)
        invitation.refresh_from_db()
        before = count_calls()
        assert step.revalidate(effect, invitation, clients) is None
        assert (count_calls() > before) is is_read


def test_heartbeats_rate_limits_and_breakers_use_the_databases_clock(organization, skewed):
    Heartbeat.beat()
    assert Heartbeat.is_fresh(timedelta(seconds=5))
    factories.EffectFactory(organization=organization, due_at=skewed - timedelta(seconds=3))
    assert not notify.is_stalled(settings.NODE)
    assert 0 < notify.oldest_due_seconds() < 60
    assert RateLimitBucket.reserve("lever:1", 0.1, 1) == 0.0
    assert RateLimitBucket.reserve("lever:1", 0.1, 1) < 0.2
    CircuitBreaker.objects.create(organization=organization, platform="lever", failures=7)
    CircuitBreaker.objects.update(open_until=skewed + timedelta(minutes=5))
    assert CircuitBreaker.admit(organization, "lever") > 0
    CircuitBreaker.objects.update(open_until=skewed - timedelta(seconds=5))
    assert CircuitBreaker.admit(organization, "lever") == 0


def test_webhooks_are_accepted_by_the_databases_clock(client, organization, skewed):
    factories.LeverWebhookFactory(organization=organization)
    factories.CodeScreenConnectionFactory(organization=organization, webhook_secret=factories.WEBHOOK_SECRET)
    signed = sign(
        load("lever/candidate_stage_change", triggeredAt=int(skewed.timestamp() * 1000)),
        factories.SIGNATURE_TOKEN,
    )
    address = reverse("lever-webhook", args=[organization.webhook_key])
    assert client.post(address, signed, content_type="application/json").status_code == 202
    body, moment = json.dumps(load("codescreen/candidate_evaluated")).encode(), str(int(skewed.timestamp()))
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": moment,
        "webhook-signature": sign_codescreen("msg_1", moment, body, factories.WEBHOOK_SECRET),
    }
    address = reverse("codescreen-webhook", args=[organization.webhook_key])
    assert client.post(address, body, content_type="application/json", headers=headers).status_code == 202
