"""Files on an opportunity."""

from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.ids import new_id
from portal.devtools.sandbox.lever.api.calls import Call, Endpoint, data
from portal.devtools.sandbox.lever.api.serializers.forms import file_json
from portal.devtools.sandbox.lever.state.opportunity import File

MAX_FILE = 30 * 1024 * 1024


def upload_file(call: Call) -> Response:
    """Attach the part named `file` of a multipart form."""
    call.required_actor()
    opportunity = call.opportunity()
    if (call.request.content_length or 0) > MAX_FILE:
        raise HttpError(413, "The file is larger than 30 MB", "PayloadTooLarge")
    sent = call.request.files.get("file")
    if sent is None:
        raise HttpError(400, "Missing required parameter: file", "BadRequestError")
    file = File(new_id(), sent.filename or "", sent.read(), sent.mimetype or "text/plain")
    opportunity.files[file.id] = file
    opportunity.mark_updated()
    opportunity.writes["files"] += 1
    url = f"{call.base_url}/v1/opportunities/{opportunity.id}/files/{file.id}/download"
    return data(file_json(file, url, as_text=call.account.settings.text_file_numbers), 201)


def download_file(call: Call) -> Response:
    """Answer a file's content."""
    file = call.find("file", "files", call.opportunity().files)
    return Response(file.content, content_type=file.content_type)


def delete_file(call: Call) -> Response:
    """Delete a file."""
    call.required_actor()
    opportunity = call.opportunity()
    del opportunity.files[call.find("file", "files", opportunity.files).id]
    opportunity.mark_updated()
    opportunity.writes["deleteFile"] += 1
    return Response(status=204)


ENDPOINTS = [
    Endpoint("POST", "/opportunities/<opportunity>/files", "files:write", upload_file),
    Endpoint("DELETE", "/opportunities/<opportunity>/files/<file>", "files:write", delete_file),
    Endpoint("GET", "/opportunities/<opportunity>/files/<file>/download", "files:read", download_file),
]
