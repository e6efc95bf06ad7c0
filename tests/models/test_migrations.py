"""A release can be taken back: what the schema before it has no place for doesn't stand in the way."""

import pytest
from django.core.management import call_command
from django.db import connection

from integrations.models import Invitation, LeverWebhook
from integrations.workflow import signature_tokens
from tests import factories


@pytest.mark.django_db(transaction=True)
def test_an_organization_with_several_tokens_can_go_back_a_release() -> None:
    main = factories.LeverWebhookFactory.create()
    other = signature_tokens.add(main.organization, "Second webhook", "another-token", "test")
    retired = signature_tokens.add(main.organization, "Third webhook", "a-third-token", "test")
    signature_tokens.retire(retired, signature_tokens.CURRENT, "test")
    try:
        call_command("migrate", "integrations", "0001", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM integrations_leverwebhook")
            assert cursor.fetchall() == [(main.pk,)]
    finally:
        call_command("migrate", "integrations", verbosity=0)
    assert not LeverWebhook.objects.filter(pk__in=[other.pk, retired.pk]).exists()
    assert LeverWebhook.objects.get().signature_token == main.signature_token


@pytest.mark.django_db(transaction=True)
def test_whom_a_person_had_stopped_before_there_was_a_place_for_it_stays_stopped() -> None:
    reasons = ("Refused. Not this one.", "Not followed any more.", "The candidate left the stage.")
    rows = [
        factories.InvitationFactory.create(status="withdrawn", status_reason=reason, stopped_by_person=False)
        for reason in reasons
    ]
    try:
        call_command("migrate", "integrations", "0002", verbosity=0)
    finally:
        call_command("migrate", "integrations", verbosity=0)
    stopped = dict(Invitation.objects.values_list("pk", "stopped_by_person"))
    assert [stopped[row.pk] for row in rows] == [True, True, False]
