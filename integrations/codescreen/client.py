"""CodeScreenClient: the three published calls.

Source: https://docs.codescreen.com (API: authentication, list assessments, send assessment, get status).
"""

from urllib.parse import quote

from integrations.codescreen import shapes
from integrations.codescreen.names import split_name
from integrations.codescreen.payloads import ListedAssessment, Progress, instance_id_in
from integrations.http.errors import PlatformError
from integrations.http.session import PlatformSession


class CodeScreenClient:
    """CodeScreen's API for one customer. Every method raises PlatformError when CodeScreen doesn't do as asked."""

    def __init__(self, session: PlatformSession, api_key: str) -> None:
        self._session = session
        self._headers = {"Authorization": f"apiKey {api_key}"}

    def assessments(self) -> list[ListedAssessment]:
        """List the account's assessments."""
        rows = self._session.request(
            "GET", "/assessments", headers=self._headers, endpoint=shapes.LIST_ASSESSMENTS
        )
        if not isinstance(rows, list):
            raise PlatformError("CodeScreen answered the list of assessments with something else")
        return [
            ListedAssessment.from_api(row)
            for row in rows
            if isinstance(row, dict) and isinstance(row.get("assessmentId"), str)
        ]

    def send(
        self, assessment_id: str, name: str, email: str, external_id: str = "", idempotent: bool = False
    ) -> str:
        """Invite one person; CodeScreen sends the e-mail. Return CodeScreen's instance id.

        `external_id` and the Idempotency-Key header are extensions of the published API: pass them only where the
        account supports them. Raises PlatformError, `ambiguous` when the person may have been invited all the same.
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
        body = self._session.request(
            "POST", "/assessments", payload=payload, headers=headers, endpoint=shapes.SEND_ASSESSMENT
        )
        instance_id = instance_id_in(body)
        if not instance_id:
            raise PlatformError("CodeScreen accepted the invitation without saying its id", ambiguous=True)
        return instance_id

    def status(self, instance_id: str) -> Progress:
        """Read the progress of one instance."""
        path = "/assessments/" + quote(instance_id, safe="")
        body = self._session.request("GET", path, headers=self._headers, endpoint=shapes.GET_STATUS)
        if not isinstance(body, dict):
            raise PlatformError("CodeScreen answered the status with something else")
        return Progress.from_api(body)
