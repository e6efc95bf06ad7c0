"""`configure` refuses what it can't apply: the error names the key, and nothing is written."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from integrations.configuration.section import quoted
from integrations.organizations.models.organization import Organization
from tests.management.test_configure import WHOLE

pytestmark = pytest.mark.django_db

ERRORS = [
    (
        "members = ['x']\n[organization]\nname = 'A'\nslug = 'acme'\n",
        "members[1] must be a table: write [[members]]",
    ),
    ("name = ", "not TOML"),
    ("", "organization.slug is missing"),
    ('[organization]\nslug = "acme"\n', "organization.name is missing"),
    ('organization = "acme"\n', "organization must be a table"),
    ('[organization]\nname = "A"\nslug = "no slug"\n', "organization.slug"),
    ('[organization]\nname = ""\nslug = "acme"\n', "organization.name"),
    ('[organization]\nname = "A\\u0000"\nslug = "acme"\n', "organization.name must not contain a NUL"),
    (f'[organization]\nname = "{"x" * 201}"\nslug = "acme"\n', "organization.name"),
    ('[organization]\nname = "A"\nslug = "acme"\nwebhook_key = "a/b"\n', "organization.webhook_key"),
    ('[organization]\nname = "A"\nslug = "acme"\nstage_prefix = ""\n', "organization.stage_prefix"),
]
HEAD = '[organization]\nname = "A"\nslug = "acme"\n'
MORE_ERRORS = [
    ("[organisation]\n", "Unknown key organisation. Did you mean organization?"),
    ("[policies]\nbulk_limt = 3\n", "Unknown key policies.bulk_limt. Did you mean bulk_limit?"),
    ('[policies]\nbulk_limit = "3"\n', "policies.bulk_limit must be a whole number, not text"),
    ("[policies]\nbulk_limit = true\n", "policies.bulk_limit must be a whole number, not true or false"),
    ("[policies]\nrating_thresholds = 25\n", "policies.rating_thresholds must be whole numbers in brackets"),
    ("[policies]\npaused = 1\n", "policies.paused must be true or false, not a number"),
    ("[policies]\nstage_on_pass = 7\n", "policies.stage_on_pass must be text in quotes"),
    ("[policies]\norigins = { agency = ['hold'] }\n", "“agency” must be one of send, hold, skip"),
    ("[policies]\norigins = 'hold'\n", "policies.origins must be a table in braces, not text"),
    ("[policies]\ndefault_assessment = 2027-01-01\n", "policies.default_assessment must be text in quotes"),
    ("[members]\nusername = 'x'\n", "members must be written [[members]]"),
    ("[[members]]\nrole = 'admin'\n", "members[1].username is missing"),
    ("[[members]]\nusername = 'x'\nrole = 'Super Admin'\n", "Did you mean super_admin?"),
    ("[[members]]\nusername = 'x y'\nrole = 'admin'\n", "members[1].username"),
    ("[[members]]\nusername = 'x'\nemail = 'nobody'\nrole = 'admin'\n", "members[1].email"),
    ("[[members]]\nusername = 'x'\nrole = 'admin'\npassword = ''\n", "members[1].password is empty"),
    ("[[members]]\nusername = 'x'\nrole = 'admin'\n" * 2, "members[2] repeats"),
    ("[lever]\nsignature_token = ''\n", "lever.signature_token"),
    ("[lever]\nsignature_token = 7\n", "lever.signature_token must be text in quotes"),
    ("[lever]\nprevious_signature_token = 'x'\n", "lever.previous_signature_token needs"),
    ("[codescreen]\napi_key = ''\n", "codescreen.api_key"),
    ("[codescreen]\nwebhook_secret = 'secret'\n", "codescreen.webhook_secret"),
    ("[[mappings]]\nrole = 'x'\n", "mappings[1].assessment is missing"),
    (
        "[[mappings]]\nrole = 'x'\nassessment = 'y'\napproval = 'sometimes'\n",
        "mappings[1].approval: Value 'sometimes' is not a valid choice.",
    ),
    ("[[mappings]]\nrole = ' '\nassessment = 'x'\n", "mappings[1].role"),
    ("[[mappings]]\nassessment = 'x'\n", "give a role, or instead of it one or more of department, team,"),
    ("[[mappings]]\nrole = 'x'\nteam = 'y'\nassessment = 'z'\n", "leave one or the other"),
    (
        "[[mappings]]\nteam = 'y'\nlevel = 'z'\nassessment = 'z'\n" * 2,
        "mappings[2] repeats 'team y, level z'",
    ),
    ("[[mappings]]\nrole = 'x'\nassessment = 'y'\nnote = ''\n", "Unknown key mappings[1].note"),
    ("[[mappings]]\nrole = 'x'\nassessment = 'y'\n" * 2, "mappings[2] repeats"),
]


@pytest.mark.parametrize(("text", "words"), [*ERRORS, *((HEAD + text, words) for text, words in MORE_ERRORS)])
def test_an_error_names_the_key_and_nothing_is_written(configure, text: str, words: str) -> None:
    with pytest.raises(CommandError) as caught:
        configure(text)
    assert words in str(caught.value)
    assert not Organization.objects.exists()
    assert not User.objects.exists()


def test_an_error_does_not_print_a_secret_in_the_wrong_place(configure) -> None:
    with pytest.raises(CommandError) as caught:
        configure(HEAD + '[policies]\nbulk_limit = "the-api-key"\n')
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


@pytest.mark.parametrize("password", ["a", "elevenchars", "password1234", "918273645546", "recruiting-lead"])
def test_a_weak_password_is_an_error_that_names_it_and_the_fix(configure, password):
    with pytest.raises(CommandError) as refusal:
        configure(WHOLE.replace('"a long passphrase"', quoted(password)))
    assert "members[1].password" in str(refusal.value)
    assert "leave the key out" in str(refusal.value)
    assert password == "a" or password not in str(refusal.value)
    assert not Organization.objects.exists()
