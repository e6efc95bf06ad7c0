"""The [single_sign_on] table of an organization's file."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from integrations.audit.models.entry import AuditEntry
from integrations.organizations.models.organization import Organization
from integrations.single_sign_on.models import IdentityProvider, SignInDomain

pytestmark = pytest.mark.django_db

HEAD = '[organization]\nname = "Acme"\nslug = "acme"\n'
WHOLE = f"""{HEAD}[single_sign_on]
issuer = "https://login.acme.example"
client_id = "portal"
client_secret = "the-client-secret"
counts_as_second_factor = false
domains = ["Acme.example", "acme.test"]
"""


@pytest.fixture
def configure(tmp_path: Path):
    """Run the command on a text and return what it prints."""

    def run(text: str) -> str:
        path = tmp_path / "organization.toml"
        path.write_text(text)
        out = StringIO()
        call_command("configure", str(path), stdout=out)
        return out.getvalue()

    return run


def test_a_file_stores_the_provider_and_unproven_domains(configure):
    output = configure(WHOLE)
    assert "the-client-secret" not in output
    for line in (
        '+ single_sign_on.issuer: "https://login.acme.example"',
        "+ single_sign_on.client_secret: set",
        "+ single_sign_on.domains: acme.example",
    ):
        assert line in output
    provider = IdentityProvider.objects.get()
    assert (provider.client_secret, provider.mode) == ("the-client-secret", "off")
    assert not provider.counts_as_second_factor
    assert not SignInDomain.objects.proven().exists()
    assert {"change_single_sign_on", "add_domain"} <= set(AuditEntry.objects.values_list("action", flat=True))


def test_running_the_same_file_twice_changes_nothing(configure):
    configure(WHOLE)
    count = AuditEntry.objects.count()
    assert "single_sign_on" not in configure(WHOLE)
    assert AuditEntry.objects.count() == count


def test_an_export_has_no_secret_and_is_read_back_without_a_difference(configure):
    configure(WHOLE)
    out = StringIO()
    call_command("export_config", "acme", stdout=out)
    assert "the-client-secret" not in out.getvalue()
    assert "# client_secret is set" in out.getvalue()
    assert 'domains = ["acme.example", "acme.test"]' in out.getvalue()
    assert "single_sign_on" not in configure(out.getvalue())
    assert IdentityProvider.objects.get().client_secret == "the-client-secret"


def test_one_key_alone_changes_that_key_alone(configure):
    configure(WHOLE)
    text = '[organization]\nslug = "acme"\n[single_sign_on]\nclient_secret = "rotated"\n'
    assert configure(text).strip() == "~ single_sign_on.client_secret: changed"
    assert IdentityProvider.objects.get().issuer == "https://login.acme.example"


def test_a_domain_that_the_file_leaves_out_stays(configure):
    configure(WHOLE)
    configure('[organization]\nslug = "acme"\n[single_sign_on]\ndomains = []\n')
    assert SignInDomain.objects.count() == 2


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("client_id = 'portal'", "single_sign_on.issuer is missing"),
        ("issuer = 'https://login.acme.example'", "single_sign_on.client_id is missing"),
        (
            "issuer = 'http://login.acme.example'\nclient_id = 'portal'",
            "single_sign_on: The address must begin",
        ),
        ("issuer = 'https://10.0.0.1'\nclient_id = 'portal'", "private network"),
        ("domains = ['acme']", "single_sign_on.domains[1]: Enter what follows the @"),
        ("domains = [1]", "single_sign_on.domains must be texts in brackets"),
        ("domains = 'acme.example'", "single_sign_on.domains must be texts in brackets, not text"),
        ("client_secret = ' '", "single_sign_on.client_secret is empty"),
        ("mode = 'required'", "Unknown key single_sign_on.mode"),
    ],
)
def test_what_cannot_be_used_names_the_key(configure, table, message):
    with pytest.raises(CommandError) as error:
        configure(f"{HEAD}[single_sign_on]\n{table}\n")
    assert message in str(error.value)
    assert not Organization.objects.exists()
