"""The pages on which a recruiter works in the pretend Lever."""

import re

import requests

from portal.devtools.sandbox.lever.server import LeverSandbox
from tests.devtools.sandbox.callers import press
from tests.devtools.sandbox.conftest import ALDER, ASSESSMENT_STAGE


def test_chosen_candidates_move_together(lever: LeverSandbox):
    page = f"{lever.url}/acme/candidates"
    form = {"here": "/acme/candidates", "stage": ASSESSMENT_STAGE, "done": "Moved to {text}: {count}"}
    assert "Moved to CodeScreen Assessment: 1" in press(lever, "move", opportunities=[ALDER], **form)
    assert lever.accounts["acme"].opportunities[ALDER].stage == ASSESSMENT_STAGE
    listed = requests.get(page, params={"stage": ASSESSMENT_STAGE}, timeout=30).text
    assert "1 candidate<" in listed
    assert "Name some opportunities." in press(lever, "move", **form)


def test_levers_own_address_of_a_candidate_leads_to_the_profile(lever: LeverSandbox):
    answer = requests.get(f"{lever.url}/candidates/{ALDER}", timeout=30)
    assert answer.url == f"{lever.url}/acme/candidates/{ALDER}"
    assert requests.get(f"{lever.url}/candidates/nobody", timeout=30).status_code == 404


def test_each_button_of_the_profile_acts(lever: LeverSandbox):
    page = f"{lever.url}/acme/candidates/{ALDER}"
    account = lever.accounts["acme"]
    opportunity = account.opportunities[ALDER]

    def click(button: str, **entered: str) -> str:
        """Send the form that has a button, as a browser does."""
        shown = requests.get(page, timeout=30).text
        forms = re.findall(r"<form[^>]* action=\"([^\"]+)\">(.*?)</form>", shown, re.DOTALL)
        [(action, form)] = [one for one in forms if button in one[1]]
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        return requests.post(lever.url + action, data=hidden | entered, timeout=30).text

    assert "Moved to Offer." in click("Change stage", stage="offer")
    assert "Tag added." in click("Add</button>", add="Hot")
    assert "Hot" in opportunity.tags
    assert "Tag removed." in click("Remove tag Hot", remove="Hot")
    assert "Hot" not in opportunity.tags
    assert "Archived." in click("Archive</button>", reason=next(iter(account.archive_reasons)))
    assert "Back from the archive." in click("Unarchive")
    assert "E-mail address corrected." in click("Save", email="alder.new@candidates.example")
    assert "no e-mail address" in click("Save", email="nonsense")
    assert account.contact_of(opportunity).emails == ["alder.new@candidates.example"]
    assert "Anonymized." in click("Anonymize")
    assert "Deleted." in click("Delete")
    assert ALDER not in account.opportunities
