"""How many different bodies one signature of Lever's has come with: the signature doesn't cover the body."""

import hashlib
import threading
from collections import OrderedDict

#: Lever signs every webhook anew, so that a genuine signature comes with one body, however often it is sent.
BODIES_PER_SIGNATURE = 20
SIGNATURES_REMEMBERED = 5000


class SignatureReuse:
    """Counts the bodies per signature in the memory of one process; forgets the signature seen longest ago.

    With one recorded webhook a stranger can sign bodies of their own. Each costs a row and a call to Lever, whose
    answer alone is believed; this bounds how many.
    """

    def __init__(self) -> None:
        self._bodies: OrderedDict[bytes, set[bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def is_exhausted(self, organization_id: int, signature: str, body_key: str) -> bool:
        """Count this body for its signature. Return whether BODIES_PER_SIGNATURE others came with it before."""
        signed = _digest(f"{organization_id}:{signature}")
        body = _digest(body_key)
        with self._lock:
            bodies = self._bodies.pop(signed, set())
            self._bodies[signed] = bodies
            if len(self._bodies) > SIGNATURES_REMEMBERED:
                self._bodies.popitem(last=False)
            if body in bodies:
                return False
            if len(bodies) >= BODIES_PER_SIGNATURE:
                return True
            bodies.add(body)
            return False

    def clear(self) -> None:
        """Forget all signatures."""
        self._bodies.clear()


#: The signatures that this process has seen.
seen = SignatureReuse()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]
