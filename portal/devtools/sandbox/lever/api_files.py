"""Files on an opportunity."""

from portal.devtools.sandbox.http import Refusal, Response, json_response
from portal.devtools.sandbox.ids import Json, new_id
from portal.devtools.sandbox.lever.api import Call, Table, data, not_found
from portal.devtools.sandbox.lever.filters import milliseconds
from portal.devtools.sandbox.lever.paging import page
from portal.devtools.sandbox.lever.serializers_forms import file_json
from portal.devtools.sandbox.lever.state import File, Opportunity

MAX_FILE = 30 * 1024 * 1024


def list_files(call: Call) -> Response:
    """Answer a page of an opportunity's files."""
    item = call.opportunity()
    start = milliseconds(call.request, "uploaded_at_start") or 0
    end = milliseconds(call.request, "uploaded_at_end")
    files = [
        f for f in item.files.values() if start <= f.uploaded_at and (end is None or f.uploaded_at <= end)
    ]
    return json_response(
        page(call.request, files, lambda f: (f.uploaded_at, f.id), lambda f: _shape(call, item, f))
    )


def get_file(call: Call) -> Response:
    """Answer one file's description."""
    item = call.opportunity()
    return data(_shape(call, item, _file(call, item)))


def download_file(call: Call) -> Response:
    """Answer a file's content."""
    file = _file(call, call.opportunity())
    return Response(200, file.content, file.content_type)


def upload_file(call: Call) -> Response:
    """Attach the part named `file`."""
    call.actor(required=True)
    item = call.opportunity()
    if len(call.request.body) > MAX_FILE:
        raise Refusal(413, "The file is larger than 30 MB", "PayloadTooLarge")
    sent = call.request.uploads.get("file")
    if sent is None:
        raise Refusal(400, "Missing required parameter: file", "BadRequestError")
    file = File(new_id(), sent.name, sent.content, sent.content_type)
    item.files[file.id] = file
    item.touch()
    item.writes["files"] += 1
    return data(_shape(call, item, file), 201)


def delete_file(call: Call) -> Response:
    """Delete a file."""
    call.actor(required=True)
    item = call.opportunity()
    del item.files[_file(call, item).id]
    item.touch()
    item.writes["deleteFile"] += 1
    return Response(204)


def list_resumes(call: Call) -> Response:
    """Answer an empty list: nobody here sent a résumé."""
    call.opportunity()
    return json_response({"data": [], "hasNext": False})


def _file(call: Call, item: Opportunity) -> File:
    name = call.request.params["file"]
    if name not in item.files:
        raise not_found("files", name)
    return item.files[name]


def _shape(call: Call, item: Opportunity, file: File) -> Json:
    url = f"{call.base_url}/v1/opportunities/{item.id}/files/{file.id}/download"
    return file_json(file, url, as_text=call.account.settings.text_file_numbers)


TABLE: Table = [
    ("GET", "/opportunities/<opportunity>/files", "files:read", list_files),
    ("POST", "/opportunities/<opportunity>/files", "files:write", upload_file),
    ("GET", "/opportunities/<opportunity>/files/<file>", "files:read", get_file),
    ("DELETE", "/opportunities/<opportunity>/files/<file>", "files:write", delete_file),
    ("GET", "/opportunities/<opportunity>/files/<file>/download", "files:read", download_file),
    ("GET", "/opportunities/<opportunity>/resumes", "resumes:read", list_resumes),
]
