from collections.abc import Iterable
from decimal import Decimal
from typing import TypedDict

class Feedback(TypedDict):
    warning: str
    suggestions: list[str]

class Estimate(TypedDict):
    guesses: int | Decimal
    score: int
    feedback: Feedback

def zxcvbn(password: str, user_inputs: Iterable[str] | None = ...) -> Estimate: ...
