"""The cache in Redis: its address and its options, and what somebody else has put in."""

import pytest
import redis

from portal.django_parts import JsonSerializer


@pytest.mark.parametrize(
    "address", ["redis://127.0.0.1:6379/0", "rediss://127.0.0.1:6379/0", "unix:///run/redis.sock"]
)
def test_a_redis_at_any_address_knows_the_options_that_it_gets(settings, address):
    redis.ConnectionPool.from_url(address, **settings.REDIS_OPTIONS).make_connection()


def test_a_planted_value_that_nests_too_deep_is_no_entry():
    assert JsonSerializer().loads(b"[" * 200_000) is None
