"""`configure` and `export_config`: the printed difference, repeated runs, errors that name the key."""

import tomllib
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings, strategies

from integrations.audit.models.entry import AuditEntry
from integrations.catalog.models import AssessmentRules, RoleMapping
from integrations.codescreen.models import CodeScreenConnection
from integrations.configuration.file import dump
from integrations.configuration.section import quoted
from integrations.core.rules.extra_time import ExtraTimeRule
from integrations.inbox.models.delivery import Delivery
from integrations.lever.models.webhook import LeverWebhook
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization

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
note_on_wait = false
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
    assert organization.default_assessment == "Backend"
    assert (organization.note_on_skip, organization.note_on_wait) == (False, False)
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


def test_a_pause_is_ended_although_another_stored_policy_is_invalid(configure) -> None:
    configure(WHOLE)
    Organization.objects.update(time_zone="Mars/Phobos")
    configure(WHOLE.replace("paused = true", "paused = false"))
    assert not Organization.objects.get().paused


def test_another_organizations_rows_are_left_alone(configure) -> None:
    configure(WHOLE)
    configure(WHOLE.replace('"acme"', '"globex"').replace("acme-webhook-key", "globex-key"))
    assert RoleMapping.objects.count() == 4
    assert Membership.objects.count() == 4
    assert User.objects.count() == 2


def test_policies_about_results_are_exported_and_read_back(configure) -> None:
    configure(WHOLE)
    both = '[organization]\nslug = "acme"\n[policies]\nstage_on_pass = "Phone screen"\nhold_failed = true\n'
    both += 'attach_report = false\ntime_zone = "Europe/Warsaw"\n'
    assert configure(both).splitlines() == [
        '~ policies.stage_on_pass: "" → "Phone screen"',
        "~ policies.hold_failed: false → true",
        "~ policies.attach_report: true → false",
        '~ policies.time_zone: "UTC" → "Europe/Warsaw"',
    ]
    exported = dump(Organization.objects.get())
    assert 'stage_on_pass = "Phone screen"' in exported
    assert "hold_failed = true" in exported
    assert "attach_report = false" in exported
    assert configure(exported).startswith("nothing to change\n")


def test_days_to_start_are_exported_read_back_and_taken_away(configure) -> None:
    configure(WHOLE)
    assert "start_within_days" not in exported()
    assert "not_started_days = 0" in exported()
    head = '[organization]\nslug = "acme"\n[policies]\n'
    assert configure(head + "start_within_days = 7\nnot_started_days = 3\n").splitlines() == [
        "+ policies.start_within_days: 7",
        "~ policies.not_started_days: 0 → 3",
    ]
    assert "start_within_days = 7" in exported()
    assert configure(exported()).startswith("nothing to change\n")
    assert configure(head + 'start_within_days = ""\n').splitlines() == ["- policies.start_within_days: 7"]
    assert Organization.objects.get().start_within_days is None
    assert configure(head + 'start_within_days = ""\n') == "nothing to change\n"


def test_the_rules_of_origins_are_exported_and_read_back(configure) -> None:
    configure(WHOLE)
    assert "origins = {}" in exported()
    head = '[organization]\nslug = "acme"\n[policies]\n'
    first = head + 'origins = { agency = "hold", internal = "skip", applied = "send" }\n'
    whole = '{ agency = "hold", applied = "send", internal = "skip" }'
    assert configure(first).splitlines() == [f"~ policies.origins: {{}} → {whole}"]
    assert configure(first) == "nothing to change\n"
    assert configure(exported()).startswith("nothing to change\n")
    other = head + '[policies.origins]\nreferred = "hold"\n'
    assert configure(other).splitlines() == [f'~ policies.origins: {whole} → {{ referred = "hold" }}']
    assert Organization.objects.get().origins == {"referred": "hold"}
    configure(head + "origins = {}\n")
    assert Organization.objects.get().origins == {}


def test_who_needs_extra_time_is_exported_and_read_back(configure) -> None:
    configure(WHOLE)
    assert 'hold_tag = ""\n' in exported()
    assert "hold_question" not in exported()
    head = '[organization]\nslug = "acme"\n[policies]\n'
    rule = 'hold_tag = "Accommodation"\nhold_question = "More time?"\nhold_answers = ["Yes", "Perhaps"]\n'
    assert configure(head + rule).splitlines() == [
        '~ policies.hold_tag: "" → "Accommodation"',
        '~ policies.hold_question: "" → "More time?"',
        '~ policies.hold_answers: [] → ["Yes", "Perhaps"]',
    ]
    assert configure(head + rule) == "nothing to change\n"
    assert rule in exported()
    assert configure(exported()).startswith("nothing to change\n")
    configure(head + 'hold_question = ""\nhold_answers = []\n')
    assert Organization.objects.get().extra_time == ExtraTimeRule("Accommodation")


def test_the_send_window_is_exported_and_read_back(configure) -> None:
    configure(WHOLE)
    assert [line for line in exported().splitlines() if line.startswith("send_")] == ['send_from = ""']
    head = '[organization]\nslug = "acme"\n[policies]\n'
    window = 'send_from = "22:00"\nsend_until = "06:00"\nsend_days = ["mon", "sun"]\nsend_holidays = ["2026-12-25"]\n'
    assert configure(head + window).splitlines() == [
        '~ policies.send_from: "" → "22:00"',
        '~ policies.send_until: "" → "06:00"',
        '~ policies.send_days: [] → ["mon", "sun"]',
        '~ policies.send_holidays: [] → ["2026-12-25"]',
    ]
    assert configure(head + window) == "nothing to change\n"
    assert window in exported()
    assert configure(exported()).startswith("nothing to change\n")
    configure(head + 'send_from = ""\nsend_until = ""\nsend_days = []\n')
    assert Organization.objects.get().send_window is None


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
    assert not AssessmentRules.objects.exists()


