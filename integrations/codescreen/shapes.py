"""What the portal relies on in CodeScreen's answers and webhooks: fields and types, per endpoint.

Source: https://docs.codescreen.com (List assessments, Send assessment, Get assessment status). The keys of `metadata`
and the webhooks are extensions, so those are optional.
"""

from integrations.codescreen.payloads import OUTCOMES, InstanceStatus, is_link, is_score, is_time
from integrations.http.shapes import (
    Endpoint,
    Form,
    Kind,
    json_object,
    list_of,
    one_of,
    optional,
    text,
    whole_number,
)

_SCORE = whole_number().of_form(Form("a number from 0 to 100", is_score))
_LINK = text().of_form(Form("a web address", is_link))
_TIME = text().of_form(Form("an ISO 8601 time with an offset", is_time))

LIST_ASSESSMENTS = Endpoint(
    "GET /assessments", list_of(json_object(assessmentId=text(), assessmentName=text()))
)
SEND_ASSESSMENT = Endpoint("POST /assessments", json_object(assessmentInstanceId=text()))
GET_STATUS = Endpoint(
    "GET /assessments/:id",
    json_object(
        status=text().of_form(one_of(InstanceStatus)),
        result_url=optional(_LINK),
        score=optional(_SCORE).readable_as(Kind.NUMBER_IN_TEXT, Kind.FRACTION),
        metadata=json_object(
            result=optional(text().of_form(one_of(frozenset(OUTCOMES.values())))),
            failureReason=optional(text()),
            attempt=optional(whole_number()).readable_as(Kind.NUMBER_IN_TEXT),
            startedAt=optional(_TIME),
            submittedAt=optional(_TIME),
            evaluatedAt=optional(_TIME),
        ).readable_as(Kind.NULL, Kind.NOTHING),
    ),
)
WEBHOOK = Endpoint(
    "webhook",
    json_object(
        type=text(),
        data=json_object(assessmentInstanceId=text(), externalId=optional(text())),
    ),
)
