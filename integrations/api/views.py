"""The answers of `/api/v1/`: pages of rows as JSON, and the same for people who look with a browser."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from django.core import signing
from django.template.loader import render_to_string
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from integrations.api.access import Access, HasScope, PageThrottle, TokenAuthentication
from integrations.api.lists import LISTS, ApiList, findings
from integrations.api.schema import ListSchema
from integrations.store.updated_at import changed_since, settled_until


class BrowserRenderer(BaseRenderer):
    """The answer on a page of the portal, with a link to the next one."""

    media_type = "text/html"
    format = "html"
    charset = "utf-8"

    def render(
        self, data: Any, media_type: str | None = None, context: Mapping[str, Any] | None = None
    ) -> str:
        context = context or {}
        found = {
            "lists": [one.scope for one in LISTS],
            "here": getattr(context["view"], "scope", ""),
            "status": context["response"].status_code,
            "next": data.get("next") if isinstance(data, dict) else None,
            "text": json.dumps(data, ensure_ascii=False, indent=2),
        }
        request = context["request"]._request
        return render_to_string("integrations/api_answer.html", found, request=request)


class ApiView(APIView):
    """A view for programs."""

    authentication_classes = [TokenAuthentication]
    permission_classes: Sequence[type[BasePermission]] = [HasScope]
    throttle_classes = [PageThrottle]
    renderer_classes = [JSONRenderer, BrowserRenderer]
    schema: Any = None

    @property
    def access(self) -> Access:
        return cast(Access, self.request.auth)


class IndexView(ApiView):
    """The addresses of the lists."""

    def get(self, request: Request) -> Response:
        names = [*(one.scope for one in LISTS), "schema"]
        return Response({name: reverse(f"api-{name}", request=request) for name in names})


class NotThereView(ApiView):
    """Any other address below the API's: a program gets no page for people."""

    def get(self, request: Request, rest: str) -> Response:
        raise NotFound(f"There is no such list. There are: {', '.join(one.scope for one in LISTS)}.")


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after which row, in a reading that tells everything until then."""

    after: int
    until: datetime

    def text(self, salt: str) -> str:
        """Return the cursor as an address has it: nobody else makes one."""
        return signing.dumps([self.after, self.until.isoformat()], salt=salt)

    @classmethod
    def of(cls, text: str, salt: str) -> "Cursor":
        """Return the cursor in an address. Raises ValidationError, also for another list's or organization's."""
        try:
            after, until = signing.loads(text, salt=salt)
        except signing.BadSignature as error:
            fix = "This is no cursor of this list. Follow `next` as it was given, or begin without a cursor."
            raise ValidationError({"cursor": [fix]}) from error
        return cls(after, datetime.fromisoformat(until))


class ListView(ApiView):
    """The rows of a list by their keys, a page at a time.

    A row stands once in the pages, whatever changes meanwhile: keys don't. What is written while somebody reads is told
    to who asks from `updated_until` on the next time.
    """

    listed: ApiList = LISTS[0]
    schema = ListSchema()

    @property
    def scope(self) -> str:
        return self.listed.scope

    def get(self, request: Request) -> Response:
        """Return a page. Raises ValidationError for an address that states what there isn't."""
        query = self.listed.query(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        stated = query.validated_data
        limit, text, since = stated.pop("limit"), stated.pop("cursor", ""), stated.pop("updated_since", None)
        organization = self.access.organization
        salt = f"api:{self.scope}:{organization.pk}"
        cursor = Cursor.of(text, salt) if text else Cursor(0, settled_until())
        following = None
        if self.listed.rows is None:
            rows: Sequence[Any] = findings(organization, stated)
        else:
            wanted = self.listed.rows(organization).filter(pk__gt=cursor.after, **stated).order_by("pk")
            if since is not None:
                wanted = wanted.filter(changed_since(since))
            rows = list(wanted[: limit + 1])
            if len(rows) > limit:
                rows = rows[:limit]
                begin = Cursor(rows[-1].pk, cursor.until).text(salt)
                following = replace_query_param(request.build_absolute_uri(), "cursor", begin)
        return Response(
            {
                "next": following,
                "updated_until": f"{cursor.until.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
                "results": self.listed.row(rows, many=True).data,
            }
        )
