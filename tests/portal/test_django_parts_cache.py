"""The cache in the database keeps what Django's callers expect of a cache."""

import pytest
import redis
from django.core.cache import cache

from integrations.queue.duties import clean_up
from integrations.queue.models.nodes import CacheEntry
from portal.django_parts import JsonSerializer


@pytest.fixture(autouse=True)
def database_cache(db, settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "portal.django_parts.DatabaseJsonCache"}}


@pytest.mark.parametrize("value", [True, 7, "text", {"a": [1.5, None]}, [], None])
def test_a_value_is_returned_as_it_was_stored(value):
    cache.set("key", "earlier")
    cache.set("key", value, 60)
    assert cache.get("key", "none") == value
    assert cache.has_key("key")
    assert cache.add("other", value)


def test_a_value_is_gone_after_its_time():
    cache.set("key", 1, -1)
    assert cache.get("key", "none") == "none"
    clean_up()
    assert not CacheEntry.objects.exists()


def test_only_the_first_of_several_adds():
    assert cache.add("key", 1, 60)
    assert not cache.add("key", 2, 60)
    assert cache.get("key") == 1
    cache.set("key", 1, -1)
    assert cache.add("key", 2, None)
    assert cache.get("key") == 2


def test_removed_values_are_gone():
    cache.set_many({"one": 1, "two": 2})
    assert cache.delete("one")
    assert not cache.delete("one")
    assert cache.get_many(["one", "two"]) == {"two": 2}


@pytest.mark.parametrize(
    "address", ["redis://127.0.0.1:6379/0", "rediss://127.0.0.1:6379/0", "unix:///run/redis.sock"]
)
def test_a_redis_at_any_address_knows_the_options_that_it_gets(settings, address):
    redis.ConnectionPool.from_url(address, **settings.REDIS_OPTIONS).make_connection()


def test_a_planted_value_that_nests_too_deep_is_no_entry():
    assert JsonSerializer().loads(b"[" * 200_000) is None
