"""`subject_access`: what it prints and records."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.support import factories
from tests.support.factories import recorded

pytestmark = pytest.mark.django_db


def test_the_data_is_printed_and_its_handing_out_recorded():
    organization = factories.OrganizationFactory.create(slug="acme")
    factories.InvitationFactory.create(organization=organization, opportunity_id="opportunity-1")
    output = StringIO()
    call_command("subject_access", "acme", "opportunity-1", stdout=output)
    assert json.loads(output.getvalue())["opportunity_id"] == "opportunity-1"
    entry = recorded().get()
    assert (entry.action, entry.actor_name) == ("subject_access", "subject_access")


def test_an_unknown_opportunity_is_an_error_with_the_way_to_the_ids():
    factories.OrganizationFactory.create(slug="acme")
    with pytest.raises(CommandError, match="list the ids"):
        call_command("subject_access", "acme", "unknown")
