"""Both webhook endpoints answer as the OpenAPI document states, whatever is generated from it."""

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

from integrations.inbox.models.delivery import Delivery
from portal.wsgi import application
from tests.support.factories import WEBHOOK_SECRET, CodeScreenConnectionFactory, LeverWebhookFactory

CHECKS = [
    # not whether valid data is accepted: no schema can say that NUL and lone surrogates are refused
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = ["lever_webhook", "codescreen_webhook"]


@pytest.fixture
def key(organization):
    """The key of an organization with a signature token and a webhook secret."""
    LeverWebhookFactory(organization=organization)
    CodeScreenConnectionFactory(organization=organization, webhook_secret=WEBHOOK_SECRET)
    return organization.webhook_key


@pytest.fixture
def operations(client):
    """The operations of the document by id."""
    schema = schemathesis.openapi.from_dict(client.get("/api/v1/schema/").json())
    schema.app = application
    described: list[Any] = [operation.ok() for operation in schema.get_all_operations()]  # type: ignore[union-attr]
    return {operation.definition.raw["operationId"]: operation for operation in described}


def test_the_document_describes_both_endpoints_and_every_status(operations):
    for operation_id in OPERATIONS:
        raw = operations[operation_id].definition.raw
        assert set(raw["responses"]) == {"200", "202", "400", "401", "404", "405", "413", "415", "503"}
        assert list(raw["requestBody"]["content"]) == ["application/json"]


@pytest.mark.slow
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_a_body_that_the_document_allows_is_answered_as_it_states(key, operations, operation_id):
    operation = operations[operation_id]

    @given(data=st.data())
    @settings(
        max_examples=50, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    def send(data):
        case = data.draw(operation.as_strategy())
        case.path_parameters = {"key": key}
        response = case.call()
        assert response.status_code in (200, 202, 400, 401)
        case.validate_response(response, checks=CHECKS)

    # a WSGI server closes its connections after each request; this one holds the test's transaction
    with mock.patch("django.db.backends.base.base.BaseDatabaseWrapper.close_if_unusable_or_obsolete"):
        send()
    assert Delivery.objects.count() == 0
