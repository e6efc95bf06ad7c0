"""Interviews of an opportunity, which exist here only to name its interviewers."""

from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.ids import stable_id
from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.lever.api.calls import Call, Endpoint
from portal.devtools.sandbox.lever.api.paging import page
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.opportunity import Opportunity


def list_interviews(call: Call) -> Response:
    """Answer one interview with all interviewers; an empty page where nobody interviews the candidate."""
    opportunity = call.opportunity()
    found = [opportunity] if opportunity.interviewers else []
    return page(
        call.request,
        found,
        lambda one: (one.created_at, one.id),
        lambda one: _interview_json(call.account, one),
    )


def _interview_json(account: LeverAccount, opportunity: Opportunity) -> JsonObject:
    users = [account.users[user] for user in opportunity.interviewers if user in account.users]
    return {
        "id": stable_id(account.slug, "interview", opportunity.id),
        "panel": stable_id(account.slug, "panel", opportunity.id),
        "subject": "Interview",
        "note": "",
        "interviewers": [
            {"id": user.id, "name": user.name, "email": user.email, "feedbackTemplate": None}
            for user in users
        ],
        "timezone": "UTC",
        "createdAt": opportunity.created_at,
        "date": opportunity.created_at,
        "duration": 30,
        "location": "",
        "feedbackTemplate": None,
        "feedbackForms": [],
        "feedbackReminder": "once",
        "user": opportunity.owner,
        "stage": opportunity.stage,
        "canceledAt": None,
        "postings": [opportunity.posting_id] if opportunity.posting_id else [],
        "gcalEventUrl": None,
    }


ENDPOINTS = [
    Endpoint("GET", "/opportunities/<opportunity>/interviews", "interviews:read", list_interviews),
]
