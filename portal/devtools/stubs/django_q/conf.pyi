class Conf:
    CLUSTER_NAME: str
    GUARD_CYCLE: float
