"""What CodeScreen sends, compared with its documentation."""

import pytest

from integrations.codescreen import client

DONE = {
    "status": "Complete",
    "score": 75,
    "result_url": "https://app.codescreen.example/client-result/1/a/b",
    "metadata": {
        "result": "Failed",
        "failureReason": "Unit Tests",
        "attempt": 1,
        "issueCount": 10,
        "startedAt": "2024-05-02T08:00:00Z",
    },
}


def found(endpoint, body):
    return [(one.field, one.found.name, one.is_readable) for one in endpoint.deviations(body)]


@pytest.mark.parametrize(
    "body",
    [
        DONE,
        {"status": "Not_Started", "metadata": {}},
        {"status": "Complete", "result_url": "", "metadata": {"issueCount": 10}, "new": [1]},
    ],
)
def test_a_documented_status_has_no_deviation(body):
    assert found(client.GET_STATUS, body) == []


@pytest.mark.parametrize(
    ("change", "deviation"),
    [
        ({"score": "75"}, ("score", "NUMBER_IN_TEXT", True)),
        ({"score": 99.9}, ("score", "FRACTION", True)),
        ({"score": "high"}, ("score", "TEXT", False)),
        ({"score": 101}, ("score", "OTHER_FORM", False)),
        ({"status": "complete"}, ("status", "OTHER_SPELLING", True)),
        ({"status": "Evaluated"}, ("status", "OTHER_FORM", False)),
        ({"status": None}, ("status", "NULL", False)),
        ({"result_url": "/report/1"}, ("result_url", "OTHER_FORM", False)),
        ({"metadata": None}, ("metadata", "NULL", True)),
        ({"metadata": {"result": "passed"}}, ("metadata.result", "OTHER_SPELLING", True)),
        ({"metadata": {"result": "Excellent"}}, ("metadata.result", "OTHER_FORM", False)),
        ({"metadata": {"startedAt": "yesterday"}}, ("metadata.startedAt", "OTHER_FORM", False)),
        ({"metadata": {"attempt": "2"}}, ("metadata.attempt", "NUMBER_IN_TEXT", True)),
    ],
)
def test_a_status_that_differs_is_found(change, deviation):
    assert found(client.GET_STATUS, DONE | change) == [deviation]


def test_lists_invitations_and_webhooks_that_differ_are_found():
    assert found(client.LIST_ASSESSMENTS, [{"assessmentId": "a", "assessmentName": "A"}]) == []
    assert found(client.LIST_ASSESSMENTS, [{"testId": "a", "assessmentName": "A"}]) == [
        ("[].assessmentId", "NOTHING", False)
    ]
    assert found(client.LIST_ASSESSMENTS, {"assessments": []}) == [("", "OBJECT", False)]
    assert found(client.SEND_ASSESSMENT, {"assessmentInstanceId": 5}) == [
        ("assessmentInstanceId", "WHOLE_NUMBER", False)
    ]
    assert found(client.WEBHOOK, {"type": "candidate.evaluated", "data": {}}) == [
        ("data.assessmentInstanceId", "NOTHING", False)
    ]
