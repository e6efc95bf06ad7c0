"""What CodeScreen gives as the reason goes with the person, unless it is one of its own four."""

import pytest

from integrations.core.vocabulary import ErasureCause
from integrations.invitations.models.result import Result
from integrations.privacy.erase import erase
from integrations.privacy.models import Erasure
from tests.support import factories

ABOUT = "Plagiarism: Ada Ash copied it (ada.ash@mail.example)"
OWN = ["Build Failure", "Build Timeout", "Unit Tests", "Expired"]


@pytest.mark.parametrize(("reason", "left"), [(ABOUT, ""), *((reason, reason) for reason in OWN)])
def test_a_text_about_the_person_goes_and_is_counted_and_a_reason_of_codescreens_stays(db, reason, left):
    invitation = factories.InvitationFactory.create()
    Result.objects.create(invitation=invitation, outcome="Failed", failure_reason=reason)
    erase(invitation.organization, invitation.opportunity_id, ErasureCause.FORGOTTEN, "test")
    assert Result.objects.get().failure_reason == left
    assert Erasure.objects.get().rows.get(Result._meta.db_table, 0) == int(left != reason)
