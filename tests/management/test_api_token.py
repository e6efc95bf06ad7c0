"""`api_token`: a token is printed once, alone on the last line, and revoked by its name."""

from datetime import timedelta
from functools import partial

import pytest
from django.core.management import CommandError
from django.test import Client
from django.utils import timezone

from integrations.api.models import ApiScope, ApiToken
from integrations.organizations.models.organization import Organization
from tests.management.conftest import printed_by

run = partial(printed_by, "api_token")


def status(token: str, scope: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return Client().get(f"/api/v1/{scope}/", headers=headers).status_code


def test_a_token_is_alone_on_the_last_line_and_reads_everything_for_a_year(acme: Organization) -> None:
    token = run("acme", "warehouse").splitlines()[-1]
    assert [status(token, scope) for scope in ApiScope] == [200] * len(ApiScope)
    left = ApiToken.objects.get().expires_at - timezone.now()
    assert timedelta(days=364) < left <= timedelta(days=365)


@pytest.mark.parametrize("scopes", [["results", "findings"], ["results,findings"]])
def test_scopes_and_days_are_as_given(acme: Organization, scopes: list[str]) -> None:
    token = run("acme", "warehouse", "--scopes", *scopes, "--days", "1").splitlines()[-1]
    assert (status(token, "results"), status(token, "candidates")) == (200, 403)
    assert ApiToken.objects.get().expires_at < timezone.now() + timedelta(days=2)


def test_a_token_is_revoked_by_its_name(acme: Organization) -> None:
    token = run("acme", "warehouse").splitlines()[-1]
    assert run("acme", "--revoke", "warehouse") == "revoked warehouse\n"
    assert status(token, "results") == 401


WRONG = [
    ([], "Give the NAME of a new token, or --revoke NAME."),
    (["a", "--revoke", "b"], "Give the NAME of a new token, or --revoke NAME."),
    (["a", "--scopes", "effects"], "There is no scope effects. There are: candidates, invitations"),
    (["a", "--days", "0"], "Choose 1 to 730 days."),
    (["taken"], "There is a token with this name."),
    (["--revoke", "other"], "There is no token 'other'. There are: taken."),
]


@pytest.mark.parametrize(("arguments", "error"), WRONG)
def test_what_is_wrong_is_explained(acme: Organization, arguments: list[str], error: str) -> None:
    run("acme", "taken")
    with pytest.raises(CommandError, match=error.replace("(", r"\(")):
        run("acme", *arguments)
