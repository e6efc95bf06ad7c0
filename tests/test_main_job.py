"""The main job in a browser, through the pages of the demo alone: from the set-up, by keyboard, to feedback in Lever.

CodeScreen answers as it publishes: a score and no result, which is compared with the bar that the set-up asks for.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from portal.devtools.demo.environment import FOLDER

pytestmark = [pytest.mark.browser, pytest.mark.slow]

START_SECONDS = 180
TIMEOUT_MS = 45_000


class Addresses(NamedTuple):
    portal: str
    lever: str
    codescreen: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The addresses of a demo that runs while the module's tests do."""
    log = tmp_path_factory.mktemp("demo") / "demo.log"
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "DJANGO_"))
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=settings.BASE_DIR,
            env=environ,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    folder = None
    try:
        addresses = _addresses(process, log)
        variables = Path(f"/proc/{process.pid}/environ").read_text().split("\0")
        [folder] = [one.removeprefix(f"{FOLDER}=") for one in variables if one.startswith(f"{FOLDER}=")]
        assert Path(folder).is_dir()
        yield addresses
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
        assert not folder or not Path(folder).exists(), "its database and its files are left"


def _addresses(process: subprocess.Popen[bytes], log: Path) -> Addresses:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = dict(
            re.findall(r"^  (Portal|Lever|CodeScreen) +(http://\S+?)/ ", log.read_text(), re.MULTILINE)
        )
        if len(found) == 3:
            return Addresses(found["Portal"], found["Lever"], found["CodeScreen"])
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def sign_in(page: Page, demo: Addresses, username: str) -> None:
    page.goto(f"{demo.portal}/accounts/login/")
    page.fill("[name=login]", username)
    page.fill("[name=password]", "demo")
    page.click("[type=submit]")
    expect(page.get_by_role("link", name="Overview")).to_be_visible()


