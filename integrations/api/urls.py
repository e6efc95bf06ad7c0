"""The addresses below `/api/v1/`."""

from collections.abc import Sequence

from django.urls import URLPattern, path
from rest_framework.authentication import BaseAuthentication

from integrations.api.lists import LISTS
from integrations.api.schema import SchemaView
from integrations.api.views import IndexView, ListView, NotThereView


def addresses(authentication: Sequence[type[BaseAuthentication]]) -> list[URLPattern]:
    """Return the patterns; `authentication` says who may read."""
    who = {"authentication_classes": authentication}
    return [
        path("", IndexView.as_view(**who), name="api"),
        path("schema/", SchemaView.as_view(), name="api-schema"),
        *(
            path(f"{one.scope}/", ListView.as_view(listed=one, **who), name=f"api-{one.scope}")
            for one in LISTS
        ),
        path("<path:rest>/", NotThereView.as_view(**who), name="api-nothing"),
    ]
