"""Every page in Chromium for every role: no axe violation, console error, policy violation or sideways scrolling.

Each is checked wide and light, narrow and dark, where it also suits a phone: few bytes, short and for fingers. The
pages come from the URL patterns, so none is forgotten.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import BadRequest
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser

from integrations.accounts.models.attempts import Limit
from integrations.health.models import WebhookRejection
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.members.models.membership import Membership
from integrations.notifications.link_emails import choose_password_link, membership_link
from integrations.notifications.models.email_kind import Fact, Line, Link
from integrations.notifications.rendering import as_html, render
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.pages.preview import PreviewView
from portal.accounts import limits
from tests.admin.conftest import Customer, make_customer
from tests.pages.candidate import histories
from tests.pages.test_access import ALLOWED, EVERYBODY, PUBLIC, ROLES
from tests.support import addresses, factories
from tests.support.addresses import Address
from tests.support.browsing import SHAPES, Visit
from tests.support.every_state import make_candidates
from tests.support.identity_provider import make_provider
from tests.support.second_factors import make_strong, signed_in, with_app, with_passkey, with_recovery_codes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ONE_SHAPE = SHAPES[:1]
#: Further states of a page, as query strings.
STATES = {
    "activity": [
        "?mine=1",
        "?view=attention",
        "?view=not_invited",
        "?status=held",
        "?status=uncertain",
        "?view=not_invited&reason=entered_before",
        "?q=nobody+has+this+name",
    ],
    "candidates-bulk": [
        "?act=send&all=1",
        "?act=cancel&all=1",
        "?act=retry",
        "?act=decide&all=1",
        "?act=settle&status=uncertain&all=1",
        "?act=decide",
    ],
    "mapping-list": ["?show=unmapped", "?show=problems", "?q=nothing", "?stage=stage-1&q=ch"],
    "preview": [
        "?candidate=opportunity-acme&stage=stage-1",
        "?candidate=two+words&stage=stage-1",
        "?candidate=Candidate&stage=stage-1",
    ],
    "audit": ["?action=nothing"],
    "candidate": ["?show=technical"],
    "report": ["?by=week"],
    "settings": ["?change"],
    "team": ["?people"],
    "login": ["?next=/activity/"],
}
NO_PAGE = {"switch-organization", "mfa_download_recovery_codes"}
#: django-allauth's pages, which need what the person signs in with; another test opens them.
OF_ACCOUNTS = ("account_", "mfa_", "usersessions_", "openid_connect_")


@pytest.fixture
def acme() -> Customer:
    """A customer with a row of every kind, and candidates in every state."""
    customer = make_customer("acme")
    fill(customer.organization)
    return customer


def fill(organization: Organization) -> None:
    """Add candidates in every state, more than a page has, one whose name is long, and problems of each kind."""
    make_candidates(organization, [1])
    name = "Candidate Withaverylongnamethatdoesnotbreak"
    row = factories.in_status(organization, "in_progress", candidate_name=name, instance_id="i-long")
    factories.CandidateFactory.create(
        organization=organization, opportunity_id=row.opportunity_id, name=name, invitation=row
    )
    Result.objects.filter(outcome="Failed").update(
        failure_reason="Unit Tests", report_url="https://codescreen.example/report"
    )
    for state in Effect.State.values:
        if state != "leased":
            due_at = timezone.now() if state == "due" else None
            factories.EffectFactory.create(organization=organization, state=state, due_at=due_at)
    WebhookRejection.record(organization, "lever", "signature_mismatch", "former_token")
    factories.member(organization, Membership.Role.TEAM_MEMBER, "a-rather-long-user-name-of-somebody")


def newcomer() -> User:
    """Return the Super Admin of an empty organization."""
    person: User = factories.member(
        factories.OrganizationFactory.create(), Membership.Role.SUPER_ADMIN, "newcomer"
    )
    return person


def site_pages(customer: Customer, *, with_rows: bool = True) -> Iterator[tuple[Address, str]]:
    """Yield the address of each page of the site in each of its states."""
    for address in addresses.of(customer):
        if (
            address.name in (set(ALLOWED) | PUBLIC | EVERYBODY) - NO_PAGE
            and not address.name.startswith(OF_ACCOUNTS)
            and (with_rows or not address.has_row)
        ):
            yield address, address.url
            for state in STATES.get(address.name, []):
                yield address, address.url + state


def pages_of_accounts(customer: Customer, passkey: Authenticator) -> Iterator[str]:
    """Yield the address of each page about signing in and its proofs that a person with a passkey is shown."""
    for address in addresses.of(customer):
        if address.name in EVERYBODY - NO_PAGE and address.name.startswith(OF_ACCOUNTS):
            about_it = address.name in {"mfa_edit_webauthn", "mfa_remove_webauthn"}
            yield reverse(address.name, kwargs={"pk": passkey.pk}) if about_it else address.url


def with_every_factor(visit: Visit, user: User) -> Authenticator:
    """Give the visit's person a password and every second factor, proven just now. Return the passkey."""
    with_app(user)
    with_recovery_codes(user)
    passkey = with_passkey(user)
    client = signed_in(user)
    make_strong(client)
    visit.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": visit.site}]
    )
    return passkey


