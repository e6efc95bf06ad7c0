"""What CodeScreen gives as the reason goes with the person, unless it is one of its own four."""

import pytest

from integrations.core.vocabulary import ErasureCause
from integrations.invitations.models.result import Result
from integrations.privacy.erase import erase
from integrations.privacy.models import Erasure
from tests.privacy.traces import traces
from tests.support import factories

ABOUT = "Plagiarism: Ada Ash copied it (ada.ash@mail.example)"


@pytest.fixture
def result(db) -> Result:
    invitation = factories.InvitationFactory.create()
    return Result.objects.create(invitation=invitation, outcome="Failed")


def reason_after_erasure(result: Result, reason: str) -> tuple[str, int]:
    """Return what is left of the reason, and how many results the receipt counts."""
    Result.objects.update(failure_reason=reason)
    invitation = result.invitation
    erase(invitation.organization, invitation.opportunity_id, ErasureCause.FORGOTTEN, "test")
    receipt = Erasure.objects.get().rows
    return Result.objects.get().failure_reason, receipt.get(Result._meta.db_table, 0)


def test_a_text_about_the_person_goes_and_is_counted(result):
    assert reason_after_erasure(result, ABOUT) == ("", 1)
    assert traces("Ada Ash", "ada.ash@mail.example") == []


@pytest.mark.parametrize("reason", ["Build Failure", "Build Timeout", "Unit Tests", "Expired"])
def test_a_reason_of_codescreens_own_stays(result, reason):
    assert reason_after_erasure(result, reason) == (reason, 0)
