"""The run of hours, for half a minute."""

import pytest

from tests.devtools.chaos.runs import run_chaos


@pytest.mark.slow
def test_everybody_gets_to_the_archive_when_invitations_go_on_steadily(tmp_path) -> None:
    table = run_chaos(tmp_path / "log", "--soak", "0.01", "--rate", "2")
    assert table["invitations"] >= 70
    assert (table["e_mails"], table["feedback"]) == (table["invitations"], table["invitations"])
    assert (table["uncertain"], table["effects_failed"], table["broken"]) == (0, 0, {})
    assert table["growth"] == "too short to tell"
    assert table["workers_pss_mib"]["first"] > 10
    assert table["database_mib_for_1000_candidates"] > 0
    assert "rows" in table["largest_tables"]["integrations_apicall"]
