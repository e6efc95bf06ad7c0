import requests

from portal.devtools.sandbox.lever.server import LeverSandbox
from tests.devtools.sandbox.callers import control
from tests.devtools.sandbox.conftest import ALDER, FORMER, SUPER_ADMIN


def add(lever: LeverSandbox, **fields: str) -> requests.Response:
    form = {
        "name": "Candidate Acacia",
        "email": "acacia@candidates.example",
        "tags": "CodeScreen Backend, Hot",
    }
    return requests.post(f"{lever.url}/acme/candidates/new", data=form | fields, timeout=30)


def posting_id(lever: LeverSandbox, title: str) -> str:
    posting = lever.accounts["acme"].find_posting(title)
    assert posting is not None
    return posting.id


def test_a_candidate_is_added_with_role_stage_and_tags(lever: LeverSandbox):
    form = requests.get(f"{lever.url}/acme/candidates/new", timeout=30).text
    assert "Backend Engineer" in form
    page = add(lever, posting=posting_id(lever, "Data Engineer")).text
    assert "Added Candidate Acacia in New applicant." in page
    account = lever.accounts["acme"]
    contact = account.contact_by_email["acacia@candidates.example"]
    [opportunity] = account.by_contact[contact.id].values()
    assert opportunity.stage == "applicant-new"
    assert opportunity.posting_id == posting_id(lever, "Data Engineer")
    assert {"CodeScreen Backend", "Hot", "CodeScreen Data Enginer"} <= set(opportunity.tags)


def test_an_added_candidate_without_an_address_can_be_found(lever: LeverSandbox):
    add(lever, email="", tags="")
    listed = requests.get(f"{lever.url}/acme/candidates?q=acacia", timeout=30).text
    assert "Candidate Acacia" in listed
    assert "no e-mail address" in listed


def test_a_known_address_becomes_another_opportunity_of_the_same_person(lever: LeverSandbox):
    add(lever, email="Alder@candidates.example")
    account = lever.accounts["acme"]
    assert len(account.by_contact[account.opportunities[ALDER].contact_id]) == 2


def test_a_candidate_without_a_name_is_refused(lever: LeverSandbox):
    before = len(lever.accounts["acme"].opportunities)
    assert "A candidate needs a name." in add(lever, name=" ").text
    assert len(lever.accounts["acme"].opportunities) == before


def test_levers_own_address_of_a_candidate_leads_to_the_profile(lever: LeverSandbox):
    answer = requests.get(f"{lever.url}/candidates/{ALDER}", timeout=30)
    assert answer.url == f"{lever.url}/acme/candidates/{ALDER}"
    assert requests.get(f"{lever.url}/candidates/nobody", timeout=30).status_code == 404


def test_a_candidates_address_is_corrected(lever: LeverSandbox):
    page = f"{lever.url}/acme/candidates/{ALDER}"
    corrected = requests.post(
        f"{page}/email", data={"email": "alder.new@candidates.example"}, timeout=30
    ).text
    assert "E-mail address corrected." in corrected
    contact = lever.accounts["acme"].contact_by_email["alder.new@candidates.example"]
    assert contact.emails == ["alder.new@candidates.example"]
    requests.post(f"{page}/email", data={"email": "nonsense"}, timeout=30)
    assert contact.emails == ["alder.new@candidates.example"]


def is_active(lever: LeverSandbox) -> bool:
    return lever.accounts["acme"].users[SUPER_ADMIN].deactivated_at is None


def test_a_user_is_deactivated_and_activated_again(lever: LeverSandbox):
    page = f"{lever.url}/acme/settings/users"
    answer = requests.post(page, {"user": SUPER_ADMIN}, timeout=30)
    assert "Deactivated Acme Super Admin." in answer.text
    assert not is_active(lever)
    answer = requests.post(page, {"user": SUPER_ADMIN, "act": "activate"}, timeout=30)
    assert "Activated Acme Super Admin." in answer.text
    assert is_active(lever)
    assert requests.post(page, {"user": "nobody"}, timeout=30).status_code == 404


def test_the_control_api_deactivates_and_activates_users(lever: LeverSandbox):
    active = control(lever, "users", {"account": "acme", "deactivate": [SUPER_ADMIN], "activate": [FORMER]})
    assert FORMER in active["active"]
    assert SUPER_ADMIN not in active["active"]
