from portal.devtools.sandbox.lever.server import LeverSandbox
from tests.devtools.sandbox.callers import LeverCaller, control
from tests.devtools.sandbox.conftest import ALDER, FORMER, SUPER_ADMIN


def test_a_missing_scope_is_403_and_a_missing_token_401(lever: LeverSandbox):
    narrow = LeverCaller(lever).connect("stages:read:admin")
    assert narrow.get("/stages").status_code == 200
    assert narrow.get("/users").json()["code"] == "Forbidden"
    assert narrow.post(f"/opportunities/{ALDER}/addTags", {"tags": ["x"]}).status_code == 403
    assert LeverCaller(lever).get("/stages").status_code == 401


def test_each_account_has_its_own_rate_limit(lever: LeverSandbox, caller: LeverCaller):
    control(lever, "settings", {"account": "acme", "rate_limit": 0.001})
    answers = [caller.get("/stages") for _ in range(25)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert len(limited) >= 4
    ledger = control(lever, "ledger?account=acme", method="GET")["accounts"]["acme"]
    counts = [one["count"] for one in ledger["calls"] if one["status"] == 429]
    assert sum(counts) == len(limited)
    assert LeverCaller(lever, "globex").connect().get("/stages").status_code == 200


def test_an_unknown_path_or_id_is_404(caller: LeverCaller):
    missing = caller.get("/opportunities/nobody")
    assert (missing.status_code, missing.json()) == (
        404,
        {"code": "ResourceNotFound", "message": "opportunities nobody was not found"},
    )
    assert caller.get("/nothing").status_code == 404


def test_perform_as_must_name_a_known_user(lever: LeverSandbox, caller: LeverCaller):
    note = {"value": "hello"}
    path = f"/opportunities/{ALDER}/notes"
    assert caller.post(path, note, perform_as="nobody").status_code == 400
    assert caller.post(path, note, perform_as=FORMER).status_code == 201
    control(lever, "settings", {"account": "acme", "strict_perform_as": True})
    assert caller.post(path, note).status_code == 400
    assert caller.post(path, note, perform_as=FORMER).status_code == 400
    assert caller.post(path, note, perform_as=SUPER_ADMIN).status_code == 201
