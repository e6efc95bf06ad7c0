"""The OpenAPI document: every list answers as it states, whatever is asked."""

from typing import Any
from unittest import mock

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from integrations.api import access
from integrations.api.lists import LISTS, ApiList
from integrations.api.rows import Row
from integrations.api.schema import document
from integrations.store.updated_at import KeepsUpdatedAt
from portal.wsgi import application

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SCOPES = [one.scope.value for one in LISTS]


def test_the_document_is_for_everybody_and_describes_each_list(client, db):
    answer = client.get("/api/v1/schema/")
    assert answer.status_code == 200
    paths = answer.json()["paths"]
    assert list(paths) == sorted(f"/api/v1/{scope}/" for scope in SCOPES)
    for scope in SCOPES:
        assert list(paths[f"/api/v1/{scope}/"]) == ["get"]
        operation = paths[f"/api/v1/{scope}/"]["get"]
        assert operation["security"] == [{"token": []}]
        names = {parameter["name"] for parameter in operation["parameters"]}
        assert names > {"cursor", "limit", "updated_since"}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_list_answers_as_the_document_states(monkeypatch, token, one_of_each, scope):
    monkeypatch.setattr(access, "PAGES", ())
    schema = schemathesis.openapi.from_dict(document())
    schema.app = application
    operations: list[Any] = [operation.ok() for operation in schema.get_all_operations()]  # type: ignore[union-attr]
    [operation] = [one for one in operations if one.definition.raw["operationId"] == scope]

    # the client of a WSGI application leaves a compressed answer as it is
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}

    @given(data=st.data())
    @settings(
        max_examples=60, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    def ask(data):
        case = data.draw(operation.as_strategy())
        response = case.call(headers=headers)
        assert response.status_code in {200, 400}
        case.validate_response(response, checks=CHECKS)

    # a WSGI server closes its connections after each request; this one holds the test's transaction
    with mock.patch("django.db.backends.base.base.BaseDatabaseWrapper.close_if_unusable_or_obsolete"):
        ask()
        case = operation.Case(headers=headers)
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


@pytest.mark.parametrize("one", [one for one in LISTS if one.rows], ids=lambda one: one.scope)
def test_a_change_of_any_column_that_is_told_is_a_change(one: ApiList) -> None:
    assert issubclass(one.row, Row)
    model: Any = one.row.Meta.model
    [kept] = [rule for rule in model._meta.constraints if isinstance(rule, KeepsUpdatedAt)]
    told = {field.source for field in one.row().fields.values()} - FIXED - {"*"}
    told -= FIXED_REFERENCES.get(one.scope, set())
    columns = {model._meta.get_field(name).attname for name in kept.fields}
    assert {COLUMNS.get(str(name), name) for name in told} <= columns
