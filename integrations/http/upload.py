"""A file that a request carries."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Upload:
    """A file, sent as the part `file` of a multipart form."""

    name: str
    content: bytes
    content_type: str
