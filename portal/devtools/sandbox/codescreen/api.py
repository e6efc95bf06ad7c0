"""The three published calls, and the extensions an account may have."""

import re
from collections.abc import Callable

from portal.devtools.sandbox.codescreen.platform import CodeScreenPlatform
from portal.devtools.sandbox.codescreen.state import CodeScreenAccount, Instance, Phase, person_key
from portal.devtools.sandbox.messages import (
    Handler,
    HttpError,
    Request,
    Response,
    Route,
    json_response,
)
from portal.devtools.sandbox.values import JsonObject, iso_text

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
#: By which names CodeScreen's documentation has the list of assessments.
_LIST_PATHS = ("/assessments", "/listAssessments", "/listTests")
_REQUIRED_FIELDS = ("assessmentId", "firstName", "lastName", "email")

type Endpoint = Callable[[Request, CodeScreenAccount], Response]


class Api:
    """The calls: list the assessments, invite a candidate, ask for a status."""

    def __init__(self, platform: CodeScreenPlatform) -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Return the calls' routes."""
        return [
            *(Route("GET", f"/api{path}", self._guarded(self.list_assessments)) for path in _LIST_PATHS),
            Route("POST", "/api/assessments", self._guarded(self.invite)),
            Route("GET", "/api/assessments/<instance>", self._guarded(self.status)),
        ]

    def list_assessments(self, request: Request, account: CodeScreenAccount) -> Response:
        """Answer the account's assessments, as a bare array; by the one name that the settings give it."""
        if request.path_template != f"/api{account.settings.list_path}":
            raise HttpError(404, "there is no such endpoint", "not_found")
        return json_response(
            [{"assessmentId": item.id, "assessmentName": item.name} for item in account.assessments.values()]
        )

    def invite(self, request: Request, account: CodeScreenAccount) -> Response:
        """Invite a candidate by e-mail."""
        instance = self._read_invitation(request, account)
        if account.settings.conflict_409:
            self._reject_second(account, instance)
        self._platform.invite(account, instance)
        return json_response({"assessmentInstanceId": instance.id})

    def status(self, request: Request, account: CodeScreenAccount) -> Response:
        """Answer how far a candidate is, and the result of a completed assessment."""
        instance = account.instances.get(request.path_params["instance"])
        if instance is None or instance.deleted_at is not None:
            raise HttpError(404, "assessment instance not found", "not_found")
        self._platform.expire_if_overdue(account, instance)
        answer: JsonObject = {"status": instance.status}
        if instance.phase is Phase.COMPLETE:
            answer["result_url"] = self._platform.report_url(instance)
            if instance.score is not None:
                answer["score"] = instance.score
        answer["metadata"] = _metadata(account, instance)
        return json_response(answer)

    def _guarded(self, endpoint: Endpoint) -> Handler:
        def answer(request: Request) -> Response:
            account = self._platform.account_with_key(api_key(request))
            if account is None:
                raise HttpError(401, "invalid or missing API key", "unauthorized")
            with account.lock:
                return endpoint(request, account)

        return answer

    def _read_invitation(self, request: Request, account: CodeScreenAccount) -> Instance:
        body = request.json_object()
        for name in _REQUIRED_FIELDS:
            if not isinstance(body.get(name), str) or not body[name].strip():
                raise HttpError(422, f"{name} is required", "invalid_request")
        if not _EMAIL.fullmatch(body["email"].strip()):
            raise HttpError(422, "email is not an e-mail address", "invalid_email")
        assessment = account.assessments.get(body["assessmentId"])
        if assessment is None:
            raise HttpError(422, "there is no such assessment", "unknown_assessment")
        first, last, email = (body[name].strip() for name in _REQUIRED_FIELDS[1:])
        return Instance(assessment, first, last, email)

    def _reject_second(self, account: CodeScreenAccount, instance: Instance) -> None:
        earlier = account.by_person.get(person_key(instance.email, instance.assessment.id), [])
        live = next(
            (one for one in earlier if one.deleted_at is None and one.phase is not Phase.COMPLETE), None
        )
        if live is not None:
            message = "this person has an open invitation to this assessment"
            raise HttpError(409, message, "already_invited", {"assessmentInstanceId": live.id})


def api_key(request: Request) -> str:
    """Return the key of a request: `Authorization: apiKey <key>`, no other scheme."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme == "apiKey" else ""


def _metadata(account: CodeScreenAccount, instance: Instance) -> JsonObject:
    """Return the status answer's flat metadata; without the extension, only what the published example has."""
    total = instance.assessment.unit_tests
    metadata: JsonObject = dict(instance.details)
    if instance.phase is Phase.COMPLETE:
        metadata["issueCount"] = len(instance.id) % 7 + instance.attempt
    if not account.settings.metadata:
        return metadata
    if instance.phase is Phase.COMPLETE and instance.result is not None:
        metadata["result"] = instance.result
        if instance.reason is not None:
            metadata["failureReason"] = instance.reason
    metadata["attempt"] = instance.attempt
    if instance.score is not None and total:
        metadata |= {"unitTestsPassed": instance.tests_passed, "unitTestsTotal": total}
    if instance.phase is Phase.COMPLETE and instance.result != "Expired":
        metadata |= {"language": "Python", "plagiarismCheckPassed": True}
    times = {
        "sentAt": instance.sent_at,
        "startedAt": instance.started_at,
        "submittedAt": instance.submitted_at,
        "evaluatedAt": instance.evaluated_at,
        "startBy": instance.start_by,
    }
    stated = {name: iso_text(at) for name, at in times.items() if at is not None}
    return metadata | stated | instance.details
