"""One read of a candidate's rows: what depends on them is asked in memory."""

import pytest

from integrations.case.case import Case
from integrations.case.wanted import wanted
from integrations.catalog.models import RoleMapping
from integrations.invitations.models.result import Result
from tests.support import factories

pytestmark = pytest.mark.django_db


def test_what_lever_is_to_show_asks_the_database_nothing_when_a_case_was_read(django_assert_num_queries):
    organization = factories.OrganizationFactory.create()
    mapping = RoleMapping.objects.create(
        organization=organization, role="Engineer", assessment="Backend", stage_on_pass="On-site"
    )
    invitation = factories.InvitationFactory.create(
        organization=organization, mapping=mapping, status="completed", instance_id="i-1"
    )
    Result.objects.create(invitation=invitation, outcome="Passed", score=80)
    case = Case.read(organization, invitation.opportunity_id)
    with django_assert_num_queries(0):
        effects = wanted(case).effects
    assert "On-site" in [want.payload.to_json().get("stage") for want in effects]
