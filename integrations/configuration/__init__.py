"""An organization as a TOML file: read it, see what it would change, apply that; or write it from the rows."""

from integrations.configuration.comparing import compare
from integrations.configuration.people import invitation_links
from integrations.configuration.plan import Plan
from integrations.configuration.reading import Configuration, ConfigurationError, read
from integrations.configuration.writing import write

__all__ = ["Configuration", "ConfigurationError", "Plan", "compare", "invitation_links", "read", "write"]
