"""The rules of an organization as a page of the documentation, written from their columns."""

from django.core.validators import MaxValueValidator, MinValueValidator

from integrations.configuration.section import literal
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import RULES

_HEAD = """# Rules

For operators and Admins: what holds for all roles of an organization. These are the keys of `[policies]` in
[its file](configuration.md#an-organization-as-a-file), `stage_prefix` of `[organization]`.

To change one, an Admin opens **Roles and rules › Rules**; `paused` is a button of the overview, and what Super Admins
alone change is under **Team**. Or change the file and run `configure`. [More about some of
them](configuration.md#rules-in-detail).

This page is written from `integrations/organizations/models/policies.py`. To write it anew:
`python3 manage.py shell -v 0 -c "from portal.devtools.rules_page import page; print(page(), end='')"`.

| rule | in the settings | unless set | what it says |
|---|---|---|---|
"""


def page() -> str:
    """Return the page as Markdown."""
    rows = []
    for name, column in RULES.items():
        default = getattr(Organization(), name)
        least, most = (
            [str(one.limit_value) for one in column.validators if isinstance(one, kind)]
            for kind in (MinValueValidator, MaxValueValidator)
        )
        bounds = f" From {least[0]} to {most[0]}." if least and most else ""
        unless_set = "nothing" if default in (None, "") else f"`{literal(default)}`"
        rows.append(f"| `{name}` | {column.verbose_name} | {unless_set} | {column.help_text}{bounds} |\n")
    return _HEAD + "".join(rows)
