"""The cache in Redis, its address and what somebody else has put in; and e-mails where there is no mail server."""

import pytest
import redis
from django.core.mail import EmailMessage

from portal.django_parts import JsonSerializer, RefusingEmailBackend


@pytest.mark.parametrize(
    "address", ["redis://127.0.0.1:6379/0", "rediss://127.0.0.1:6379/0", "unix:///run/redis.sock"]
)
def test_a_redis_at_any_address_knows_the_options_that_it_gets(settings, address):
    redis.ConnectionPool.from_url(address, **settings.REDIS_OPTIONS).make_connection()


def test_a_planted_value_that_nests_too_deep_is_no_entry():
    assert JsonSerializer().loads(b"[" * 200_000) is None


def test_a_message_is_refused_as_by_an_unreachable_server_and_not_printed(capfd):
    message = EmailMessage(
        "Subject", "https://portal.example/accounts/password/reset/key/2-a/", to=["a@b.example"]
    )
    with pytest.raises(OSError, match="Set EMAIL_URL"):
        RefusingEmailBackend(alias="default").send_messages([message])
    assert capfd.readouterr() == ("", "")
