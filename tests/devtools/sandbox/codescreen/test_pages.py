import requests

from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from tests.devtools.sandbox.codescreen.calls import invite, status


def test_the_candidate_page_has_a_button_per_step(codescreen: CodeScreenSandbox):
    instance = invite(codescreen, firstName="{lastName}")
    page = f"{codescreen.url}/acme/candidates/{instance}"
    assert "{lastName}" in requests.get(page, timeout=30).text
    assert "The candidate started" in requests.post(page, data={"action": "start"}, timeout=30).text
    assert "not not started" in requests.post(page, data={"action": "start"}, timeout=30).text
    form = requests.get(page, timeout=30).text
    assert 'value="82"' in form
    assert "<option selected>Passed</option>" in form
    evaluated = {"action": "evaluate", "score": "90", "result": "Passed"}
    assert "was evaluated" in requests.post(page, data=evaluated, timeout=30).text
    assert status(codescreen, instance)["score"] == 90
    edited = requests.get(page, timeout=30).text
    assert 'value="90"' in edited
    for path in ("candidates", "settings"):
        assert requests.get(f"{codescreen.url}/acme/{path}", timeout=30).status_code == 200
