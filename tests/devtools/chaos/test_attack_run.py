"""How a run of forgeries is judged; and one tiny run of it all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from portal.devtools.chaos import attack_run
from portal.devtools.chaos.attack_run import Found
from portal.devtools.chaos.attack_sender import Attempt
from portal.devtools.chaos.attacks import MARK
from portal.devtools.chaos.timing import Difference
from tests import factories

ROOT = Path(__file__).resolve().parents[3]
ATTEMPT = Attempt("Lever: upper case", "/", b"", {}, frozenset({401}))


def found(*statuses: int, **more) -> Found:
    judged = Found(**more)
    for status in statuses:
        judged.answers.note(ATTEMPT, status, 0.01)
    return judged


def test_refusals_that_leave_nothing_and_tell_nothing_break_nothing():
    assert found(401, 401, passes=[Difference((50.0,) * 1000)]).broken == {}


@pytest.mark.parametrize(
    ("judged", "broken"),
    [
        (found(401, 202), {"answers": ["Lever: upper case: 202 (1)"]}),
        (found(0, 0), {"answers": ["Lever: upper case: broken connection (2)"]}),
        (found(rows=["id:forged-1"]), {"rows": ["id:forged-1"]}),
        (found(kept_in=["Delivery.payload"]), {"kept": ["Delivery.payload"]}),
        (found(passes=[Difference((50.0,) * 1000)] * 2), {"timing": ["both passes"]}),
    ],
)
def test_a_broken_promise_is_seen(judged, broken):
    assert judged.broken == broken


def test_what_is_kept_of_a_forgery_is_found_wherever_it_is(organization):
    factories.DeliveryFactory(organization=organization)
    factories.LeverWebhookFactory(organization=organization)
    assert attack_run.tables_with(MARK) == []
    payload = {"data": {"opportunityId": f"{MARK}1"}}
    factories.DeliveryFactory(organization=organization, dedupe_key=f"id:{MARK}1", payload=payload)
    assert attack_run.tables_with(MARK) == ["Delivery.dedupe_key", "Delivery.payload"]
    assert f"id:{MARK}1" in attack_run.rows()


@pytest.mark.slow
def test_a_tiny_run_keeps_every_promise(tmp_path):
    argv = [sys.executable, "manage.py", "chaos", "--forge", "300", "--json", "--log", str(tmp_path / "log")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    table = json.loads(done.stdout)
    assert (table["requests"], table["timed_pairs"], table["broken"]) == (276, 12, {})
    assert table["answers"]["401"] > 100
