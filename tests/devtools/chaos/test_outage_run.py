"""The run with restarts."""

import pytest

from tests.devtools.chaos.runs import run_chaos


@pytest.mark.slow
@pytest.mark.nightly
def test_no_invitation_is_uncertain_when_the_portal_is_restarted_while_it_sends(tmp_path) -> None:
    table = run_chaos(tmp_path / "log", "--restarts", "2", "--events", "24")
    assert (table["uncertain"], table["invited_twice"], table["lost"], table["broken"]) == (0, 0, 0, {})
    assert (table["candidates"], table["e_mails"]) == (24, 24)
