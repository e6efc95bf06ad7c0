"""`configure` and `export_config`: the printed difference, repeated runs, errors that name the key."""

import tomllib
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings, strategies

from integrations.audit.models.entry import AuditEntry
from integrations.catalog.models import RoleMapping
from integrations.codescreen.models import CodeScreenConnection
from integrations.configuration.section import quoted
from integrations.lever.models.webhook import LeverWebhook
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from tests.management.conftest import printed_by

pytestmark = pytest.mark.django_db

WHOLE = """
[organization]
name = "Acme"
slug = "acme"
webhook_key = "acme-webhook-key"
stage_prefix = "Code Screen"
[[members]]
username = "recruiting-lead"
email = "recruiting@acme.example"
role = "super_admin"
password = "a long passphrase"
[[members]]
username = "viewer"
email = "viewer@acme.example"
role = "limited_team_member"
[policies]
bulk_limit = 20
paused = true
[lever]
signature_token = "token-two"
previous_signature_token = "token-one"
[codescreen]
api_key = "the-api-key"
webhook_secret = "whsec_Y29kZXNjcmVlbi1jb250cmFjdC10ZXN0LXNlY3JldCE="
[[mappings]]
role = "Backend Engineer"
stage = "CodeScreen Assessment"
assessment = "Backend"
[[mappings]]
role = "Frontend Engineer"
assessment = "Frontend"
"""
SECRETS = ("a long passphrase", "token-one", "token-two", "the-api-key", "Y29kZXNj", "acme-webhook-key")


def exported(slug: str = "acme") -> str:
    return printed_by("export_config", slug)


def test_a_complete_file_creates_everything(configure) -> None:
    output = configure(WHOLE)
    assert '+ organization "acme": "Acme"' in output
    assert not [secret for secret in SECRETS if secret in output]
    organization = Organization.objects.get()
    assert (organization.name, organization.slug) == ("Acme", "acme")
    assert (organization.stage_prefix, organization.webhook_key) == ("Code Screen", "acme-webhook-key")
    assert (organization.bulk_limit, organization.paused) == (20, True)
    webhook = LeverWebhook.objects.get()
    assert (webhook.signature_token, webhook.previous_signature_token) == ("token-two", "token-one")
    assert webhook.previous_until is not None
    assert timedelta(hours=23) < webhook.previous_until - timezone.now() <= timedelta(hours=24)
    connection = CodeScreenConnection.objects.get()
    assert connection.api_key == "the-api-key"
    assert connection.webhook_secret.startswith("whsec_")
    assert RoleMapping.objects.get(role="Backend Engineer").stage == "CodeScreen Assessment"
    assert RoleMapping.objects.get(role="Frontend Engineer").stage == ""
    lead = User.objects.get(username="recruiting-lead")
    assert lead.check_password("a long passphrase")
    assert lead.is_staff
    assert not lead.is_superuser
    assert not User.objects.get(username="viewer").is_staff
    assert Membership.objects.get(user=lead).role == "super_admin"
    changes = str(list(AuditEntry.objects.values_list("changes", flat=True)))
    assert not [secret for secret in SECRETS if secret in changes]


def test_the_same_file_twice_changes_nothing(configure) -> None:
    configure(WHOLE)
    LeverWebhook.objects.update(previous_until=timezone.now() - timedelta(days=1))
    before = (AuditEntry.objects.count(), LeverWebhook.objects.get().previous_until)
    passwords = list(User.objects.values_list("password", flat=True))
    assert configure(WHOLE).startswith("nothing to change\n")
    assert (AuditEntry.objects.count(), LeverWebhook.objects.get().previous_until) == before
    assert list(User.objects.values_list("password", flat=True)) == passwords


def test_a_dry_run_prints_the_difference_and_writes_nothing(configure) -> None:
    output = configure(WHOLE, "--dry-run")
    assert not Organization.objects.exists()
    assert not User.objects.exists()
    assert not AuditEntry.objects.exists()
    real = configure(WHOLE)
    assert real.startswith(output)
    assert "invite" not in output


