"""Members are added, changed and removed, and each change is audited."""

from integrations.members.acts.members import save_member
from integrations.members.models.membership import Membership
from integrations.outbox.models.effect import Effect
from tests.support.factories import recorded


def test_saving_a_member_audits_only_what_changed(organization, super_admin):
    save_member(organization, "new", "admin", "configure", email="n@a.example", password="a long passphrase")
    save_member(organization, "new", "admin", "configure", email="n@a.example", password="a long passphrase")
    save_member(organization, "new", "team_member", "configure")
    save_member(organization, "new", "admin", "configure", email="m@a.example")
    entries = recorded().order_by("pk")
    assert [(entry.action, entry.changes) for entry in entries] == [
        ("add_member", {"role": ["", "admin"], "email": ["", "n@a.example"], "password": ["empty", "set"]}),
        ("change_role", {"role": ["admin", "team_member"]}),
        ("change_member", {"role": ["team_member", "admin"], "email": ["n@a.example", "m@a.example"]}),
    ]


def test_the_email_about_a_changed_member_leads_to_the_team(organization, super_admin):
    save_member(organization, "new", "admin", super_admin)
    [email] = Effect.objects.filter(email_topic="members_changed")
    assert email.payload["lines"][-1]["url"].endswith("/settings/team/")


def test_a_members_address_is_that_of_the_operators_file(organization):
    save_member(organization, "new", "limited_team_member", "configure", email="N@A.example")
    assert Membership.objects.get().address == "n@a.example"
    save_member(organization, "new", "limited_team_member", "configure", email="m@a.example")
    assert Membership.objects.get().address == "m@a.example"
