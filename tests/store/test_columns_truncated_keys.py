"""Keys that are too long for their column are shortened and stay unique."""

from integrations.store.columns import truncated_key
from tests.support import factories


def test_a_short_key_is_unchanged():
    assert truncated_key("opportunity:1") == "opportunity:1"


def test_long_keys_fit_and_stay_different_when_only_their_ends_differ():
    first_key, second_key = truncated_key("x" * 400 + "1"), truncated_key("x" * 400 + "2")
    assert first_key != second_key
    assert len(first_key) == len(second_key) == 300
    assert truncated_key("x" * 400 + "1") == first_key


def test_two_rounds_have_different_idempotency_keys_when_their_ids_are_long(organization):
    long_ids = {"organization": organization, "opportunity_id": "o" * 200, "assessment_id": "a" * 200}
    first = factories.InvitationFactory(round=1, **long_ids)
    second = factories.InvitationFactory(round=2, **long_ids)
    assert first.external_id != second.external_id
    assert len(second.external_id) <= 255
