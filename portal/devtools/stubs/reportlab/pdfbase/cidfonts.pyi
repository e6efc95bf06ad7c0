from reportlab.pdfbase.pdfmetrics import Font

class UnicodeCIDFont(Font):
    def __init__(self, face: str) -> None: ...
