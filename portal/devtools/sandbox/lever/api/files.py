"""Files on an opportunity."""

from functools import partial

from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.ids import new_id
from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.lever.api.calls import Call, Endpoint, data
from portal.devtools.sandbox.lever.api.paging import page
from portal.devtools.sandbox.lever.api.serializers.forms import file_json
from portal.devtools.sandbox.lever.state.opportunity import File

MAX_FILE = 30 * 1024 * 1024


def list_files(call: Call) -> Response:
    """Answer a page of an opportunity's files."""
    files = list(call.opportunity().files.values())
    return page(call.request, files, lambda file: (file.uploaded_at, file.id), partial(_described, call))


def get_file(call: Call) -> Response:
    """Answer one file's description."""
    return data(_described(call, call.find("file", "files", call.opportunity().files)))


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
    return data(_described(call, file), 201)


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


def _described(call: Call, file: File) -> JsonObject:
    settings = call.account.settings
    opportunity_id = call.request.path_params["opportunity"]
    url = f"{call.base_url}/v1/opportunities/{opportunity_id}/files/{file.id}/download"
    return file_json(file, url, status=settings.file_status, as_text=settings.text_file_numbers)


ENDPOINTS = [
    Endpoint("GET", "/opportunities/<opportunity>/files", "files:read", list_files),
    Endpoint("GET", "/opportunities/<opportunity>/files/<file>", "files:read", get_file),
    Endpoint("POST", "/opportunities/<opportunity>/files", "files:write", upload_file),
    Endpoint("DELETE", "/opportunities/<opportunity>/files/<file>", "files:write", delete_file),
    Endpoint("GET", "/opportunities/<opportunity>/files/<file>/download", "files:read", download_file),
]
