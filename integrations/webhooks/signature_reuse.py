"""How many bodies one signature of Lever's has come with, and when: the signature doesn't cover the body."""

import hashlib
import threading
from collections import OrderedDict
from datetime import timedelta

from integrations.models import db_clock
from integrations.models.attempt_limit import AttemptLimit, Limit, TooMany, keyed_limits

#: Lever repeats a delivery for hours, and lets people rerun those of two weeks.
OLDEST, FURTHEST_AHEAD = timedelta(days=15), timedelta(hours=1)
MILLISECOND = timedelta(milliseconds=1)
#: Lever signs every webhook anew, so that a genuine signature comes with one body, however often it is sent.
BODIES_PER_SIGNATURE = 20
LIMIT = Limit(burst=BODIES_PER_SIGNATURE, seconds=timedelta(days=1).total_seconds())
#: A body that comes again, at whatever process, isn't another one.
ONCE = Limit(burst=1, seconds=LIMIT.seconds)
#: A signature of this age that a process hasn't seen may have been used at another.
NEW_SECONDS = 300.0
SIGNATURES_REMEMBERED = 5000


def is_out_of_range(triggered_at: int, now: float) -> bool:
    """Whether a webhook was signed too long ago, or ahead of the time. Milliseconds; `now` in Unix seconds.

    What this process's clock would refuse is compared with the database's, which may be right where this one isn't.
    """
    return _is_out_of_range(triggered_at, now) and _is_out_of_range(triggered_at, db_clock.now().timestamp())


def _is_out_of_range(triggered_at: int, now: float) -> bool:
    age = int(now * 1000) - triggered_at
    return not -FURTHEST_AHEAD // MILLISECOND <= age <= OLDEST // MILLISECOND


class SignatureReuse:
    """Counts the bodies per signature, in the database as soon as there may be a second one.

    With one recorded webhook a stranger can sign bodies of their own. Each costs a row and a call to Lever, whose
    answer alone is believed; this bounds how many, at all processes together. A new signature with its first body,
    which nearly every webhook has, costs no statement.
    """

    def __init__(self) -> None:
        self._bodies: OrderedDict[bytes, set[bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def is_exhausted(self, organization_id: int, signature: str, body_key: str, age: float) -> bool:
        """Count this body for its signature, which is `age` seconds old.

        Return whether BODIES_PER_SIGNATURE others came with it before, at all processes; one more is let in each day.
        """
        signed = f"{organization_id}:{signature}"
        body = _digest(body_key)
        with self._lock:
            bodies = self._remembered(_digest(signed))
            if body in bodies:
                return False
            if not bodies and age < NEW_SECONDS:
                bodies.add(body)
                return False
        once = keyed_limits(f"lever-body:{signed}:{body_key}", (ONCE,))
        outcome = AttemptLimit.take(once | keyed_limits(f"lever-signature:{signed}", (LIMIT,)))
        if isinstance(outcome, TooMany) and not AttemptLimit.objects.filter(pk__in=list(once)).exists():
            return True
        with self._lock:
            bodies.add(body)
        return False

    def _remembered(self, signed: bytes) -> set[bytes]:
        """Return the bodies of a signature; forget the signature seen longest ago where they become too many."""
        bodies = self._bodies.pop(signed, set())
        self._bodies[signed] = bodies
        if len(self._bodies) > SIGNATURES_REMEMBERED:
            self._bodies.popitem(last=False)
        return bodies

    def clear(self) -> None:
        """Forget all signatures."""
        self._bodies.clear()


#: The signatures that this process has seen.
seen = SignatureReuse()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]
