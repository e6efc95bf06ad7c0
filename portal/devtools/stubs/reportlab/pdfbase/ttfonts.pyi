from reportlab.pdfbase.pdfmetrics import Font

class TTFontFace:
    charToGlyph: dict[int, int]

class TTFont(Font):
    face: TTFontFace
    def __init__(self, name: str, filename: str) -> None: ...
