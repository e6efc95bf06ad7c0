from reportlab.pdfbase.pdfmetrics import Font

class TTFont(Font):
    def __init__(self, name: str, filename: str) -> None: ...
