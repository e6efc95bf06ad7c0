"""The cache in Redis, its address and what somebody else has put in; and e-mails where there is no mail server."""

import pickle

import pytest
import redis
from django.contrib import admin
from django.core.mail import EmailMessage

from portal.django_parts import JsonSerializer, RefusingEmailBackend
from portal.settings import CACHES, Q_CLUSTER


@pytest.mark.parametrize(
    "address", ["redis://127.0.0.1:6379/0", "rediss://127.0.0.1:6379/0", "unix:///run/redis.sock"]
)
def test_a_redis_at_any_address_knows_the_options_that_it_gets(settings, address):
    redis.ConnectionPool.from_url(address, **settings.REDIS_OPTIONS).make_connection()


class Planted:
    """Fails when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("it ran",)


@pytest.mark.parametrize("planted", [b"[" * 200_000, pickle.dumps(Planted())], ids=["deep", "a pickle"])
def test_a_planted_value_is_no_entry_and_does_not_run(planted):
    assert JsonSerializer().loads(planted) is None


def test_what_a_planted_row_of_the_queues_tables_could_reach_is_off():
    """Django-q2 reads pickles in its table of results, and calls the functions that its schedules name."""
    assert (Q_CLUSTER["scheduler"], Q_CLUSTER["save_limit"]) == (False, -1)
    assert Q_CLUSTER["cached"]
    assert CACHES[Q_CLUSTER["cache"]] == {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
    assert not [model for model in admin.site._registry if model._meta.app_label == "django_q"]


def test_a_message_is_refused_as_by_an_unreachable_server_and_not_printed(capfd):
    message = EmailMessage(
        "Subject", "https://portal.example/accounts/password/reset/key/2-a/", to=["a@b.example"]
    )
    with pytest.raises(OSError, match="Set EMAIL_URL"):
        RefusingEmailBackend(alias="default").send_messages([message])
    assert capfd.readouterr() == ("", "")
