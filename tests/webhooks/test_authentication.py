"""Who may send webhooks, and to which address: remembered for a moment, and asked anew before anything is refused."""

from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone
from rest_framework.exceptions import NotFound

from integrations.codescreen.models import CodeScreenConnection
from integrations.inbox.models.delivery import Delivery
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.acts import replace_webhook_key
from integrations.organizations.models.organization import Organization
from integrations.webhooks import authentication
from integrations.webhooks.authentication import REMEMBER_SECONDS, find_addressee
from tests.support.factories import SIGNATURE_TOKEN, LeverWebhookFactory
from tests.support.payloads import post_stage_change


@pytest.fixture
def webhook(organization):
    return LeverWebhookFactory(organization=organization)


@pytest.fixture
def clock():
    with mock.patch("integrations.webhooks.authentication.time.monotonic", return_value=1000.0) as monotonic:
        yield monotonic


def without_signals(rows, **columns) -> None:
    """Change rows as another process does."""
    rows.update(**columns)


def test_an_addressee_is_read_once_in_a_while(organization, webhook, clock, django_assert_num_queries):
    find_addressee(organization.webhook_key)
    with django_assert_num_queries(0):
        clock.return_value += REMEMBER_SECONDS / 2
        assert find_addressee(organization.webhook_key).lever_webhooks == (webhook,)
    without_signals(LeverWebhook.objects, retired_at=timezone.now())
    clock.return_value += REMEMBER_SECONDS / 2
    assert find_addressee(organization.webhook_key).lever_webhooks == ()


def test_an_unknown_key_is_not_remembered(organization):
    with pytest.raises(NotFound):
        find_addressee("its-new-key")
    without_signals(Organization.objects, webhook_key="its-new-key")
    assert find_addressee("its-new-key").organization == organization


def test_what_one_process_removes_is_no_longer_known_to_it(organization, webhook):
    CodeScreenConnection.objects.create(organization=organization, webhook_secret="whsec_x")
    key = organization.webhook_key
    assert find_addressee(key).lever_webhooks == (webhook,)
    webhook.retire()
    assert find_addressee(key).lever_webhooks == ()
    CodeScreenConnection.objects.get().delete()
    assert find_addressee(key).codescreen is None
    organization.webhook_key = "another"
    organization.save()
    with pytest.raises(NotFound):
        find_addressee(key)


def test_a_new_token_counts_at_once_although_the_old_ones_are_remembered(client, organization, webhook):
    address = organization.lever_webhook_url
    assert post_stage_change(client, address, SIGNATURE_TOKEN).status_code == 202
    with mock.patch.object(authentication.memory, "forget"):  # as in another process
        webhook.replace_token("another" * 6)
    assert post_stage_change(client, address, "another" * 6).status_code == 202


def test_a_token_that_another_process_removed_counts_for_a_moment_and_a_forged_one_never(
    client, organization, webhook
):
    address = organization.lever_webhook_url
    assert post_stage_change(client, address, SIGNATURE_TOKEN).status_code == 202
    without_signals(LeverWebhook.objects, retired_at=timezone.now())
    assert post_stage_change(client, address, SIGNATURE_TOKEN).status_code == 202
    assert post_stage_change(client, address, "forged" * 8).status_code == 401
    assert (
        post_stage_change(client, address, SIGNATURE_TOKEN).status_code == 401
    )  # the forged one made it ask anew


def test_the_memory_is_bounded(organization, monkeypatch):
    monkeypatch.setattr(authentication, "MOST_REMEMBERED", 2)
    memory = authentication._Memory()
    for key in "abc":
        memory.put(key, authentication.Addressee(organization), memory.forgotten)
    assert [memory.get(key) is None for key in "abc"] == [True, True, False]


def test_what_changed_while_it_was_read_is_not_remembered(organization, webhook):
    authentication.memory.forget()
    former = authentication.memory.forgotten
    read = find_addressee(organization.webhook_key)
    authentication.memory.forget()
    authentication.memory.put(organization.webhook_key, read, former)
    assert authentication.memory.get(organization.webhook_key) is None


# webhooks to a former address: taken while it is honoured, and never without a signature


@pytest.fixture
def former(organization, super_admin):
    """The former address; the organization has a new one."""
    LeverWebhookFactory(organization=organization)
    address = organization.lever_webhook_url
    replace_webhook_key(organization, super_admin)
    return address


def test_a_webhook_to_the_former_address_is_stored_once_with_its_repeat_at_the_new_one(
    client, organization, former
):
    statuses = [
        post_stage_change(client, address, SIGNATURE_TOKEN, id="event-1").status_code
        for address in (former, organization.lever_webhook_url)
    ]
    assert statuses == [202, 200]
    assert Delivery.objects.get().organization == organization


def test_an_ended_address_is_not_found(client, organization, former):
    Organization.objects.update(previous_webhook_key_until=timezone.now() - timedelta(seconds=1))
    for address, status in ((former, 404), (organization.lever_webhook_url, 202)):
        assert post_stage_change(client, address, SIGNATURE_TOKEN).status_code == status
