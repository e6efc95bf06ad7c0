"""The run that restores a backup."""

import pytest

from tests.devtools.chaos.runs import run_chaos


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("option", [(), ("--unreported",)], ids=["reported", "unreported"])
def test_nobody_is_invited_twice_after_a_backup_was_restored_in_the_middle_of_a_move(
    tmp_path, option
) -> None:
    table = run_chaos(tmp_path / "log", "--restore", "16", *option)
    assert (table["invited_twice"], table["lost"], table["broken"]) == (0, 0, {})
    assert table["missed_and_invited"] == table["missed_while_nothing_ran"]
    assert table["offered"] > 0
