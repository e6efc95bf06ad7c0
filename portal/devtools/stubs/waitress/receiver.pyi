from waitress.buffers import OverflowableBuffer

class Receiver:
    def getbuf(self) -> OverflowableBuffer: ...
