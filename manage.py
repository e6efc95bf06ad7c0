#!/usr/bin/env python3
"""The portal's commands; sets up its own environment on the first run."""

import os
import sys

from portal import bootstrap


def main() -> None:
    """Run the command that the arguments name, inside the portal's environment."""
    bootstrap.enter(os.path.dirname(os.path.abspath(__file__)))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

    # only there once the environment is
    from django.core.management import execute_from_command_line
    from django.db import InterfaceError, OperationalError

    try:
        execute_from_command_line(sys.argv)
    except (InterfaceError, OperationalError) as error:
        sys.exit(
            f"The database doesn't answer. Check DATABASE_URL, and that the server runs. ({str(error).strip()})"
        )


if __name__ == "__main__":
    main()
