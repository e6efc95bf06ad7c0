"""`manage.py rotate_keys`: what it says, and how it ends."""

import io
from functools import partial

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from integrations.accounts.acts.second_factors import context_of
from integrations.store.encryption import decrypt
from portal.accounts.second_factor import secrets_of
from tests.management.conftest import printed_by
from tests.support import factories
from tests.support.second_factors import with_app, with_recovery_codes

rotate = partial(printed_by, "rotate_keys")


def test_it_says_how_many_were_rotated_and_that_the_other_keys_may_go(organization, settings):
    factories.LeverConnectionFactory(organization=organization)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    assert rotate() == (
        "rotated 2: 2 secrets are encrypted with the first key, 0 of them were before.\n"
        "The other keys may be removed.\n"
    )
    assert rotate().startswith(
        "rotated 0: 2 secrets are encrypted with the first key, 2 of them were before."
    )


def test_it_does_the_rest_and_fails_when_a_secret_cannot_be_read(organization, settings, capsys):
    connection = factories.CodeScreenConnectionFactory(organization=organization, api_key="planted-api-key")
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    factories.LeverConnectionFactory(organization=organization)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    output = io.StringIO()
    with pytest.raises(CommandError, match="enter them again"):
        call_command("rotate_keys", stdout=output)
    assert f"CodeScreenConnection {connection.pk}, api_key: no key can decrypt it there." in output.getvalue()
    assert "rotated 2:" in output.getvalue()
    assert "may be removed" not in output.getvalue()


def test_second_factors_open_when_the_former_key_is_gone(super_admin, settings):
    [former] = settings.FIELD_ENCRYPTION_KEYS
    app, codes = with_app(super_admin), with_recovery_codes(super_admin)
    secret = decrypt(app.data["secret"], context=context_of(super_admin.pk))
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), former]
    assert rotate().startswith("rotated 2:")
    assert rotate().startswith("rotated 0: 2 secrets")
    settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS[:1]
    app.refresh_from_db()
    assert decrypt(app.data["secret"], context=context_of(super_admin.pk)) == secret
    with secrets_of(super_admin):
        assert Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes() == codes
