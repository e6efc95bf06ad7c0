"""The OpenAPI document: every list answers as it states."""

from typing import Any
from unittest import mock

import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from integrations.api.models import ApiScope
from integrations.api.rows import Row
from integrations.api.urls import router
from integrations.store.triggers import KeepsUpdatedAt
from portal.wsgi import application

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]


@pytest.fixture
def document(client, db) -> dict[str, Any]:
    """The document as anybody gets it."""
    answer = client.get("/api/v1/schema/")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_the_document_describes_each_list_its_parameters_and_the_token(document) -> None:
    paths: dict[str, Any] = document["paths"]
    lists = {path: one for path, one in paths.items() if path.startswith("/api/") and "{id}" not in path}
    assert list(lists) == sorted(f"/api/v1/{scope}/" for scope in ApiScope)
    for path, methods in lists.items():
        assert list(methods) == ["get"]
        assert methods["get"]["security"] == [{"token": []}]
        names = {parameter["name"] for parameter in methods["get"].get("parameters", [])}
        assert names == (set() if "findings" in path else {"cursor", "limit", "updated_since"})


@pytest.mark.slow
@pytest.mark.parametrize("scope", [scope for scope in ApiScope if scope != ApiScope.FINDINGS])
def test_a_list_answers_as_the_document_states(document, token, one_of_each, scope) -> None:
    schema = schemathesis.openapi.from_dict(document)
    schema.app = application
    operation: Any = schema[f"/api/v1/{scope}/"]["GET"]
    # a WSGI server closes its connections after each request; this one holds the test's transaction
    with mock.patch("django.db.backends.base.base.BaseDatabaseWrapper.close_if_unusable_or_obsolete"):
        # the client of a WSGI application leaves a compressed answer as it is
        case = operation.Case(headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
        response = case.call()
        assert response.status_code == 200
        case.validate_response(response, checks=CHECKS)


#: What never changes of a row, or is not the row's own.
FIXED = {
    "id",
    "opportunity_id",
    "delivery.opportunity_id",
    "round",
    "created_at",
    "attempt",
    "decided_at",
    "code",
}
FIXED |= {"position", "hash", "updated_at"}
FIXED_REFERENCES = {"results": {"invitation_id"}, "verdicts": {"delivery_id"}}
#: Columns with another name than what is read.
COLUMNS = {"details": "details_json", "meets_bar": "bar"}
VIEWSETS: list[tuple[str, Any]] = [(scope, viewset) for scope, viewset, _ in router.registry]
ROWS = [(scope, viewset.serializer_class) for scope, viewset in VIEWSETS if scope != ApiScope.FINDINGS]


@pytest.mark.parametrize(("scope", "row"), ROWS)
def test_a_change_of_any_column_that_is_told_is_a_change(scope: str, row: type[Row]) -> None:
    model: Any = row.Meta.model
    [kept] = [rule for rule in model._meta.constraints if isinstance(rule, KeepsUpdatedAt)]
    told = {field.source for field in row().fields.values()} - FIXED - {"*"}
    told -= FIXED_REFERENCES.get(scope, set())
    columns = {model._meta.get_field(name).attname for name in kept.fields}
    assert {COLUMNS.get(str(name), name) for name in told} <= columns
