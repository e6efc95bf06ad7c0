"""Partials: fragments of a page at its own address, with the same rights and filters; each is sent once."""

import pytest
import time_machine
from django.utils import timezone

from integrations.lever.models.connection import LeverConnection
from tests.support import factories

LIVE = {
    "checklist": "/",
    "overview": "/",
    "list": "/activity/",
    "health": "/",
    "story": "/activity/o-1/",
    "technical": "/activity/o-1/?show=technical",
}


@pytest.fixture(autouse=True)
def invitation(ready_organization):
    """Whose candidate's page updates."""
    return factories.in_status(ready_organization, "invited", opportunity_id="o-1")


@pytest.mark.parametrize(("part", "url"), LIVE.items())
def test_a_partial_is_a_fragment_of_the_page_that_is_sent_once(
    super_admin_client, ready_organization, part, url
):
    whole = super_admin_client.get(url)
    assert "X-Live-Part" in whole["Vary"]
    assert "<html" in whole.content.decode()
    with time_machine.travel(timezone.now(), tick=False):
        first = super_admin_client.get(url, headers={"X-Live-Part": part})
        fragment = first.content.decode()
        assert "<html" not in fragment
        assert "data-announce=" in fragment or part in {"overview", "technical"}
        assert "no-store" in first["Cache-Control"]
        headers = {"X-Live-Part": part, "If-None-Match": f"W/{first['ETag']}"}
        again = super_admin_client.get(url, headers=headers)
        assert (again.status_code, again.content) == (304, b"")
        factories.CandidateFactory.create(organization=ready_organization)
        factories.EffectFactory.create(organization=ready_organization, opportunity_id="o-1")
        LeverConnection.objects.update(state="needs_reconnect")
        changed = super_admin_client.get(url, headers=headers)
    assert changed.status_code == 200
    assert changed.content != first.content


def test_an_unknown_partial_gives_the_whole_page(super_admin_client, organization):
    assert "<html" in super_admin_client.get("/", headers={"X-Live-Part": "../secrets"}).content.decode()
