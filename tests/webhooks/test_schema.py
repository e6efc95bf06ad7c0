"""The OpenAPI document describes both webhook endpoints; tests/webhooks/contract.py shows that they answer so."""

OPERATIONS = {"lever_webhook", "codescreen_webhook"}


def test_the_document_describes_both_endpoints_and_every_status(client, db):
    methods = [
        one for path in client.get("/api/v1/schema/").json()["paths"].values() for one in path.values()
    ]
    described = {one["operationId"]: one for one in methods if one["operationId"] in OPERATIONS}
    assert set(described) == OPERATIONS
    for one in described.values():
        assert set(one["responses"]) == {"200", "202", "400", "401", "404", "405", "413", "415", "503"}
        assert list(one["requestBody"]["content"]) == ["application/json"]
