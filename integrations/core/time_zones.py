"""Time zones by the names that people, files and browsers give them."""

import zoneinfo
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return the names of all zones. A name from outside is looked up here, never as a file."""
    return frozenset(zoneinfo.available_timezones()) - {"Factory", "localtime", "posixrules"}


def zone_of(*names: str) -> ZoneInfo:
    """Return the first of the zones that there is, else UTC."""
    return ZoneInfo(next((name for name in names if name in zone_names()), "UTC"))
