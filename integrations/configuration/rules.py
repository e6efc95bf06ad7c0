"""The rules of an organization as a configuration would make them, without storing it."""

from integrations.configuration.contents import Configuration
from integrations.models import Organization
from integrations.workflow.catalog.trigger_policy import mapping_index
from integrations.workflow.operations.backtest import DECIDING_POLICIES, rules_of
from integrations.workflow.rules.backtest import Rules
from integrations.workflow.rules.mapping_index import MappingIndex


def rules_after(configuration: Configuration, organization: Organization) -> Rules:
    """Return the rules that would be in force. What the file leaves out stays, as when it is applied."""
    written = {**configuration.organization, **configuration.policies}
    policies = {name: value for name, value in written.items() if name in DECIDING_POLICIES}
    rules = {(rule.role, rule.stage): rule for rule in mapping_index(organization).rules}
    rules |= {(rule.role, rule.stage): rule for rule in configuration.mappings}
    return rules_of(organization, policies, MappingIndex(rules.values()))