def is_page(visit: Visit, path: str) -> bool:
    """Whether the address answers GET with a page; the addresses of buttons answer 405, some others with a file."""
    answer = visit.context.request.get(visit.site + path, max_redirects=0)
    assert answer.status in {200, 302, 405}, (path, answer.status)
    return answer.status == 200 and "attachment" not in answer.headers.get("content-disposition", "")


def test_every_page_of_a_busy_organization(browser: Browser, live_server, acme: Customer) -> None:
    with Visit(browser, live_server.url, acme.rows[Membership].user) as visit:
        for _, path in site_pages(acme):
            if is_page(visit, path):
                visit.open_and_check(path)
        assert visit.checks >= 30 * len(SHAPES)


def test_every_page_of_accounts(browser: Browser, live_server, acme: Customer) -> None:
    person = newcomer()
    with Visit(browser, live_server.url) as visit:
        passkey = with_every_factor(visit, person)
        for path in pages_of_accounts(acme, passkey):
            if is_page(visit, path):
                visit.open_and_check(path)
        assert visit.checks >= 9 * len(SHAPES)
        Authenticator.objects.filter(user=person).delete()
        for path in ("/accounts/2fa/", "/accounts/2fa/totp/activate/"):
            visit.open_and_check(path)


def test_a_candidate_in_each_state(browser: Browser, live_server, organization, super_admin) -> None:
    made = [histories.make(organization, state) for state in histories.STATES]
    with Visit(browser, live_server.url, super_admin) as visit:
        for number, address in enumerate([*made, f"{made[0]}?show=technical"]):
            visit.open_and_check(address, shapes=[SHAPES[number % 2]])


def test_the_list_of_candidates_while_rows_are_ticked(browser: Browser, live_server, acme: Customer) -> None:
    with Visit(browser, live_server.url, acme.rows[Membership].user) as visit:
        visit.page.goto(f"{visit.site}/activity/?status=held")
        visit.page.locator("td.tick input").first.check()
        assert visit.page.get_by_role("form", name="Ticked candidates").is_visible()
        visit.check()


def test_a_name_has_the_width_of_its_words_when_a_phone_is_narrow(browser: Browser, live_server) -> None:
    organization = factories.OrganizationFactory.create()
    person = factories.member(organization, Membership.Role.ADMIN, "admin")
    held = factories.InvitationFactory.create(organization=organization, status="held")
    factories.CandidateFactory.create(
        organization=organization,
        opportunity_id=held.opportunity_id,
        invitation=held,
        name="Guava Araucaria",
    )
    with Visit(browser, live_server.url, person) as visit:
        visit.page.set_viewport_size({"width": 320, "height": 900})
        visit.page.goto(f"{visit.site}/activity/")
        name = visit.page.get_by_role("link", name="Guava Araucaria", exact=True)
        lines = "element => new Set([...element.getClientRects()].map((line) => line.top)).size"
        assert name.evaluate(lines) == 1


def test_an_email(browser: Browser, live_server, acme: Customer) -> None:
    link = Link("Open in the portal", f"{live_server.url}/activity/")
    lines: list[Line] = [
        "Alder Birch · Backend Engineer",
        Fact("Result", "Failed"),
        Fact("Score", "41"),
        link,
    ]
    with Visit(browser, live_server.url, acme.rows[Membership].user) as visit:
        email = render("Alder: Failed 41 (Backend)", lines)
        visit.check_email(as_html(email, acme.organization, f"{live_server.url}/unsubscribe/x/"))


def test_every_page_of_an_empty_organization(browser: Browser, live_server, acme: Customer) -> None:
    with Visit(browser, live_server.url, newcomer()) as visit:
        for address, path in site_pages(acme, with_rows=False):
            if path == address.url and is_page(visit, path):
                visit.open_and_check(path, shapes=ONE_SHAPE)


@pytest.mark.parametrize("role", ROLES[2:])
def test_every_page_as_each_other_role(browser: Browser, live_server, acme: Customer, role: str) -> None:
    person = factories.member(acme.organization, role, "colleague")
    factories.on_candidate(acme.organization, acme.rows[Invitation].opportunity_id, person.email)
    rank = ROLES.index(role) + 1
    with Visit(browser, live_server.url, person) as visit:
        refused = ""
        for address, path in site_pages(acme):
            if rank > ALLOWED.get(address.name, len(ROLES)):
                refused = path
            elif path == address.url and is_page(visit, path):
                visit.open_and_check(path, shapes=ONE_SHAPE)
        visit.open_and_check(refused, status=403)


