"""Who may do something to many rows at once: each act's roles guard its preview and its form alike."""

import pytest

from integrations.members.models import membership
from integrations.members.models.membership import APPROVERS, Membership
from integrations.pages.activity.actions import CancelView
from integrations.pages.activity.bulk_progress import ACTS
from tests.pages.activity.test_candidate_filters import candidate
from tests.support import factories
from tests.support.page_text import text

BULK = "/candidates/bulk/"


@pytest.mark.parametrize("role", Membership.Role.values)
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_the_roles_of_an_act_may_preview_and_do_it(client_for, organization, act, role):
    client = client_for(factories.member(organization, role, "somebody"))
    preview = client.get(BULK, {"act": act.code})
    done = client.post(BULK, {"act": act.code, "row": ["1"]})
    expected = (200, 302) if role in act.roles else (403, 403)
    assert (preview.status_code, done.status_code) == expected


def test_cancelling_one_and_cancelling_many_need_the_same_roles():
    assert APPROVERS == ACTS["send"].roles == ACTS["cancel"].roles == CancelView.allowed_roles


@pytest.mark.parametrize("is_approver", [True, False])
def test_who_may_not_approve_sees_no_button_for_it_and_keeps_the_others(
    organization_admin_client, organization, monkeypatch, is_approver
):
    if not is_approver:
        monkeypatch.setattr(membership, "APPROVERS", frozenset())
    candidate(organization, "Alder", "held_for_approval", "held")
    candidate(organization, "Birch", "no_assessment")
    candidate(organization, "Cedar", status="failed")
    page = text(organization_admin_client.get("/activity/"))
    for word in ("Send those on hold…", "Cancel those on hold…", "act=send", "act=cancel"):
        assert (word in page) is is_approver, word
    for word in ("Invite those not invited…", "Send again…"):
        assert word in page, word
    of_alder = text(organization_admin_client.get("/activity/o-alder/"))
    assert ("Send invitation" in of_alder) is is_approver
    attention = text(organization_admin_client.get("/"))
    assert ("Send or cancel" in attention) is is_approver
