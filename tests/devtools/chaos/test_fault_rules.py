"""The rules by which the sandbox's calls fail."""

import random
import re

from portal.devtools.chaos import fault_rules
from portal.devtools.sandbox.faults import read_rule


def test_the_rules_make_the_given_share_of_calls_fail() -> None:
    chance = random.Random(1)
    rules = [read_rule(rule) for rule in fault_rules.make_rules(0.2)]
    faults = [
        next((rule.fault for rule in rules if chance.random() < rule.probability), None)
        for _ in range(20_000)
    ]
    failed = [fault for fault in faults if fault is not None]
    assert 0.18 < len(failed) / len(faults) < 0.22
    assert 0.4 < sum(fault.kind.is_after for fault in failed) / len(failed) < 0.6


def test_faults_spare_the_token_endpoint() -> None:
    assert re.search(fault_rules.API, "/v1/opportunities")
    assert re.search(fault_rules.API, "/api/assessments")
    assert not re.search(fault_rules.API, "/oauth/token")
