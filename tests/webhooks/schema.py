"""The OpenAPI description of the webhook endpoints, built by drf-spectacular for the tests alone."""

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from integrations.webhooks.parsing import CodeScreenEnvelope, LeverEnvelope
from integrations.webhooks.views import CodeScreenWebhookView, LeverWebhookView

RESPONSES = {
    200: OpenApiResponse(description="Seen before, or Lever's test request."),
    202: OpenApiResponse(description="Stored."),
    400: OpenApiResponse(description="Not a JSON object of the right types."),
    401: OpenApiResponse(description="Not verified; `code` is the reason."),
    404: OpenApiResponse(description="No organization has this key."),
    405: OpenApiResponse(description="Only POST."),
    413: OpenApiResponse(description="Over 256 KiB."),
    415: OpenApiResponse(description="Not application/json."),
    503: OpenApiResponse(description="The database can't commit; send it again."),
}


def describe(view: type[APIView], request: type[Serializer[Any]], operation_id: str) -> type[APIView]:
    """Return a subclass of a webhook view that states its request and responses."""
    view = type(view.__name__, (view,), {"schema": AutoSchema()})
    return extend_schema(request=request, responses=RESPONSES, operation_id=operation_id)(view)


class LeverDescription(OpenApiViewExtension):
    """Describes Lever's endpoint."""

    target_class = "integrations.webhooks.views.LeverWebhookView"

    def view_replacement(self) -> type[APIView]:
        """Return the described view."""
        return describe(LeverWebhookView, LeverEnvelope, "lever_webhook")


class CodeScreenDescription(OpenApiViewExtension):
    """Describes CodeScreen's endpoint."""

    target_class = "integrations.webhooks.views.CodeScreenWebhookView"

    def view_replacement(self) -> type[APIView]:
        """Return the described view."""
        return describe(CodeScreenWebhookView, CodeScreenEnvelope, "codescreen_webhook")


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document of both endpoints."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return document
