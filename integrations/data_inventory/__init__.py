"""The data inventory: for each table, what in it is about a person, why, and how long it lives. Pure declarations.

Erasure, retention and the answer to a candidate who asks follow it. `tests/test_data_inventory.py` fails for a column
of text that it doesn't name.
"""

from integrations.data_inventory.candidates import CANDIDATE_TABLES
from integrations.data_inventory.framework import FRAMEWORK_TABLES
from integrations.data_inventory.organizations import ORGANIZATION_TABLES
from integrations.data_inventory.second_factors import SECOND_FACTOR_TABLES
from integrations.data_inventory.table import Table

INVENTORY: tuple[Table, ...] = (
    *CANDIDATE_TABLES,
    *ORGANIZATION_TABLES,
    *SECOND_FACTOR_TABLES,
    *FRAMEWORK_TABLES,
)

__all__ = ["CANDIDATE_TABLES", "INVENTORY", "Table"]
