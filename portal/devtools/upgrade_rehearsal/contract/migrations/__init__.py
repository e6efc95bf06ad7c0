"""The migrations of the release before and those of the release that contracts."""

from portal.devtools.upgrade_rehearsal.expand import migrations

__path__ = [*__path__, *migrations.__path__]
