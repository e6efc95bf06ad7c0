"""`configure` and `export_config`: the printed difference, repeated runs, errors that name the key."""

import tomllib
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings, strategies

from integrations.configuration import dump
from integrations.configuration.toml import quoted
from integrations.models import (
    AuditEntry,
    CodeScreenConnection,
    Delivery,
    LeverWebhook,
    Membership,
    Organization,
    RatingThresholds,
    RoleMapping,
)

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
bulk_window = 5
default_assessment = "Backend"
note_on_skip = false
paused = true
[lever]
signature_token = "token-two"
previous_signature_token = "token-one"
[codescreen]
api_key = "the-api-key"
webhook_secret = "whsec_Y29kZXNjcmVlbi1jb250cmFjdC10ZXN0LXNlY3JldCE="
idempotency = true
[[mappings]]
role = "Backend Engineer"
stage = "CodeScreen Assessment"
assessment = "Backend"
[[mappings]]
role = "Frontend Engineer"
assessment = "Frontend"
"""
SECRETS = ("a long passphrase", "token-one", "token-two", "the-api-key", "Y29kZXNj", "acme-webhook-key")


@pytest.fixture
def configure(tmp_path: Path):
    def run(text: str | bytes, *options: str) -> str:
        path = tmp_path / "acme.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        out = StringIO()
        call_command("configure", str(path), *options, stdout=out)
        return out.getvalue()

    return run


def exported(slug: str = "acme") -> str:
    out = StringIO()
    call_command("export_config", slug, stdout=out)
    return out.getvalue()


def test_a_complete_file_creates_everything(configure) -> None:
    output = configure(WHOLE)
    assert '+ organization "acme": "Acme"' in output
    assert not [secret for secret in SECRETS if secret in output]
    organization = Organization.objects.get()
    assert (organization.name, organization.slug, organization.stage_prefix) == (
        "Acme",
        "acme",
        "Code Screen",
    )
    assert organization.webhook_key == "acme-webhook-key"
    assert (organization.bulk_limit, organization.bulk_window, organization.paused) == (20, 5, True)
    assert (organization.default_assessment, organization.note_on_skip) == ("Backend", False)
    webhook = LeverWebhook.objects.get()
    assert (webhook.signature_token, webhook.previous_signature_token) == ("token-two", "token-one")
    assert webhook.previous_until is not None
    assert timedelta(hours=23) < webhook.previous_until - timezone.now() <= timedelta(hours=24)
    connection = CodeScreenConnection.objects.get()
    assert (connection.api_key, connection.idempotency) == ("the-api-key", True)
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
    assert links[0].startswith("invitation link for viewer: http://testserver/invite/")
    answer = Client().get(links[0].split(": ")[1].removeprefix("http://testserver"), follow=True)
    assert answer.status_code == 200
    assert 'name="new_password1"' in answer.content.decode()


def test_changes_are_printed_with_before_and_after(configure) -> None:
    configure(WHOLE)
    changed = (
        WHOLE.replace('name = "Acme"', 'name = "Acme Two"')
        .replace("bulk_limit = 20", "bulk_limit = 30")
        .replace('role = "limited_team_member"', 'role = "admin"')
        .replace("a long passphrase", "another passphrase")
        .replace("the-api-key", "the-next-key")
        .replace('"token-two"', '"token-three"')
        .replace('"token-one"', '"token-two"')
        .replace('assessment = "Frontend"', 'assessment = "React"')
        .replace("idempotency = true", "idempotency = false")
    )
    assert configure(changed).splitlines()[:-1] == [
        '~ organization.name: "Acme" → "Acme Two"',
        "~ policies.bulk_limit: 20 → 30",
        '~ member "recruiting-lead" password: changed',
        '~ member "viewer" role: limited_team_member → admin',
        "~ lever.signature_token: changed",
        "~ lever.previous_signature_token: changed",
        "~ codescreen.api_key: changed",
        "~ codescreen.idempotency: true → false",
        '~ mapping "Frontend Engineer" × any CodeScreen stage: "Frontend" → "React"',
    ]
    webhook = LeverWebhook.objects.get()
    assert (webhook.signature_token, webhook.previous_signature_token) == ("token-three", "token-two")
    assert RoleMapping.objects.get(role="Frontend Engineer").assessment == "React"
    assert User.objects.get(username="recruiting-lead").check_password("another passphrase")
    assert not User.objects.get(username="viewer").is_staff
    assert configure(changed).startswith("nothing to change")


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_the_last_super_admin_is_not_demoted(configure, options: tuple[str, ...]) -> None:
    configure(WHOLE)
    demoted = WHOLE.replace('role = "super_admin"', 'role = "admin"').replace(
        "bulk_limit = 20", "bulk_limit = 7"
    )
    with pytest.raises(
        CommandError, match=r"recruiting-lead is the last Super Admin\. Make somebody else one"
    ):
        configure(demoted, *options)
    assert Membership.objects.get(user__username="recruiting-lead").role == "super_admin"
    assert Organization.objects.get().bulk_limit == 20


def test_a_super_admin_hands_over_in_one_file_in_either_order(configure) -> None:
    configure(WHOLE)
    handed_over = WHOLE.replace('role = "super_admin"', 'role = "admin"').replace(
        'role = "limited_team_member"', 'role = "super_admin"'
    )
    assert handed_over.index("recruiting-lead") < handed_over.index("viewer")
    configure(handed_over)
    roles = dict(Membership.objects.values_list("user__username", "role"))
    assert roles == {"recruiting-lead": "admin", "viewer": "super_admin"}


def test_values_missing_from_the_file_stay(configure) -> None:
    configure(WHOLE)
    assert configure('[organization]\nslug = "acme"\n') == "nothing to change\n"
    assert RoleMapping.objects.count() == 2
    assert Membership.objects.count() == 2


def test_a_new_signature_token_keeps_the_old_one_as_previous(configure) -> None:
    configure('[organization]\nname = "A"\nslug = "a"\n[lever]\nsignature_token = "one"\n')
    configure('[organization]\nslug = "a"\n[lever]\nsignature_token = "two"\n')
    webhook = LeverWebhook.objects.get()
    assert (webhook.signature_token, webhook.previous_signature_token) == ("two", "one")
    assert webhook.previous_until is not None
    assert webhook.previous_until > timezone.now()


def test_an_optional_secret_can_be_removed(configure) -> None:
    configure(WHOLE)
    output = configure('[organization]\nslug = "acme"\n[codescreen]\nwebhook_secret = ""\n')
    assert output == "- codescreen.webhook_secret: removed\n"
    assert CodeScreenConnection.objects.get().webhook_secret == ""


def test_ending_a_pause_requeues_what_waited(configure) -> None:
    configure(WHOLE)
    delivery = Delivery.objects.create(
        organization=Organization.objects.get(),
        platform="lever",
        event="candidateStageChange",
        dedupe_key="1",
        payload={},
        verdict="paused",
        decided_at=timezone.now(),
        due_at=None,
    )
    configure(WHOLE.replace("paused = true", "paused = false"))
    delivery.refresh_from_db()
    assert delivery.due_at is not None


def test_another_organizations_rows_are_left_alone(configure) -> None:
    configure(WHOLE)
    configure(WHOLE.replace('"acme"', '"globex"').replace("acme-webhook-key", "globex-key"))
    assert RoleMapping.objects.count() == 4
    assert Membership.objects.count() == 4
    assert User.objects.count() == 2


def test_policies_about_results_are_exported_and_read_back(configure) -> None:
    configure(WHOLE)
    both = '[organization]\nslug = "acme"\n[policies]\npassed_stage = "Phone screen"\nhold_failed = true\n'
    assert configure(both).splitlines() == [
        '~ policies.passed_stage: "" → "Phone screen"',
        "~ policies.hold_failed: false → true",
    ]
    exported = dump(Organization.objects.get())
    assert 'passed_stage = "Phone screen"' in exported
    assert "hold_failed = true" in exported
    assert configure(exported).startswith("nothing to change\n")


def test_the_author_of_feedback_is_exported_and_read_back(configure) -> None:
    configure(WHOLE)
    configure('[organization]\nslug = "acme"\n[policies]\nfeedback_author = "lever-user-7"\n')
    assert Organization.objects.get().feedback_author == "lever-user-7"
    exported = dump(Organization.objects.get())
    assert 'feedback_author = "lever-user-7"' in exported
    assert configure(exported).startswith("nothing to change\n")


def test_thresholds_of_an_assessment_are_stored_exported_and_removed(configure) -> None:
    configure(WHOLE)
    head = '[organization]\nslug = "acme"\n[[assessments]]\nname = "Backend"\n'
    first = head + "rating_thresholds = [40, 60, 90]\n"
    assert configure(first).splitlines() == ['+ assessment "Backend" rating_thresholds: [40, 60, 90]']
    assert configure(first) == "nothing to change\n"
    exported = dump(Organization.objects.get())
    assert '[[assessments]]\nname = "Backend"\nrating_thresholds = [40, 60, 90]\n' in exported
    assert configure(exported).startswith("nothing to change\n")
    assert configure(head + "rating_thresholds = [40, 70, 90]\n").splitlines() == [
        '~ assessment "Backend" rating_thresholds: [40, 60, 90] → [40, 70, 90]'
    ]
    assert configure(head + "rating_thresholds = []\n").splitlines() == [
        '- assessment "Backend" rating_thresholds: [40, 70, 90]'
    ]
    assert not RatingThresholds.objects.exists()


def test_a_mapping_that_makes_the_stage_on_pass_invite_refuses_no_other_change(configure) -> None:
    configure(WHOLE)
    target = '[organization]\nslug = "acme"\n[policies]\npassed_stage = "Phone screen"\n'
    configure(target)
    RoleMapping.objects.create(
        organization=Organization.objects.get(), role="Engineer", stage="Phone screen", assessment="Backend"
    )
    configure(target + "bulk_limit = 7\n")
    assert Organization.objects.get().bulk_limit == 7
    with pytest.raises(CommandError, match=r"policies\.passed_stage: Entering “phone screen”"):
        configure(target.replace("Phone", "phone"))


ERRORS = [
    ("name = ", "not TOML"),
    ("", "organization.slug is missing"),
    ('[organization]\nslug = "acme"\n', "organization.name is missing"),
    ('organization = "acme"\n', "organization must be a table"),
    ('[organization]\nname = "A"\nslug = "no slug"\n', "organization.slug"),
    ('[organization]\nname = ""\nslug = "acme"\n', "organization.name"),
    ('[organization]\nname = "  "\nslug = "acme"\n', "organization.name"),
    ('[organization]\nname = "A\\u0000"\nslug = "acme"\n', "organization.name must not contain a NUL"),
    (f'[organization]\nname = "{"x" * 201}"\nslug = "acme"\n', "organization.name"),
    ('[organization]\nname = "A"\nslug = "acme"\nwebhook_key = "a/b"\n', "organization.webhook_key"),
    ('[organization]\nname = "A"\nslug = "acme"\nstage_prefix = ""\n', "organization.stage_prefix"),
]
HEAD = '[organization]\nname = "A"\nslug = "acme"\n'
MORE_ERRORS = [
    ("[organisation]\n", "Unknown key organisation. Did you mean organization?"),
    ('[[assessments]]\nname = "B"\n', "assessments[1].rating_thresholds is missing"),
    ('[[assessments]]\nname = ""\nrating_thresholds = [1, 2, 3]\n', "assessments[1].name is empty"),
    (
        '[[assessments]]\nname = "B"\nrating_thresholds = [3, 2, 1]\n',
        "assessments[1].rating_thresholds must rise",
    ),
    (
        '[[assessments]]\nname = "B"\nrating_thresholds = [1, 2]\n',
        "assessments[1].rating_thresholds must be the lowest scores",
    ),
    (
        '[[assessments]]\nname = "B"\nrating_thresholds = [1, true, 101]\n',
        "assessments[1].rating_thresholds must be the lowest scores",
    ),
    (
        '[[assessments]]\nname = "B"\nrating_thresholds = 7\n',
        "assessments[1].rating_thresholds must be three whole numbers in brackets",
    ),
    ('[[assessments]]\nname = "B"\nthresholds = 7\n', "Unknown key assessments[1].thresholds"),
    (
        '[[assessments]]\nname = "B"\nrating_thresholds = []\n' * 2,
        "assessments[2] repeats",
    ),
    ("[policies]\nbulk_limt = 3\n", "Unknown key policies.bulk_limt. Did you mean bulk_limit?"),
    ('[policies]\nbulk_limit = "3"\n', "policies.bulk_limit must be a whole number, not text"),
    ("[policies]\nbulk_limit = true\n", "policies.bulk_limit must be a whole number, not true or false"),
    ("[policies]\nbulk_limit = -1\n", "policies.bulk_limit"),
    ("[policies]\nbulk_window = 0\n", "policies.bulk_window"),
    (
        f"[policies]\nbulk_window = {9 * 10**18}\n",
        "policies.bulk_window: Ensure this value is less than or equal to 43200",
    ),
    (
        f"[policies]\nbulk_limit = {9 * 10**18}\n",
        "policies.bulk_limit: Ensure this value is less than or equal to 1000000",
    ),
    (
        f"[policies]\nreentry_days = {9 * 10**18}\n",
        "policies.reentry_days: Ensure this value is less than or equal to 3650",
    ),
    (
        f"[policies]\nretention_days = {9 * 10**18}\n",
        "policies.retention_days: Ensure this value is less than",
    ),
    (f"[policies]\nno_show_days = {9 * 10**18}\n", "policies.no_show_days: Ensure this value is less than"),
    (f"[policies]\nrating_4_from = {9 * 10**18}\n", "policies.rating_4_from: Ensure this value is less than"),
    ("[policies]\npaused = 1\n", "policies.paused must be true or false, not a number"),
    ("[policies]\nrating_2_from = 90\n", "policies: Rating thresholds must rise"),
    (
        "[policies]\npassed_stage = 'codescreen take-home'\n",
        "policies.passed_stage: Entering “codescreen take-home”",
    ),
    ("[policies]\npassed_stage = 7\n", "policies.passed_stage must be text in quotes"),
    ("[policies]\nhold_failed = 'yes'\n", "policies.hold_failed must be true or false"),
    ("[policies]\ndefault_assessment = 2027-01-01\n", "policies.default_assessment must be text in quotes"),
    ("[members]\nusername = 'x'\n", "members must be written [[members]]"),
    ("members = ['x']\n", "members"),
    ("[[members]]\nrole = 'admin'\n", "members[1].username is missing"),
    ("[[members]]\nusername = 'x'\nrole = 'Super Admin'\n", "Did you mean super_admin?"),
    ("[[members]]\nusername = 'x y'\nrole = 'admin'\n", "members[1].username"),
    ("[[members]]\nusername = 'x'\nemail = 'nobody'\nrole = 'admin'\n", "members[1].email"),
    ("[[members]]\nusername = 'x'\nrole = 'admin'\npassword = ''\n", "members[1].password is empty"),
    ("[[members]]\nusername = 'x'\nrole = 'admin'\n" * 2, "members[2] repeats"),
    ("[lever]\nsignature_token = ''\n", "lever.signature_token"),
    ("[lever]\nsignature_token = 7\n", "lever.signature_token must be text in quotes"),
    ("[lever]\nprevious_signature_token = 'x'\n", "lever.previous_signature_token needs"),
    (
        "[lever]\nsignature_token = 'x'\nprevious_signature_token = \"a\\nb\"\n",
        "lever.previous_signature_token",
    ),
    ("[codescreen]\napi_key = ''\n", "codescreen.api_key"),
    ("[codescreen]\nwebhook_secret = 'secret'\n", "codescreen.webhook_secret"),
    ("[codescreen]\nidempotency = 'yes'\n", "codescreen.idempotency must be true or false"),
    ("[[mappings]]\nrole = 'x'\n", "mappings[1].assessment is missing"),
    ("[[mappings]]\nrole = ' '\nassessment = 'x'\n", "mappings[1].role"),
    ("[[mappings]]\nrole = 'x'\nassessment = 'y'\nnote = ''\n", "Unknown key mappings[1].note"),
    ("[[mappings]]\nrole = 'x'\nassessment = 'y'\n" * 2, "mappings[2] repeats"),
]


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
@pytest.mark.parametrize(("text", "words"), [*ERRORS, *((HEAD + text, words) for text, words in MORE_ERRORS)])
def test_an_error_names_the_key_and_nothing_is_written(
    configure, text: str, words: str, options: tuple[str, ...]
) -> None:
    if text.startswith(HEAD + "members"):
        text = "members = ['x']\n" + HEAD
    with pytest.raises(CommandError) as caught:
        configure(text, *options)
    assert words in str(caught.value)
    assert not Organization.objects.exists()
    assert not User.objects.exists()


def test_an_error_does_not_print_a_secret_in_the_wrong_place(configure) -> None:
    with pytest.raises(CommandError) as caught:
        configure(HEAD + '[codescreen]\nidempotency = "the-api-key"\n')
    assert "the-api-key" not in str(caught.value)


def test_unreadable_files_are_errors(configure, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="not UTF-8"):
        configure(b"\xff")
    for path in (tmp_path, tmp_path / "missing.toml"):
        with pytest.raises(CommandError, match="can't be read"):
            call_command("configure", str(path))


def test_a_webhook_key_of_another_organization_is_an_error(configure) -> None:
    configure(WHOLE)
    with pytest.raises(CommandError, match=r"organization\.webhook_key"):
        configure(HEAD.replace("acme", "other") + 'webhook_key = "acme-webhook-key"\n')


def test_an_exported_file_reads_back_without_a_difference(configure) -> None:
    configure(WHOLE)
    text = exported()
    assert not [secret for secret in SECRETS if secret in text]
    for name in (
        "webhook_key",
        "password",
        "signature_token",
        "previous_signature_token",
        "api_key",
        "webhook_secret",
    ):
        assert f"# {name} is set" in text
    assert configure(text).startswith("nothing to change\n")


def test_any_stored_text_is_exported(configure) -> None:
    organization = Organization.objects.create(name='Quotes " and \\ and\n\x1b[31mé🙂\u2028', slug="odd")
    RoleMapping.objects.create(organization=organization, role=" padded ", stage="\t", assessment="😀")
    text = exported("odd")
    assert "\x1b" not in text
    assert tomllib.loads(text)["organization"]["name"] == organization.name
    assert configure(text) == "nothing to change\n"


def test_exporting_an_unknown_organization_suggests_a_slug(configure) -> None:
    configure(WHOLE)
    with pytest.raises(CommandError, match="Did you mean acme"):
        exported("acne")


@given(strategies.text(alphabet=strategies.characters(exclude_categories=["Cs"])))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_survives_being_quoted(text: str) -> None:
    assert tomllib.loads(f"key = {quoted(text)}") == {"key": text}
    assert quoted(text).isprintable()


@pytest.mark.parametrize("password", ["a", "elevenchars", "Summer2026!!", "password1234", "recruiting-lead"])
def test_a_weak_password_is_an_error_that_names_it_and_the_fix(configure, password):
    with pytest.raises(CommandError) as refusal:
        configure(WHOLE.replace('"a long passphrase"', quoted(password)))
    assert "members[1].password" in str(refusal.value)
    assert "leave the key out" in str(refusal.value)
    assert password == "a" or password not in str(refusal.value)
    assert not Organization.objects.exists()


def test_a_password_that_configure_changes_ends_the_persons_sessions(configure):
    configure(WHOLE)
    client = Client()
    client.post("/login/", {"username": "recruiting-lead", "password": "a long passphrase"})
    assert client.get("/account/").status_code == 200
    configure(WHOLE.replace("a long passphrase", "another long passphrase"))
    assert client.get("/account/").status_code == 302
