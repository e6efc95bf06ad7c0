"""The runs with faults and with a restored backup: the rules for the platforms, and that every promise holds."""

import random
import re

import pytest

from portal.devtools.chaos import fault_run
from portal.devtools.sandbox.faults import Fault
from tests.devtools.chaos.runs import run_chaos


def test_the_rules_make_the_given_share_of_calls_fail() -> None:
    chance = random.Random(1)
    rules = [Fault(**rule) for rule in fault_run.make_rules(0.2)]
    faults = [
        next((rule for rule in rules if chance.random() < rule.probability), None) for _ in range(20_000)
    ]
    failed = [fault for fault in faults if fault is not None]
    assert 0.18 < len(failed) / len(faults) < 0.22
    assert 0.4 < sum(fault.is_after for fault in failed) / len(failed) < 0.6


def test_faults_spare_the_token_endpoint() -> None:
    assert re.search(fault_run.API, "/v1/opportunities")
    assert re.search(fault_run.API, "/api/assessments")
    assert not re.search(fault_run.API, "/oauth/token")


@pytest.mark.slow
def test_a_small_run_with_faults_keeps_every_promise(tmp_path) -> None:
    table = run_chaos(tmp_path / "log", "--events", "24", "--kill-every", "2")
    assert (table["invited_twice"], table["lost"], table["broken"]) == (0, 0, {})
    assert table["interruptions"]["portal restarted"] >= 1
    assert table["longest_end_after_TERM_seconds"] < 30


@pytest.mark.slow
@pytest.mark.nightly
def test_no_invitation_is_uncertain_when_the_portal_is_restarted_while_it_sends(tmp_path) -> None:
    options = ("--restarts", "--faults", "0", "--kill-every", "5")
    table = run_chaos(tmp_path / "log", "--events", "24", *options)
    assert (table["uncertain"], table["invited_twice"], table["lost"], table["broken"]) == (0, 0, 0, {})
    assert table["candidates_invited"] == table["e_mails"]
    assert set(table["interruptions"]) == {"portal restarted"}
    assert table["interruptions"]["portal restarted"] >= 2
    assert table["longest_end_after_TERM_seconds"] < 30


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