def test_a_member_without_a_password_gets_a_link_that_works(configure) -> None:
    output = configure(WHOLE)
    links = [line for line in output.splitlines() if "invitation link" in line]
    assert len(links) == 1
    assert links[0].startswith("invitation link for viewer: http://testserver/accounts/password/reset/key/")
    answer = Client().get(links[0].split(": ")[1].removeprefix("http://testserver"), follow=True)
    assert answer.status_code == 200
    assert 'name="password1"' in answer.content.decode()


def test_changes_are_printed_with_before_and_after_and_what_is_missing_stays(configure) -> None:
    configure(WHOLE)
    client = Client()
    client.post("/accounts/login/", {"login": "recruiting-lead", "password": "a long passphrase"})
    assert client.get("/account/").status_code == 200
    changed = (
        WHOLE.replace('name = "Acme"', 'name = "Acme Two"')
        .replace("bulk_limit = 20", "bulk_limit = 30")
        .replace('role = "limited_team_member"', 'role = "admin"')
        .replace("a long passphrase", "another passphrase")
        .replace("the-api-key", "the-next-key")
        .replace('"token-two"', '"token-three"')
        .replace('"token-one"', '"token-two"')
        .replace('assessment = "Frontend"', 'assessment = "React"')
    )
    assert configure(changed).splitlines()[:-1] == [
        '~ organization.name: "Acme" → "Acme Two"',
        "~ policies.bulk_limit: 20 → 30",
        '~ member "recruiting-lead" password: changed',
        '~ member "viewer" role: limited_team_member → admin',
        "~ lever.signature_token: changed",
        "~ lever.previous_signature_token: changed",
        "~ codescreen.api_key: changed",
        '~ mapping "Frontend Engineer" × any CodeScreen stage: "Frontend" → "React"',
    ]
    webhook = LeverWebhook.objects.get()
    assert (webhook.signature_token, webhook.previous_signature_token) == ("token-three", "token-two")
    assert RoleMapping.objects.get(role="Frontend Engineer").assessment == "React"
    assert User.objects.get(username="recruiting-lead").check_password("another passphrase")
    assert client.get("/account/").status_code == 302, "a new password ends the person's sessions"
    assert not User.objects.get(username="viewer").is_staff
    assert configure(changed).startswith("nothing to change")
    assert configure('[organization]\nslug = "acme"\n') == "nothing to change\n"
    assert (RoleMapping.objects.count(), Membership.objects.count()) == (2, 2)


def test_the_last_super_admin_is_demoted_only_by_a_file_that_makes_another(configure) -> None:
    configure(WHOLE)
    demoted = WHOLE.replace('"super_admin"', '"admin"')
    for options in ((), ("--dry-run",)):
        with pytest.raises(CommandError, match=r"recruiting-lead is the last Super Admin\. Make somebody"):
            configure(demoted.replace("bulk_limit = 20", "bulk_limit = 7"), *options)
    assert Membership.objects.get(user__username="recruiting-lead").role == "super_admin"
    assert Organization.objects.get().bulk_limit == 20
    configure(demoted.replace("limited_team_member", "super_admin"))
    roles = dict(Membership.objects.values_list("user__username", "role"))
    assert roles == {"recruiting-lead": "admin", "viewer": "super_admin"}


RULES = """
[policies]
passing_score = 70
[[mappings]]
department = "Engineering"
location = "Berlin"
assessment = "Backend"
approval = "always"
passing_score = 0
"""


