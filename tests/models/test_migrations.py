"""A release can be taken back: what the schema before it has no place for doesn't stand in the way."""

import pytest
from django.core.management import call_command
from django.db import connection

from integrations.models import LeverWebhook
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
