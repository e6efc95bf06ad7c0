"""The pages on which a recruiter works in the pretend Lever."""

import requests

from portal.devtools.sandbox.lever.server import LeverSandbox
from tests.devtools.sandbox.conftest import ALDER, ASSESSMENT_STAGE


def test_chosen_candidates_move_together(lever: LeverSandbox):
    page = f"{lever.url}/acme/candidates"
    form = {"opportunity": [ALDER, "nobody"], "stage": ASSESSMENT_STAGE}
    moved = requests.post(f"{page}/stage", data=form, timeout=30).text
    assert "Moved 1 candidate to CodeScreen Assessment." in moved
    assert lever.accounts["acme"].opportunities[ALDER].stage == ASSESSMENT_STAGE
    listed = requests.get(page, params={"stage": ASSESSMENT_STAGE}, timeout=30).text
    assert "1 candidate<" in listed
    assert "Select at least one" in requests.post(f"{page}/stage", data={"stage": "x"}, timeout=30).text


def test_the_list_is_searched_by_name_address_and_tag(lever: LeverSandbox):
    for words in ("candidate oak", "oak.work@", "codescreen frontend"):
        listed = requests.get(f"{lever.url}/acme/candidates", params={"q": words}, timeout=30).text
        assert "Candidate Oak" in listed
        assert "Candidate Alder" not in listed


def test_levers_own_address_of_a_candidate_leads_to_the_profile(lever: LeverSandbox):
    answer = requests.get(f"{lever.url}/candidates/{ALDER}", timeout=30)
    assert answer.url == f"{lever.url}/acme/candidates/{ALDER}"
    assert requests.get(f"{lever.url}/candidates/nobody", timeout=30).status_code == 404


def test_each_button_of_the_profile_acts(lever: LeverSandbox):
    page = f"{lever.url}/acme/candidates/{ALDER}"
    account = lever.accounts["acme"]
    opportunity = account.opportunities[ALDER]

    def press(action: str, **form: str) -> str:
        return requests.post(f"{page}/{action}", data=form, timeout=30).text

    assert "Moved to Offer." in press("stage", stage="offer")
    assert "Tag added." in press("tag", tag="Hot")
    assert "Hot" in opportunity.tags
    assert "Tag removed." in press("untag", tag="Hot")
    assert "Hot" not in opportunity.tags
    assert "Archived." in press("archive", reason=next(iter(account.archive_reasons)))
    assert "Back from the archive." in press("archive")
    assert "E-mail address corrected." in press("email", email="alder.new@candidates.example")
    press("email", email="nonsense")
    assert account.contact_of(opportunity).emails == ["alder.new@candidates.example"]
    assert "Anonymized." in press("anonymize")
    assert "Deleted." in press("delete")
    assert ALDER not in account.opportunities
