"""The OpenAPI document of `/api/v1/`, made from the lists and the shapes of their rows."""

from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

_REFUSED = inline_serializer("Refused", {"detail": serializers.CharField()})
_WRONG = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}


class ListSchema(AutoSchema):
    """Describes one list."""

    view: Any  # a ListView

    def get_operation_id(self) -> str:
        return str(self.view.scope)

    def get_tags(self) -> list[str]:
        """Return none: there are few lists."""
        return []

    def get_description(self) -> str:  # type: ignore[override]
        return str(self.view.listed.what)

    def get_auth(self) -> list[dict[str, Any]]:
        """Return that a token is sent."""
        return [{"token": []}]

    def get_override_parameters(self) -> list[Any]:
        """Return what an address may state."""
        return [self.view.listed.query]

    def get_response_serializers(self) -> Any:
        page = inline_serializer(
            f"{self.view.scope.capitalize()}Page",
            {
                "next": serializers.URLField(allow_null=True, help_text="The next page; null on the last."),
                "updated_until": serializers.DateTimeField(
                    help_text="State it as `updated_since` the next time: nothing is missed then."
                ),
                "results": self.view.listed.row(many=True),
            },
        )
        return {200: page, 400: _WRONG, **dict.fromkeys((401, 403, 429), _REFUSED)}

    def map_renderers(self, attribute: str) -> list[str]:
        """Return the type that programs get."""
        return ["application/json"]


@cache
def document() -> dict[str, Any]:
    """Return the document."""
    schema: dict[str, Any] = SchemaGenerator(urlconf="portal.urls").get_schema(public=True)  # type: ignore[no-untyped-call]
    return schema


@method_decorator(login_not_required, name="dispatch")
class SchemaView(View):
    """Answers with the document, to everybody: it is the same for all."""

    def get(self, request: HttpRequest) -> JsonResponse:
        return JsonResponse(document())
