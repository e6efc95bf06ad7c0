from typing import Any

class SignedPackage:
    @staticmethod
    def dumps(obj: object, compressed: bool = ...) -> str: ...
    @staticmethod
    def loads(obj: str, compressed: bool = ...) -> Any: ...
