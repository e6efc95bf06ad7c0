"""An organization as a TOML file: load it, compare it with the stored rows, apply the difference; or dump the rows."""

from integrations.configuration.contents import Configuration
from integrations.configuration.diff import compare
from integrations.configuration.dump import dump
from integrations.configuration.load import ConfigurationError, load
from integrations.configuration.members import invitation_links
from integrations.configuration.plan import Plan
from integrations.configuration.rules import rules_after

__all__ = [
    "Configuration",
    "ConfigurationError",
    "Plan",
    "compare",
    "dump",
    "invitation_links",
    "load",
    "rules_after",
]
