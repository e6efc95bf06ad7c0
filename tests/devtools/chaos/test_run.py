"""The table at the end of a run."""

import json

from portal.devtools.chaos.run import Table, Violation


def test_a_table_names_the_broken_promises() -> None:
    figures = {"lost": 1, "verdicts": {"invite": 3}, "seconds": 2.5}
    table = Table("A run", figures, {Violation.LOST: ["o"]})
    assert not table.holds
    assert "BROKEN  lost: 1 (o)" in table.as_text()
    assert "invite 3" in table.as_text()
    assert json.loads(table.as_json())["broken"] == {"lost": ["o"]}
