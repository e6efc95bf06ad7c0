"""JSON of any shape, as a platform may answer it tomorrow."""

from typing import Any

from hypothesis import strategies as st


def any_json(*keys: str) -> st.SearchStrategy[Any]:
    """Return any JSON, whose objects often have these keys."""
    names = st.text(max_size=8) | st.sampled_from(keys) if keys else st.text(max_size=8)
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
        max_leaves=20,
    )
