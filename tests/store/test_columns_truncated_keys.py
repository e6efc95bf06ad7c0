"""Keys that are too long for their column are shortened and stay unique."""

from integrations.store.columns import truncated_key


def test_a_short_key_is_unchanged():
    assert truncated_key("opportunity:1") == "opportunity:1"


def test_long_keys_fit_and_stay_different_when_only_their_ends_differ():
    first_key, second_key = truncated_key("x" * 400 + "1"), truncated_key("x" * 400 + "2")
    assert first_key != second_key
    assert len(first_key) == len(second_key) == 300
    assert truncated_key("x" * 400 + "1") == first_key
