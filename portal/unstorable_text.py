"""Text that no database column takes: PostgreSQL stores no NUL characters, and no browser's form sends any."""

from django.http import HttpRequest

NUL = "\x00"


def has_unstorable_text(request: HttpRequest) -> bool:
    """Whether a NUL character is in the path, the query or the form, in a field's name or in its value."""
    if NUL in request.path_info:
        return True
    return any(
        NUL in name or any(NUL in value for value in values)
        for sent in (request.GET, request.POST)
        for name, values in sent.lists()
    )
