"""The three published calls, and the extensions an account may have."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from portal.devtools.sandbox.codescreen.state import COMPLETE, CodeScreenAccount, Instance, person
from portal.devtools.sandbox.http import Refusal, Request, Response, json_response
from portal.devtools.sandbox.ids import Json, iso

if TYPE_CHECKING:
    from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_FIELDS = ("assessmentId", "firstName", "lastName", "email")
MAX_KEY = 255

type Endpoint = Callable[[Request, CodeScreenAccount], Response]


class Api:
    """List, invite, status."""

    def __init__(self, server: "CodeScreenSandbox") -> None:
        self._server = server
        routes: list[tuple[str, str, Endpoint]] = [
            ("GET", "/api/assessments", self.list_assessments),
            ("POST", "/api/assessments", self.invite),
            ("GET", "/api/assessments/<instance>", self.status),
        ]
        for method, path, endpoint in routes:
            server.router.add(method, path, self._guarded(endpoint), faultable=True, as_json=True)

    def list_assessments(self, _request: Request, account: CodeScreenAccount) -> Response:
        """Answer the account's assessments, as a bare array."""
        return json_response(
            [{"assessmentId": item.id, "assessmentName": item.name} for item in account.assessments.values()]
        )

    def invite(self, request: Request, account: CodeScreenAccount) -> Response:
        """Invite a candidate by e-mail."""
        key = request.headers.get("Idempotency-Key", "") if account.settings.idempotency else ""
        if len(key) > MAX_KEY:
            raise Refusal(400, "Idempotency-Key is longer than 255 characters", "bad_request")
        if key in account.answers:
            body, answer = account.answers[key]
            if body != request.body:
                message = "this Idempotency-Key was used with another body"
                raise Refusal(422, message, "idempotency_mismatch")
            return json_response(answer)
        instance = self._read_invitation(request, account)
        if account.settings.conflict_409:
            self._refuse_second(account, instance)
        self._server.journey.invite(account, instance)
        self._server.remember_report(account, instance)
        answer = {"assessmentInstanceId": instance.id}
        if key:
            account.answers[key] = (request.body, answer)
        return json_response(answer)

    def status(self, request: Request, account: CodeScreenAccount) -> Response:
        """Answer how far a candidate is."""
        instance = account.instances.get(request.params["instance"])
        if instance is None or instance.deleted_at is not None:
            raise Refusal(404, "assessment instance not found", "not_found")
        self._server.journey.check_time(account, instance)
        answer: Json = {"status": instance.status}
        if instance.phase == COMPLETE:
            answer["result_url"] = self._server.report_url(instance)
            if instance.score is not None:
                answer["score"] = instance.score
        answer["metadata"] = _metadata(account, instance)
        return json_response(answer)

    def _guarded(self, endpoint: Endpoint) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            account = self._server.account_with_key(api_key(request))
            if account is None:
                raise Refusal(401, "invalid or missing API key", "unauthorized")
            with account.lock:
                try:
                    response = endpoint(request, account)
                except Refusal as refusal:
                    account.books.count_call(request.method, request.template, refusal.status)
                    raise
                account.books.count_call(request.method, request.template, response.status)
                return response

        return answer

    def _read_invitation(self, request: Request, account: CodeScreenAccount) -> Instance:
        body = request.json_object()
        for name in _FIELDS:
            if not isinstance(body.get(name), str) or not body[name].strip():
                raise Refusal(422, f"{name} is required", "invalid_request")
        if not _EMAIL.fullmatch(body["email"].strip()):
            raise Refusal(422, "email is not an e-mail address", "invalid_email")
        assessment = account.assessments.get(body["assessmentId"])
        if assessment is None:
            raise Refusal(422, "there is no such assessment", "unknown_assessment")
        external = body.get("externalId")
        first, last, email = (body[name].strip() for name in _FIELDS[1:])
        return Instance(assessment, first, last, email, external if isinstance(external, str) else "")

    def _refuse_second(self, account: CodeScreenAccount, instance: Instance) -> None:
        earlier = account.by_person.get(person(instance.email, instance.assessment.id), [])
        live = next((one for one in earlier if one.deleted_at is None and one.phase != COMPLETE), None)
        if live is not None:
            message = "this person has an open invitation to this assessment"
            raise Refusal(409, message, "already_invited", {"assessmentInstanceId": live.id})


def api_key(request: Request) -> str:
    """Return the key of a request: `Authorization: apiKey <key>`, that word and no other."""
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if kind == "apiKey" else ""


def _metadata(account: CodeScreenAccount, instance: Instance) -> Json:
    """Return flat keys and values; without the extension, what the published example shows."""
    total = instance.assessment.unit_tests
    found: Json = {}
    if instance.phase == COMPLETE:
        found["issueCount"] = len(instance.id) % 7 + instance.attempt
    if not account.settings.metadata:
        return found
    if instance.phase == COMPLETE and instance.result is not None:
        found["result"] = instance.result
        if instance.reason is not None:
            found["failureReason"] = instance.reason
    if instance.external_id:
        found["externalId"] = instance.external_id
    found["attempt"] = instance.attempt
    if instance.score is not None and total:
        found |= {"unitTestsPassed": instance.score * total // 100, "unitTestsTotal": total}
    if instance.phase == COMPLETE and instance.result != "Expired":
        found |= {"language": "Python", "plagiarismCheckPassed": True}
    times = {
        "sentAt": instance.sent_at,
        "startedAt": instance.started_at,
        "submittedAt": instance.submitted_at,
        "evaluatedAt": instance.evaluated_at,
        "startBy": instance.start_by,
    }
    return found | {name: iso(at) for name, at in times.items() if at is not None}
