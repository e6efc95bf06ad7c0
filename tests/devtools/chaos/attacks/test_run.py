"""How an attack is judged, and a small run of it."""

import pytest

from portal.devtools.chaos.attacks.forgeries import MARK
from portal.devtools.chaos.attacks.generator import Attempt
from portal.devtools.chaos.attacks.load_client import Difference
from portal.devtools.chaos.attacks.run import Findings, accepted_keys, columns_with
from tests.devtools.chaos.runs import run_chaos
from tests.support import factories

ATTEMPT = Attempt("Lever: upper case", "/", b"", {}, frozenset({401}))
SLOWER = Difference((50.0,) * 1000)


def findings(*statuses: int, **more) -> Findings:
    """Return findings in which the same attempt was answered with each status."""
    found = Findings(**more)
    for status in statuses:
        found.answers.record(ATTEMPT, status, 0.01)
    return found


def test_refusals_that_store_nothing_keep_every_promise():
    assert findings(401, 401, passes=[SLOWER]).verification().broken == {}


@pytest.mark.parametrize(
    ("found", "broken"),
    [
        (findings(401, 202), {"wrong_answers": ["Lever: upper case: 202 (1)"]}),
        (findings(0, 0), {"wrong_answers": ["Lever: upper case: broken connection (2)"]}),
        (findings(accepted=["id:forged-1"]), {"forgery_accepted": ["id:forged-1"]}),
        (findings(stored_in=["Delivery.payload"]), {"forgery_stored": ["Delivery.payload"]}),
        (findings(passes=[SLOWER] * 2), {"timing_measurable": ["both passes"]}),
    ],
)
def test_a_broken_promise_is_recorded(found, broken):
    assert found.verification().broken == broken


def test_a_stored_forgery_is_found_in_every_column(organization):
    factories.DeliveryFactory(organization=organization)
    factories.LeverWebhookFactory(organization=organization)
    assert columns_with(MARK) == []
    payload = {"data": {"opportunityId": f"{MARK}1"}}
    factories.DeliveryFactory(organization=organization, dedupe_key=f"id:{MARK}1", payload=payload)
    assert columns_with(MARK) == ["Delivery.dedupe_key", "Delivery.payload"]
    assert f"id:{MARK}1" in accepted_keys()


@pytest.mark.slow
def test_a_small_attack_breaks_no_promise(tmp_path):
    table = run_chaos(tmp_path / "log", "--attack", "300")
    assert (table["requests"], table["timed_pairs"], table["broken"]) == (276, 12, {})
    assert table["answers"]["401"] > 100
