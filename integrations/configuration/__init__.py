"""An organization as a TOML file: load it, compare it with the stored rows, apply the difference; or dump the rows."""

from integrations.configuration.load import load
from integrations.configuration.plan import Plan, compare, dump, invitation_links, rules_after
from integrations.configuration.section import Configuration, ConfigurationError

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
