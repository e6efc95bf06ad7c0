"""An organization as a TOML file: read it, see what it would change, apply that; or write it from the rows."""

from integrations.configuration.diff import compare
from integrations.configuration.dump import write
from integrations.configuration.load import Configuration, ConfigurationError, read
from integrations.configuration.members import invitation_links
from integrations.configuration.plan import Plan

__all__ = ["Configuration", "ConfigurationError", "Plan", "compare", "invitation_links", "read", "write"]
