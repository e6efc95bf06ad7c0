"""What `manage.py serve` becomes once everything is prepared: the supervisor alone, in half the memory.

Run as `python -m portal.process.serve HOST PORT`. The supervisor asks the database about its node's rows and
heartbeats; it needs neither pages nor admin nor migrations, which the command had to load.
"""

import os
import socket
import sys
from typing import NoReturn

import django
from django.conf import settings

#: The apps of the tables that the supervisor reads, with those that they refer to.
APPS = ("integrations.apps.IntegrationsConfig", "django.contrib.auth", "django.contrib.contenttypes")


def become(host: str, port: int) -> NoReturn:
    """Replace this process by the supervisor of a node that serves on that address."""
    # stable, so that metrics can be collected by node, and no other's on this machine
    os.environ["PORTAL_NODE"] = settings.NAMED_NODE or f"{socket.gethostname()}-{port}"
    search_path = [str(settings.BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(search_path)
    # -P: the present folder's files aren't modules
    argv = [sys.executable, "-P", "-m", "portal.process.serve", host, str(port)]
    os.execv(sys.executable, argv)  # noqa: S606 - the same process goes on, under the same id


def main(host: str, port: int) -> None:
    """Supervise the web server and the workers until TERM, INT or HUP."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    settings.INSTALLED_APPS = APPS
    django.setup()

    # what reads tables can be imported now
    from portal.process import db_timeouts  # noqa: F401, PLC0415 - it sets time-outs on each connection
    from portal.process.programs import queue_cluster, web_server  # noqa: PLC0415
    from portal.process.supervisor import Supervisor  # noqa: PLC0415

    Supervisor([web_server(host, port), queue_cluster()]).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
