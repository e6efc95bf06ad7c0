"""The portal's migrations and those of the release that expands."""

from integrations import migrations

__path__ = [*__path__, *migrations.__path__]