def test_rules_that_may_be_left_out_are_set_exported_replaced_and_taken_away(configure) -> None:
    head = '[organization]\nname = "Acme"\nslug = "acme"\n'
    mapping = 'mapping "Department Engineering · Location Berlin" × any CodeScreen stage'
    configure(head)
    assert configure(head + RULES).splitlines() == [
        "+ policies.passing_score: 70",
        f'+ {mapping}: "Backend"',
        f'~ {mapping} approval: "" → "always"',
        f"+ {mapping} passing_score: 0",
    ]
    assert all(line in exported() for line in RULES.split("[[")[1].splitlines()[1:])
    assert configure(head + RULES) == "nothing to change\n"
    fewer = head + RULES.replace("= 70", '= ""').replace("= 0", '= ""').replace("always", "")
    assert configure(fewer).splitlines() == [
        "- policies.passing_score: 70",
        f'~ {mapping} approval: "always" → ""',
        f"- {mapping} passing_score: 0",
    ]
    assert "passing_score" not in exported()
    assert configure(fewer) == "nothing to change\n"


def _tokens() -> tuple[str, str]:
    webhook = LeverWebhook.objects.get()
    return webhook.signature_token, webhook.previous_signature_token if webhook.has_previous else ""


def _lever(main: str, previous: str) -> str:
    lever = f'[lever]\nsignature_token = "{main}"\nprevious_signature_token = "{previous}"\n'
    return f'[organization]\nname = "A"\nslug = "a"\n{lever}'


@pytest.mark.parametrize("before", ["PPP", None])
def test_a_replaced_token_is_honoured_beside_a_file_that_names_an_older_one(configure, before) -> None:
    first = _lever("AAA", "PPP")
    configure(first if before else first.rsplit("previous_signature_token", 1)[0])
    file = _lever("BBB", "PPP")
    assert configure(file) == "~ lever.signature_token: changed\n"
    assert _tokens() == ("BBB", "AAA")
    assert configure(file) == "nothing to change\n"
    assert _tokens() == ("BBB", "AAA")
    LeverWebhook.objects.update(previous_until=timezone.now() - timedelta(days=1))
    assert configure(file) == "nothing to change\n"
    assert _tokens() == ("BBB", "")


def test_an_empty_previous_token_ends_the_overlap_in_the_same_run(configure) -> None:
    configure(_lever("AAA", "PPP"))
    file = _lever("BBB", "")
    assert configure(file).splitlines() == [
        "~ lever.signature_token: changed",
        "- lever.previous_signature_token: removed",
    ]
    assert _tokens() == ("BBB", "")
    assert configure(file) == "nothing to change\n"
    configure(_lever("BBB", "QQQ"))
    assert _tokens() == ("BBB", "QQQ")


def test_an_optional_secret_can_be_removed_and_another_organizations_stays(configure) -> None:
    configure(WHOLE)
    configure(WHOLE.replace('"acme"', '"globex"').replace("acme-webhook-key", "globex-key"))
    assert (RoleMapping.objects.count(), Membership.objects.count(), User.objects.count()) == (4, 4, 2)
    output = configure('[organization]\nslug = "acme"\n[codescreen]\nwebhook_secret = ""\n')
    assert output == "- codescreen.webhook_secret: removed\n"
    secrets = {row.organization.slug: row.webhook_secret for row in CodeScreenConnection.objects.all()}
    assert (secrets["acme"], bool(secrets["globex"])) == ("", True)


def test_an_exported_file_reads_back_without_a_difference(configure) -> None:
    configure(WHOLE)
    text = exported()
    assert not [secret for secret in SECRETS if secret in text]
    for name in ("webhook_key", "password", "previous_signature_token", "api_key", "webhook_secret"):
        assert f"# {name} is set" in text
    assert configure(text).startswith("nothing to change\n")


def test_any_stored_text_is_exported(configure) -> None:
    organization = Organization.objects.create(name='Quotes " and \\ and\n\x1b[31mé🙂\u2028', slug="odd")
    RoleMapping.objects.create(organization=organization, role=" padded ", stage="\t", assessment="😀")
    text = exported("odd")
    assert "\x1b" not in text
    assert tomllib.loads(text)["organization"]["name"] == organization.name
    assert configure(text) == "nothing to change\n"


@given(strategies.text(alphabet=strategies.characters(exclude_categories=["Cs"])))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_survives_being_quoted(text: str) -> None:
    assert tomllib.loads(f"key = {quoted(text)}") == {"key": text}
    assert quoted(text).isprintable()
