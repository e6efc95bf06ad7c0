import redis
from django_q.brokers import Broker

class Redis(Broker):
    connection: redis.Redis
    @staticmethod
    def get_connection(list_key: str | None = None) -> redis.Redis: ...