def connect(page: Page, demo: Addresses, decision: str = "Accept") -> None:
    page.goto(f"{demo.portal}/settings/")
    page.get_by_role("button", name=re.compile("^(Connect Lever|Reconnect)")).first.click()
    if page.get_by_role("button", name="Accept").count():
        page.get_by_label("Lever account you are signed in to").select_option(label="Globex")
        page.get_by_role("button", name=decision).click()
    page.wait_for_url(f"{demo.portal}/settings/")


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus, which is always seen."""
    for _ in range(20):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        assert focused.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
        if name in focused.evaluate("one => one.labels?.[0]?.innerText ?? one.innerText"):
            return
    raise AssertionError(f"no Tab leads to {name!r}")


def press(page: Page, name: str, typed: str = "") -> None:
    """Go to a button or a field by the keyboard alone, type, and press Enter."""
    tab_to(page, name)
    page.keyboard.type(typed)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def verify(page: Page, demo: Addresses) -> str:
    page.goto(f"{demo.lever}/globex/settings/webhooks")
    page.get_by_role("button", name="Verify Connection").first.click()
    return page.locator("main").inner_text()


def turn_on(page: Page, demo: Addresses) -> None:
    """Turn the event on in Lever, which no app may do."""
    page.goto(f"{demo.lever}/globex/settings/webhooks")
    page.get_by_role("switch", name="Candidate Stage Change: switch on").click()


def act_in_codescreen(page: Page, demo: Addresses, name: str, *buttons: str, **result: str) -> None:
    """Press the buttons on the page of a candidate in CodeScreen."""
    page.goto(f"{demo.codescreen}/globex/candidates")
    page.get_by_role("link", name=name).click()
    for button in buttons:
        if button == "Evaluate":
            page.get_by_label("Score").fill(result["score"])
        page.get_by_role("button", name=button, exact=True).click()


def open_profile(page: Page, demo: Addresses, name: str) -> None:
    page.goto(f"{demo.lever}/globex/candidates")
    page.get_by_role("link", name=name).click()


def wait_for_text(page: Page, text: str) -> None:
    """Reload until the page shows the text."""
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while text not in page.locator("main").inner_text():
        assert time.monotonic() < deadline, f"{text!r} was never shown:\n{page.locator('main').inner_text()}"
        page.wait_for_timeout(400)
        page.reload()


def test_a_super_admin_does_the_main_job(demo, page):
    sign_in(page, demo, "newcomer")

    connect(page, demo, "Deny")
    expect(page.get_by_text("Lever was not connected")).to_be_visible()

    page.goto(f"{demo.codescreen}/globex/settings")
    key = page.locator("#api_key").input_value()
    page.goto(f"{demo.portal}/")
    press(page, "Connect Lever")
    tab_to(page, "Lever account you are signed in to")
    page.keyboard.type("Globex")
    press(page, "Accept")
    expect(page.get_by_text("Lever is connected to Globex")).to_be_visible()
    for name, typed, done in (
        ("API key", key, "CodeScreen accepts it and lists 3 assessments"),
        ("It is off", "", "Recorded, with your name"),
        ("Passing score", "70", "Recorded: what counts as passed."),
    ):
        expect(page.locator("#next-step")).to_be_focused()
        press(page, name, typed)
        expect(page.get_by_text(done)).to_be_visible()
    turn_on(page, demo)
    assert "success" in verify(page, demo).lower()

    page.goto(f"{demo.portal}/mappings/")
    with page.expect_navigation():
        page.get_by_role("button", name=re.compile("Refresh the lists")).click()
    press(page, "Add a mapping")
    for name, typed in (("Role", "Web Dev"), ("Assessment", "Backend")):
        tab_to(page, name)
        page.keyboard.type(typed)
    press(page, "Save")

    page.goto(f"{demo.lever}/globex/candidates")
    for name in ("Willow", "Yew", "Zelkova"):
        page.get_by_label(re.compile(f"Select Candidate {name}")).check()
    page.get_by_label("Stage", exact=True).select_option(label="CodeScreen Assessment")
    page.get_by_role("button", name="Move selected").click()
    for name in ("Willow", "Yew", "Zelkova"):
        open_profile(page, demo, f"Candidate {name}")
        wait_for_text(page, "CodeScreen: Candidate Invited")
    page.goto(f"{demo.codescreen}/globex/candidates")
    expect(page.get_by_text("3 candidates, the latest first")).to_be_visible()

    act_in_codescreen(page, demo, "Candidate Willow", "Start", "Submit", "Evaluate", score="82")
    act_in_codescreen(page, demo, "Candidate Yew", "Start", "Submit", "Evaluate", score="62")
    act_in_codescreen(page, demo, "Candidate Zelkova", "Expire")

    for name, rating, outcome in (
        ("Willow", "4", "Meets your bar (70)"),
        ("Yew", "2", "Below your bar (70)"),
        ("Zelkova", "none", "Not stated by CodeScreen"),
    ):
        open_profile(page, demo, f"Candidate {name}")
        wait_for_text(page, "CodeScreen: Assessment Completed")
        wait_for_text(page, outcome)
        wait_for_text(page, "Report link")  # a field of the feedback; the outcome may stand in a tag alone
        expect(page.get_by_role("img", name=f"Rating {rating}")).to_be_visible()
        assert page.locator("main").inner_text().count("CodeScreen: ") == 1
    report = page.locator("a[href*='/client-result/']").first.get_attribute("href") or ""
    page.goto(report)
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    page.goto(f"{demo.portal}/activity/")
    expect(page.get_by_text("Candidate Willow").first).to_be_visible()
    page.get_by_role("link", name="Candidate Willow").first.click()
    expect(
        page.locator("main").get_by_text("Meets your bar (70)").locator("visible=true").first
    ).to_be_visible()
    page.goto(f"{demo.portal}/")
    for noun in ("delivery", "invitation", "result", "effect", "apicall"):
        page.goto(f"{demo.portal}/admin/integrations/{noun}/")
        expect(page.locator("#result_list tbody tr").first).to_be_visible()

    page.goto(f"{demo.lever}/globex/settings/apps")
    page.get_by_role("button", name="Revoke access").click()
    page.goto(f"{demo.portal}/mappings/")
    page.get_by_role("button", name=re.compile("Refresh the lists")).click()
    page.goto(f"{demo.portal}/settings/")
    expect(page.get_by_text("Needs reconnect").first).to_be_visible()
    connect(page, demo)
    expect(page.get_by_text("Lever is connected to Globex")).to_be_visible()
