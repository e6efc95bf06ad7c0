from typing import IO

from reportlab.lib.styles import ParagraphStyle

class Flowable: ...

class Paragraph(Flowable):
    def __init__(self, text: str, style: ParagraphStyle) -> None: ...

class SimpleDocTemplate:
    def __init__(
        self,
        filename: IO[bytes],
        *,
        pagesize: tuple[float, float],
        pageCompression: int,
        title: str,
        author: str,
        lang: str,
    ) -> None: ...
    def build(self, flowables: list[Paragraph]) -> None: ...