def test_a_mapping_that_makes_the_stage_on_pass_invite_refuses_no_other_change(configure) -> None:
    configure(WHOLE)
    target = '[organization]\nslug = "acme"\n[policies]\nstage_on_pass = "Phone screen"\n'
    configure(target)
    RoleMapping.objects.create(
        organization=Organization.objects.get(), role="Engineer", stage="Phone screen", assessment="Backend"
    )
    configure(target + "bulk_limit = 7\n")
    assert Organization.objects.get().bulk_limit == 7
    with pytest.raises(CommandError, match=r"policies\.stage_on_pass: Entering “phone screen”"):
        configure(target.replace("Phone", "phone"))


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


def test_a_password_that_configure_changes_ends_the_persons_sessions(configure):
    configure(WHOLE)
    client = Client()
    client.post("/login/", {"username": "recruiting-lead", "password": "a long passphrase"})
    assert client.get("/account/").status_code == 200
    configure(WHOLE.replace("a long passphrase", "another long passphrase"))
    assert client.get("/account/").status_code == 302


CATEGORIES = """
[[mappings]]
department = "Engineering"
location = "Berlin"
assessment = "Backend"
[[mappings]]
department = "Berlin"
assessment = "Frontend"
"""


def test_a_bar_and_days_of_an_assessment_are_stored_exported_and_taken_away(configure) -> None:
    rules = '[[assessments]]\nname = "Backend"\npassing_score = 0\nstart_within_days = 7\n'
    output = configure(WHOLE + rules)
    assert '+ assessment "Backend" passing_score: 0\n+ assessment "Backend" start_within_days: 7' in output
    assert rules in exported()
    assert configure(WHOLE + rules).startswith("nothing to change\n")
    output = configure(WHOLE + rules.replace("= 0", '= ""').replace("= 7", '= ""'))
    assert '- assessment "Backend" start_within_days: 7' in output
    assert not AssessmentRules.objects.exists()


def test_mappings_for_categories_are_stored_exported_and_read_back(configure) -> None:
    output = configure(WHOLE + CATEGORIES)
    assert 'mapping "Department Engineering · Location Berlin" × any CodeScreen stage' in output
    mapping = RoleMapping.objects.get(department="Engineering")
    assert (mapping.role, mapping.location, mapping.assessment) == ("", "Berlin", "Backend")
    assert 'department = "Engineering"\nlocation = "Berlin"\nassessment = "Backend"' in exported()
    assert configure(WHOLE + CATEGORIES).startswith("nothing to change\n")


OWN_RULES = """
[[mappings]]
role = "Data Engineer"
assessment = "Backend"
approval = "always"
reentry_days = 30
passing_score = 0
hold_failed = false
stage_on_pass = "Phone screen"
origins = { agency = "hold" }
"""


def test_own_rules_of_a_mapping_are_stored_exported_and_left_to_the_policies_again(configure) -> None:
    output = configure(WHOLE + OWN_RULES)
    assert '~ mapping "Data Engineer" × any CodeScreen stage approval: "" → "always"' in output
    assert '+ mapping "Data Engineer" × any CodeScreen stage passing_score: 0' in output
    mapping = RoleMapping.objects.get(role="Data Engineer")
    assert (mapping.approval, mapping.reentry_days, mapping.passing_score, mapping.hold_failed) == (
        "always",
        30,
        0,
        False,
    )
    assert all(line in exported() for line in OWN_RULES.strip().splitlines())
    assert configure(WHOLE + OWN_RULES).startswith("nothing to change\n")
    emptied = OWN_RULES.replace("= 30", '= ""').replace("= false", '= ""').replace('"always"', '""')
    output = configure(WHOLE + emptied)
    assert '- mapping "Data Engineer" × any CodeScreen stage reentry_days: 30' in output
    mapping.refresh_from_db()
    assert (mapping.approval, mapping.reentry_days, mapping.passing_score, mapping.hold_failed) == (
        "",
        None,
        0,
        None,
    )
    assert "reentry_days" not in exported().split('role = "Data Engineer"')[1]


SEVERAL = """
[[mappings]]
role = "Data Engineer"
assessment = ["Backend", "Frontend Developer"]
next_assessment = "SQL"
"""


def test_several_assessments_of_a_mapping_are_stored_exported_and_become_one_again(configure) -> None:
    output = configure(WHOLE + SEVERAL)
    assert '+ mapping "Data Engineer" × any CodeScreen stage: ["Backend", "Frontend Developer"]' in output
    mapping = RoleMapping.objects.get(role="Data Engineer")
    assert (mapping.assessment, mapping.also_assessments, mapping.next_assessment) == (
        "Backend",
        ["Frontend Developer"],
        "SQL",
    )
    assert SEVERAL.strip() in exported()
    assert configure(WHOLE + SEVERAL).startswith("nothing to change\n")
    one = SEVERAL.replace('["Backend", "Frontend Developer"]', '"Backend"')
    assert '["Backend", "Frontend Developer"] → "Backend"' in configure(WHOLE + one)
    mapping.refresh_from_db()
    assert mapping.also_assessments == []
