"""The portal's settings for the developer tools, with what they need otherwise and no operator chooses."""

import os

from portal.settings import *  # noqa: F403

#: The settings that a tool changes by an environment variable of the same name, each with its type.
_OTHERWISE = {
    "LEVER_RATE": float,
    "LEVER_BURST": int,
    "PLATFORM_READ_SECONDS": float,
    "POLL_NOT_STARTED_SECONDS": int,
    "POLL_IN_PROGRESS_SECONDS": int,
    "STATIC_ROOT": str,
}
globals().update({name: read(os.environ[name]) for name, read in _OTHERWISE.items() if os.environ.get(name)})
