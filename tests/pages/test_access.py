"""Which role may use which page. tests/test_addresses.py checks every address by these tables."""

import pytest
from django.urls import reverse

from integrations.members.models.membership import Membership
from tests.support import factories
from tests.support.addresses import names

PUBLIC = {
    "login",
    "membership-link",
    "account_login",
    "account_inactive",
    "account_logout",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "openid_connect_login",
    "openid_connect_callback",
    "unsubscribe",
}
ROLES = ("super_admin", "admin", "team_member", "limited_team_member")

#: By URL name, how many of ROLES may use the address: 4 is everybody, 1 only Super Admins.
ALLOWED = {
    "overview": 4,
    "activity": 4,
    "candidate": 4,
    "candidate-data": 2,
    "settings": 4,
    "emails-choose": 4,
    "ask": 4,
    "notification-settings": 2,
    "passed": 2,
    "pause": 2,
    "help": 4,
    "help-set-up": 4,
    "help-results": 4,
    "help-team": 4,
    "audit": 2,
    "audit-export": 2,
    "candidates-mine": 3,
    "candidates-export": 3,
    "candidates-bulk": 3,
    "candidates-take-over": 2,
    "other-integration-off": 1,
    "lever-people": 1,
    "mapping-list": 3,
    "preview": 3,
    "report": 3,
    "report-export": 3,
    "effect-retry": 3,
    "mapping-add": 2,
    "mapping-edit": 2,
    "mapping-delete": 2,
    "mapping-refresh": 2,
    "mapping-assign": 2,
    "resume": 2,
    "rules": 2,
    "team": 1,
    "delivery-replay": 2,
    "offered-invite": 2,
    "invitation-sent": 2,
    "invitation-send-again": 2,
    "invitation-again": 2,
    "invitation-approve": 2,
    "invitation-cancel": 2,
    "lever-disconnect": 1,
    "lever-account": 1,
    "lever-key": 1,
    "lever-key-author": 1,
    "webhooks-make": 1,
    "address-replace": 1,
    "token-retire": 1,
    "token-rotate": 1,
    "webhooks-remove": 1,
    "member-link": 1,
    "member-role": 1,
    "member-remove": 1,
    "pending-member": 1,
    "pending-withdraw": 1,
    "member-second-factor": 1,
    "security": 1,
    "api-tokens": 1,
    "api-token-revoke": 1,
    "api-token-rotate": 1,
}
EVERYBODY = {
    "switch-organization",
    "account",
    "membership-answer",
    "membership-leave",
    *(name for name in names() if name.startswith(("account_", "mfa_", "usersessions_"))),
} - PUBLIC
#: Addresses that lead to the page of their form, or back when nothing was asked for on the page before them.
LEAD_ON = {"lever-account", "lever-key-author", "lever-key", "api-tokens"}
#: Addresses that lead on to a page, which checks who may see it.
MOVED = {"health", "notifications"}


def test_a_person_without_membership_sees_what_to_do(client_for, db):
    answer = client_for(factories.UserFactory.create()).get("/")
    assert answer.status_code == 403
    assert "Ask a Super Admin" in answer.content.decode()


def test_only_own_organizations_can_be_switched_to(super_admin_client, super_admin, stranger, organization):
    mine = factories.OrganizationFactory.create(name="Second House")
    Membership.objects.create(user=super_admin, organization=mine, role=Membership.Role.ADMIN)
    theirs = Membership.objects.get(user=stranger).organization
    switch = reverse("switch-organization")
    assert super_admin_client.post(switch, {"organization": theirs.slug}).status_code == 404
    answer = super_admin_client.post(switch, {"organization": mine.slug, "next": "//evil.example/"})
    assert answer["Location"] == "/"
    assert super_admin_client.session["organization"] == mine.slug
    assert "Second House" in super_admin_client.get("/").content.decode()


def test_only_pages_with_a_connect_button_may_redirect_to_lever(super_admin_client, settings):
    settings.LEVER_AUTH_URL = settings.LEVER_EU_AUTH_URL = "https://auth.lever.example"
    plain = super_admin_client.get("/activity/")["Content-Security-Policy"]
    assert "unsafe" not in plain
    assert "form-action 'self';" in plain
    for page in ("settings", "overview"):  # while there is a checklist
        relaxed = super_admin_client.get(reverse(page))["Content-Security-Policy"]
        assert "form-action 'self' https://auth.lever.example;" in relaxed
        assert relaxed.replace(" https://auth.lever.example", "") == plain


@pytest.mark.parametrize(
    ("role", "is_staff", "may_read"),
    [
        ("super_admin", False, True),
        ("admin", False, True),
        ("team_member", False, False),
        ("team_member", True, True),
        ("limited_team_member", True, False),
    ],
)
def test_one_rule_says_who_reads_the_log_on_its_page_and_in_the_admin(
    client_for, organization, role, is_staff, may_read
):
    user = factories.member(organization, role, "reader")
    user.is_staff = is_staff
    user.save()
    client = client_for(user)
    expected = 200 if may_read else 403
    file = client.get("/audit/export/")
    file.getvalue()  # read to its end, which closes it
    assert client.get("/audit/").status_code == file.status_code == expected
    if is_staff:
        assert client.get("/admin/integrations/auditentry/").status_code == expected
    assert ('href="/audit/"' in client.get("/settings/").content.decode()) is may_read


def test_a_page_that_is_refused_names_the_super_admins_and_is_a_line_of_the_log(
    team_member_client, super_admin, caplog
):
    answer = team_member_client.get("/audit/")
    assert answer.status_code == 403
    assert super_admin.username in answer.content.decode()
    [record] = [record for record in caplog.records if "was refused" in record.message]
    assert "refused /audit/ as team_member" in record.message
