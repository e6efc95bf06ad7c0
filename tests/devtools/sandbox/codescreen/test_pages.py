import re

import requests

from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from tests.devtools.sandbox.callers import press
from tests.devtools.sandbox.codescreen.calls import invite, status


def test_the_candidate_page_has_a_button_per_step(codescreen: CodeScreenSandbox):
    instance = invite(codescreen, firstName="{lastName}")
    page = f"{codescreen.url}/acme/candidates/{instance}"
    assert "{lastName}" in requests.get(page, timeout=30).text
    pressed = {"here": f"/acme/candidates/{instance}", "instance": instance, "done": "{said}."}
    assert "Started." in press(codescreen, "candidate", action="start", **pressed)
    assert "not not started" in press(codescreen, "candidate", action="start", **pressed)
    form = requests.get(page, timeout=30).text
    assert 'value="82"' in form
    assert '<option value="Passed" selected>' in form
    evaluated = {"action": "evaluate", "score": "90", "result": "Passed", "reason": ""}
    assert "Evaluated." in press(codescreen, "candidate", **pressed, **evaluated)
    assert status(codescreen, instance)["score"] == 90
    edited = requests.get(page, timeout=30).text
    assert 'value="90"' in edited
    [report] = re.findall(r'href="([^"]+)">Open the report', edited)
    assert requests.get(report, timeout=30).ok
    saved = {"here": "/acme/settings", "metadata": "on", "webhook_url": "ftp://x", "webhook_secret": ""}
    assert "has to start with https://" in press(codescreen, "settings", **saved)
    assert "Done." in press(codescreen, "settings", **saved | {"webhook_url": "http://127.0.0.1/x"})
    assert codescreen.platform.accounts["acme"].settings.metadata
    for path in ("candidates", "settings"):
        assert requests.get(f"{codescreen.url}/acme/{path}", timeout=30).status_code == 200
