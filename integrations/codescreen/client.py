"""CodeScreenClient: the three published calls.

Source: https://docs.codescreen.com (API: authentication, list assessments, send assessment, get status).
"""

from typing import Any
from urllib.parse import quote

from integrations.codescreen.payloads import Progress, split_name
from integrations.http.errors import PlatformError
from integrations.http.session import PlatformSession


class CodeScreenClient:
    """CodeScreen's API for one customer. Every method raises PlatformError when CodeScreen doesn't do as asked."""

    def __init__(self, session: PlatformSession, api_key: str) -> None:
        self._session = session
        self._headers = {"Authorization": f"apiKey {api_key}"}

    def assessments(self) -> list[dict[str, str]]:
        """List the assessments: dictionaries with `assessmentId` and `assessmentName`."""
        rows = self._session.request("GET", "/assessments", headers=self._headers)
        if not isinstance(rows, list):
            raise PlatformError("CodeScreen answered the list of assessments with something else")
        return [
            {"assessmentId": row["assessmentId"], "assessmentName": str(row.get("assessmentName") or "")}
            for row in rows
            if isinstance(row, dict) and isinstance(row.get("assessmentId"), str)
        ]

    def send(
        self, assessment_id: str, name: str, email: str, external_id: str = "", idempotent: bool = False
    ) -> str:
        """Invite one person; CodeScreen's instance id. CodeScreen sends the e-mail.

        `external_id` and the Idempotency-Key are additive (P1): pass them only where the account honours them.
        Raises PlatformError, `ambiguous` when the person may have been invited all the same.
        """
        first_name, last_name = split_name(name)
        payload = {
            "assessmentId": assessment_id,
            "firstName": first_name,
            "lastName": last_name,
            "email": email,
        }
        headers = dict(self._headers)
        if external_id:
            payload["externalId"] = external_id
        if idempotent:
            headers["Idempotency-Key"] = external_id
        body = self._session.request("POST", "/assessments", payload=payload, headers=headers)
        instance = instance_id(body)
        if not instance:
            raise PlatformError("CodeScreen accepted the invitation without saying its id", ambiguous=True)
        return instance

    def status(self, instance: str) -> Progress:
        """Ask how one instance stands."""
        body = self._session.request("GET", "/assessments/" + quote(instance, safe=""), headers=self._headers)
        if not isinstance(body, dict):
            raise PlatformError("CodeScreen answered the status with something else")
        return Progress.from_api(body)


def instance_id(body: Any) -> str:
    """Return the instance id in an answer, empty when it holds none."""
    found = body.get("assessmentInstanceId") if isinstance(body, dict) else None
    return found if isinstance(found, str) else ""
