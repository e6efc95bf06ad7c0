"""Long keys stay different."""

from integrations.models.truncated_keys import truncated_key
from tests import factories


def test_a_short_key_is_kept_as_it_is():
    assert truncated_key("opportunity:1") == "opportunity:1"


def test_long_keys_that_differ_at_their_ends_stay_different_and_fit():
    one, other = truncated_key("x" * 400 + "1"), truncated_key("x" * 400 + "2")
    assert one != other
    assert len(one) == len(other) == 300
    assert truncated_key("x" * 400 + "1") == one


def test_two_rounds_never_share_an_idempotency_key():
    long = {"opportunity_id": "o" * 200, "assessment_id": "a" * 200}
    first = factories.InvitationFactory.build(round=1, organization=None, **long)
    second = factories.InvitationFactory.build(round=2, organization=None, **long)
    assert first.external_id != second.external_id
    assert len(second.external_id) <= 255
