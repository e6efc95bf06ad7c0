"""Signed-in browsers for the three people, and an organization where everything is set up."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from integrations.models import Assessment, Membership, Role, RoleMapping, Stage
from tests import factories


@pytest.fixture
def signed_in(db):
    """Return what signs a person in."""

    def sign_in(person) -> Client:
        client = Client()
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture
def owners(signed_in, owner) -> Client:
    return signed_in(owner)


@pytest.fixture
def colleagues(signed_in, colleague) -> Client:
    return signed_in(colleague)


@pytest.fixture
def strangers(signed_in, stranger) -> Client:
    return signed_in(stranger)


@pytest.fixture
def admins(signed_in, organization) -> Client:
    return signed_in(factories.member(organization, Membership.Role.ADMIN, "admin"))


@pytest.fixture
def limiteds(signed_in, organization) -> Client:
    return signed_in(factories.member(organization, Membership.Role.LIMITED_TEAM_MEMBER, "limited"))


@pytest.fixture
def ready(organization):
    """An organization whose set-up is complete."""
    now = timezone.now()
    factories.LeverConnectionFactory.create(organization=organization)
    factories.LeverWebhookFactory.create(organization=organization, last_verified_at=now - timedelta(hours=1))
    factories.CodeScreenConnectionFactory.create(
        organization=organization, verified_at=now, assessments_refreshed_at=now
    )
    Stage.objects.create(
        organization=organization, external_id="stage-codescreen", name="CodeScreen Assessment"
    )
    Role.objects.create(
        organization=organization, external_id="role-backend", title="Backend Engineer", state="published"
    )
    Assessment.objects.create(organization=organization, external_id="assessment-backend", name="Backend")
    RoleMapping.objects.create(organization=organization, role="Backend Engineer", assessment="Backend")
    return organization
