class Conf:
    BROKER_CLASS: str | None
    REDIS: str
