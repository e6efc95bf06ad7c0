"""An organization with rows of every kind, and programs that read them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from integrations.api.acts import make_token
from integrations.api.models import ApiScope
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from tests.support import factories

type Read = Callable[..., Any]


def token_of(organization: Organization, *scopes: str, name: str = "warehouse", days: int = 30) -> str:
    """Make a token; return what a program sends."""
    return make_token(organization, name, scopes or list(ApiScope), days, "tests").text


@pytest.fixture
def token(organization) -> str:
    """A token with every scope."""
    return token_of(organization)


@pytest.fixture
def read(token) -> Read:
    """Read an address below the API as a program, with this token or another one."""

    def get(address: str, other: str = token, method: str = "get", **query: Any) -> Any:
        address = address if address.startswith("http") else f"/api/v1/{address}"
        headers = {"Authorization": f"Bearer {other}"} if other else {}
        return getattr(Client(raise_request_exception=False), method)(address, query or None, headers=headers)

    return get


@pytest.fixture
def one_of_each(organization) -> dict[str, Any]:
    """One row of each list that has rows."""
    own = {"organization": organization, "opportunity_id": "opportunity-1"}
    invitation = factories.InvitationFactory.create(
        **own, status="completed", instance_id="instance-1", completed_at=timezone.now()
    )
    delivery = factories.DeliveryFactory.create(
        **own, verdict="invite", explanation="Invited.", decided_at=timezone.now(), invitation=invitation
    )
    return {
        "candidates": factories.CandidateFactory.create(
            **own, invitation=invitation, delivery=delivery, assessment_name="Backend", outcome="Passed"
        ),
        "invitations": invitation,
        "results": Result.objects.create(
            invitation=invitation, outcome="Passed", score="82.5", details_json='{"z": 1, "a": [2]}'
        ),
        "verdicts": delivery.verdicts.get(),
    }
