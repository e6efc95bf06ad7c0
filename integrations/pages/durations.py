"""Durations as figures and charts show them."""


def duration(seconds: float) -> str:
    """Return a duration in the largest unit that suits it, such as “10 min”."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86400:.0f} days"
