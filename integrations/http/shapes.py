"""What calls carry: JSON, texts of one line, files; and the shape that is relied on in what a platform sends."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any

#: A JSON object from outside: only the code that decodes it into a dataclass looks inside.
JsonObject = dict[str, Any]


def number(value: Decimal | None) -> int | float | None:
    """Return a number for JSON, without a fraction where it has none."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


# Names and other texts of one line that come from a platform. A line break in one could pose as our own next line.


#: Control characters, and those that reverse the direction of what follows.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def one_line(text: str) -> str:
    """Return the text as one line: every run of white space and control characters is one space, none at the ends."""
    return " ".join(_CONTROL.sub(" ", _DIRECTION.sub("", text)).split())


# A file that a request carries.


@dataclass(frozen=True)
class Upload:
    """A file, sent as the part `file` of a multipart form."""

    name: str
    content: bytes
    content_type: str


# The shape that the portal relies on in what a platform sends, and how something sent differs from it.
#
# Only what is read is declared: platforms add fields without notice. Decoding stays tolerant; a deviation is reported
# beside it. It consists of declared names and of types, never of values, so that it contains no personal data.


class Kind(StrEnum):
    """What a JSON value is, in the words of a finding."""

    TEXT = "a text"
    NUMBER_IN_TEXT = "a number in a text"
    WHOLE_NUMBER = "a whole number"
    FRACTION = "a number with a fraction"
    BOOLEAN = "true or false"
    OBJECT = "an object"
    LIST = "a list"
    NULL = "null"
    NOTHING = "nothing"  # the field is left out
    # of the right type, but not of the declared form
    OTHER_SPELLING = "another spelling"
    OTHER_FORM = "another form"


#: Implied by the others where a sentence names the types.
_UNNAMED = frozenset({Kind.NOTHING, Kind.NULL, Kind.NUMBER_IN_TEXT})


@dataclass(frozen=True)
class Form:
    """What a value has to be besides its type. `is_readable` says whether the portal understands it all the same."""

    name: str
    is_met: Callable[[object], bool]
    is_readable: Callable[[object], bool] = field(default=lambda value: False)


@dataclass(frozen=True)
class Shape:
    """The types that a value may have. `readable` ones aren't documented, but the portal understands them."""

    kinds: frozenset[Kind]
    readable: frozenset[Kind] = frozenset()
    form: Form | None = None
    fields: Mapping[str, "Shape"] = field(default_factory=dict)
    items: "Shape | None" = None

    @property
    def type_names(self) -> str:
        """The documented types, as the object of a sentence."""
        named = [kind.value for kind in Kind if kind in self.kinds - _UNNAMED]
        return " or ".join(named)

    def of_form(self, form: Form) -> "Shape":
        """Return the shape with a form."""
        return replace(self, form=form)

    def readable_as(self, *kinds: Kind) -> "Shape":
        """Return the shape with types that the portal understands too."""
        return replace(self, readable=frozenset(kinds))


@dataclass(frozen=True)
class Deviation:
    """One way in which something sent differs from its shape.

    `field` is its path, empty for the whole; `example` is the types of the declared fields around it.
    """

    field: str
    expected: str
    found: Kind
    is_readable: bool
    example: Mapping[str, str]


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of a platform, or a webhook of its, with the shape of what it sends inside its wrapper."""

    name: str
    shape: Shape
    unwrap: Callable[[object], object] = field(default=lambda body: body)

    def deviations(self, body: object) -> tuple[Deviation, ...]:
        """Return how a decoded body differs from the shape, each way once."""
        found = _compare(self.shape, self.unwrap(body), "", dict)
        return tuple({(one.field, one.found): one for one in found}.values())


TEXT = Shape(frozenset({Kind.TEXT, Kind.NUMBER_IN_TEXT}))
WHOLE_NUMBER = Shape(frozenset({Kind.WHOLE_NUMBER}))
BOOLEAN = Shape(frozenset({Kind.BOOLEAN}))
#: A value whose type doesn't matter.
ANYTHING = Shape(frozenset(Kind))


def json_object(**fields: Shape) -> Shape:
    """Return the shape of an object with these fields and any others."""
    return Shape(frozenset({Kind.OBJECT}), fields=fields)


def list_of(items: Shape) -> Shape:
    """Return the shape of a list."""
    return Shape(frozenset({Kind.LIST}), items=items)


def either(first: Shape, second: Shape) -> Shape:
    """Return the shape of what may be one or the other; only the second may have fields."""
    return replace(second, kinds=first.kinds | second.kinds)


def nullable(shape: Shape) -> Shape:
    """Return the shape of what may be null."""
    return replace(shape, kinds=shape.kinds | {Kind.NULL})


def optional(shape: Shape) -> Shape:
    """Return the shape of what may be null or left out."""
    return replace(shape, kinds=shape.kinds | {Kind.NULL, Kind.NOTHING})


def one_of(values: type[StrEnum] | frozenset[str]) -> Form:
    """Return the form of one of these texts; capital letters and surrounding spaces don't hinder reading."""
    known = [str(value) for value in values]
    folded = {value.casefold() for value in known}
    return Form(
        f"one of {', '.join(sorted(known))}",
        lambda value: value in known,
        lambda value: isinstance(value, str) and value.strip().casefold() in folded,
    )


_NOTHING = object()


def kind_of(value: object) -> Kind:
    """Return what a decoded JSON value is."""
    match value:
        case None:
            return Kind.NULL
        case bool():
            return Kind.BOOLEAN
        case int():
            return Kind.WHOLE_NUMBER
        case float():
            return Kind.WHOLE_NUMBER if value.is_integer() else Kind.FRACTION
        case str():
            return Kind.NUMBER_IN_TEXT if _is_number(value) else Kind.TEXT
        case dict():
            return Kind.OBJECT
        case list():
            return Kind.LIST
    return Kind.NOTHING


def _is_number(written: str) -> bool:
    try:
        float(written)
    except ValueError:
        return False
    return True


def _compare(
    shape: Shape, value: object, path: str, types_around: Callable[[], Mapping[str, str]]
) -> Iterator[Deviation]:
    # whether a text holds a number matters where texts aren't expected
    is_text = isinstance(value, str) and Kind.TEXT in shape.kinds
    kind = Kind.TEXT if is_text else kind_of(value)
    is_readable = kind in shape.readable
    if kind not in shape.kinds:
        yield Deviation(path, shape.type_names, kind, is_readable, types_around())
        if not is_readable:
            return
    form = shape.form
    if form is not None and kind not in {Kind.NULL, Kind.NOTHING} and not form.is_met(value):
        found = Kind.OTHER_SPELLING if form.is_readable(value) else Kind.OTHER_FORM
        yield Deviation(path, form.name, found, found is Kind.OTHER_SPELLING, types_around())
    if isinstance(value, dict):
        types = partial(_types, shape, value)
        for name, inner in shape.fields.items():
            inner_path = f"{path}.{name}" if path else name
            yield from _compare(inner, value.get(name, _NOTHING), inner_path, types)
    elif isinstance(value, list) and shape.items is not None:
        for item in value:
            yield from _compare(shape.items, item, f"{path}[]", types_around)


def _types(shape: Shape, value: dict[str, object]) -> Mapping[str, str]:
    """Return the types of an object's declared fields."""
    return {name: kind_of(value.get(name, _NOTHING)).value for name in shape.fields}
