"""The run with faults."""

import pytest

from tests.devtools.chaos.runs import run_chaos


@pytest.mark.slow
def test_a_small_run_with_faults_keeps_every_promise(tmp_path) -> None:
    table = run_chaos(tmp_path / "log", "--events", "24", "--kill-every", "1", "--idempotency")
    assert (table["invited_twice"], table["lost"], table["broken"]) == (0, 0, {})
    assert table["events"] == 24
