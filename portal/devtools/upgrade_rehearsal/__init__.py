"""Two releases after this one, as an example: how a table changes while the portal serves (docs/operating/upgrade.md).

`expand` adds a column that the database fills and fills it for the old rows; `contract` relies on it. Each stands on
the portal's own migrations, which stay one clean set. `chaos --upgrade` runs them beside the present release.
"""
