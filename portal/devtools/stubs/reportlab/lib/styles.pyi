class ParagraphStyle:
    def __init__(
        self,
        name: str,
        *,
        fontName: str,
        fontSize: float,
        leading: float,
        spaceAfter: float = ...,
        textColor: str = ...,
        linkUnderline: int = ...,
    ) -> None: ...
