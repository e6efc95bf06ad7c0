"""The answers of `/api/v1/`: which programs get them, and an organization's rows in pages, as JSON."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, NotFound, PermissionDenied
from rest_framework.filters import BaseFilterBackend
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from integrations.accounts.models.attempts import AttemptLimit, Limit, TooMany, keyed_limits
from integrations.api.models import ApiScope, ApiToken
from integrations.api.rows import CandidateRow, FindingRow, InvitationRow, ResultRow, VerdictRow
from integrations.health import doctor
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.store.database import is_key
from integrations.store.triggers import changed_since, settled_until

WHERE = "A Super Admin makes one under Settings › Integrations › Programs."
#: Pages of one program: a hundred at once, then five a second. Its questions take the same database as webhooks.
PAGES = (Limit(100, 0.2),)


class TokenAuthentication(BaseAuthentication):
    """A token in the header `Authorization: Bearer …`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiToken] | None:
        """Return the token; None without one. Raises AuthenticationFailed."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = ApiToken.objects.sent_as(text.strip())
        if token is None:
            raise AuthenticationFailed(f"There is no such token: perhaps it was revoked. {WHERE}")
        if token.is_expired:
            raise AuthenticationFailed(f"This token ended on {token.expires_at:%-d %B %Y}. {WHERE}")
        token.mark_used()
        return AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        """Return what a refusal asks for."""
        return "Bearer"


class HasScope(BasePermission):
    """Whether the list is among those that the token may read."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True. Raises NotAuthenticated, or PermissionDenied with what may be read."""
        token, scope = request.auth, view.scope  # type: ignore[attr-defined]
        if not isinstance(token, ApiToken):
            raise NotAuthenticated(f"Send a token in the header “Authorization: Bearer …”. {WHERE}")
        if scope not in token.scopes:
            has = ", ".join(token.scopes)
            raise PermissionDenied(f"This token doesn't have the scope {scope}. It has: {has}. {WHERE}")
        return True


class PageThrottle(BaseThrottle):
    """Counts the pages that a program reads, over all processes."""

    refused: TooMany | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        token = cast(ApiToken, request.auth)  # HasScope was asked before
        self.refused = AttemptLimit.refusal(keyed_limits(f"api:{token.pk}", PAGES))
        return self.refused is None

    def wait(self) -> float | None:
        """Return after how many seconds it may."""
        return self.refused.seconds if self.refused else None


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """What the OpenAPI document says of a token."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class Pages(CursorPagination):
    """Pages in the order of the rows' ids: a row stands in them once, whatever changes meanwhile."""

    ordering = "id"
    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """Return the page's rows. All that was committed before the time that is noted first is in them."""
        self.updated_until = settled_until()
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return where the page begins. Raises NotFound for a place that is no row's id."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not is_key(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def get_paginated_response(self, data: Any) -> Response:
        until = f"{self.updated_until.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        return Response({"next": self.get_next_link(), "updated_until": until, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "updated_until", "results"],
            "properties": {
                "next": {
                    "type": ["string", "null"],
                    "format": "uri",
                    "description": "Null on the last page.",
                },
                "updated_until": {
                    "type": "string",
                    "format": "date-time",
                    "description": "State that of the first page as `updated_since` the next time.",
                },
                "results": schema,
            },
        }


class UpdatedSince(BaseFilterBackend):
    """Only rows that changed since a time that the address states."""

    _time = serializers.DateTimeField(
        default_timezone=UTC,
        error_messages={
            "invalid": "Write it as 2027-01-31T08:00:00Z. In an address, a plus sign is written %2B."
        },
    )

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        """Return the rows. Raises ValidationError with how to write the time."""
        written = request.query_params.get("updated_since")
        if not written:
            return queryset
        try:
            return queryset.filter(changed_since(self._time.run_validation(written)))
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"updated_since": error.detail}) from error

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return [
            {
                "name": "updated_since",
                "in": "query",
                "description": "Only rows that changed since then.",
                "schema": {"type": "string", "format": "date-time"},
            }
        ]


class ForPrograms(GenericViewSet[Any]):
    """A list for programs whose token has its scope."""

    scope: ApiScope
    authentication_classes = [TokenAuthentication]
    permission_classes = [HasScope]
    throttle_classes = [PageThrottle]
    renderer_classes = [JSONRenderer]

    @property
    def organization(self) -> Organization:
        """Whose rows the program reads."""
        return cast(ApiToken, self.request.auth).organization


class RowsViewSet[Row: Model](ForPrograms, ReadOnlyModelViewSet[Row]):
    """The rows of a table that belong to the token's organization."""

    filter_backends = [UpdatedSince]
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Row]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):  # the document is made without a request
            return rows
        return rows.filter(organization=self.organization)


class CandidatesViewSet(RowsViewSet[Candidate]):
    """Everyone who entered a CodeScreen stage, invited or not: one row for each opportunity in Lever."""

    scope = ApiScope.CANDIDATES
    serializer_class = CandidateRow
    queryset = Candidate.objects.all()


class InvitationsViewSet(RowsViewSet[Invitation]):
    """How far candidates are with their assessments."""

    scope = ApiScope.INVITATIONS
    serializer_class = InvitationRow
    queryset = Invitation.objects.all()


class ResultsViewSet(RowsViewSet[Result]):
    """What CodeScreen states, one row for each attempt."""

    scope = ApiScope.RESULTS
    serializer_class = ResultRow
    queryset = Result.objects.all()


class VerdictsViewSet(RowsViewSet[Verdict]):
    """What was decided about each stage change, and why. Earlier verdicts stay, with `is_current` false."""

    scope = ApiScope.VERDICTS
    serializer_class = VerdictRow
    queryset = Verdict.objects.select_related("delivery").defer("delivery__payload", "delivery__traceback")


class FindingsViewSet(ForPrograms):
    """What a person should know about the set-up and the operation now, on one page, the worst first."""

    scope = ApiScope.FINDINGS
    serializer_class = FindingRow
    queryset: QuerySet[Any] = Verdict.objects.none()  # they are no rows
    pagination_class = None

    def list(self, request: Request) -> Response:
        found = doctor.findings(self.organization)
        return Response({"next": None, "results": [FindingRow(one).data for one in found]})