def test_every_page_without_signing_in(browser: Browser, live_server, acme: Customer) -> None:
    invited = User.objects.create_user("invited", "invited@acme.example")
    invited.set_unusable_password()
    invited.save()
    Membership.objects.create(user=invited, organization=acme.organization, role="team_member")
    make_provider("acme")
    unsubscribe = next(one.url for one in addresses.of(acme) if one.name == "unsubscribe")
    with Visit(browser, live_server.url) as visit:
        for path in (
            "/accounts/login/",
            "/accounts/login/?next=/activity/",
            unsubscribe,
            "/accounts/password/reset/key/1-no-such-token/",
            "/accounts/oidc/acme/login/",
        ):
            visit.open_and_check(path)
        visit.open_and_check("/accounts/oidc/acme/login/callback/", status=403)
        visit.open_and_check(choose_password_link(invited).removeprefix("http://testserver"))
        visit.send(password1="short", password2="other")
        visit.check()
        pending = factories.invited(acme.organization, "somebody-with-a-long-address@acme.example")
        visit.open_and_check("/membership/no-such-token/")
        visit.open_and_check(membership_link(pending).removeprefix("http://testserver"))
        visit.send(password1="short", password2="other")
        visit.check()
        visit.open_and_check("/accounts/login/")
        visit.send(login="nobody", password="wrong")
        visit.check()
        visit.press("text=Forgotten your password?")
        visit.check()
        visit.page.evaluate("document.querySelector('main form').noValidate = true")
        visit.send(email="nobody@nowhere")
        visit.check()
        visit.send(email="invited@acme.example")
        assert visit.page.url.endswith("/password/reset/done/")
        visit.check()


def test_every_error_page(browser: Browser, live_server, acme: Customer, settings, monkeypatch) -> None:
    monkeypatch.setattr(limits, "ACCOUNT_FROM_NETWORK", (Limit(1, 900.0),))
    cache.clear()
    outsider = User.objects.create_user("outsider", "outsider@nowhere.example")
    with Visit(browser, live_server.url, acme.rows[Membership].user) as visit:
        visit.open_and_check("/nowhere/", status=404)
        for failure, status in (
            (BadRequest("no"), 400),
            (OperationalError("gone"), 503),
            (RuntimeError("bug"), 500),
        ):

            def fail(*_: Any, failure: Exception = failure, **__: Any) -> None:
                raise failure

            monkeypatch.setattr(PreviewView, "get_context_data", fail)
            visit.open_and_check("/preview/", status=status)
    with Visit(browser, live_server.url, outsider) as visit:
        visit.open_and_check("/", status=403)
    with Visit(browser, live_server.url) as visit:
        visit.page.goto(visit.site + "/accounts/login/")
        visit.context.clear_cookies()
        visit.send(login="nobody", password="wrong")
        assert "too old" in visit.page.inner_text("main")
        visit.check()
        for _ in range(2):
            visit.page.goto(visit.site + "/accounts/login/")
            visit.send(login="nobody", password="wrong")
        assert "Too many attempts" in visit.page.inner_text("main")
        visit.check()


def test_every_page_of_the_admin(browser: Browser, live_server, acme: Customer) -> None:
    superuser = User.objects.create_superuser("root-of-all", "root@portal.example")
    pages = [
        one.url
        for one in addresses.of(acme)
        if one.name.startswith("admin:")
        and not one.name.startswith(
            "admin:auth_"
        )  # Django's own widgets for users and groups, for superusers
        and one.name.rpartition("_")[2] in {"changelist", "change", "add"}
    ]
    lead = acme.rows[Membership].user
    with Visit(browser, live_server.url, lead) as visit, Visit(browser, live_server.url, superuser) as root:
        for number, path in enumerate(pages):
            answer = visit.context.request.get(visit.site + path, max_redirects=0)
            if answer.status == 200:  # their templates are the same few: each is seen in both shapes
                visit.open_and_check(path, shapes=SHAPES[number % 2 :])
            elif root.context.request.get(root.site + path, max_redirects=0).status == 200:
                root.open_and_check(path, shapes=ONE_SHAPE)
        assert visit.checks > 30


def test_steps_and_tabs_differ_in_forced_colours(browser: Browser, live_server, acme: Customer) -> None:
    invitation = Invitation.objects.get(organization=acme.organization, instance_id="i-long")
    with Visit(browser, live_server.url, acme.rows[Membership].user, forced_colors="active") as visit:
        visit.page.goto(f"{live_server.url}/activity/{invitation.opportunity_id}/")
        looks = visit.page.locator(".steps > li").evaluate_all(
            "(steps) => steps.map((one) => getComputedStyle(one, '::before').backgroundColor)"
        )
        assert len(set(looks)) == 3  # done, now, to come
        tabs = visit.page.locator(".tabs a").evaluate_all(
            "(tabs) => tabs.map((one) => getComputedStyle(one).backgroundColor)"
        )
        assert len(set(tabs)) == 2
