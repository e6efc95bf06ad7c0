"""Bodies that no platform sends, and that neither endpoint may store or stumble over."""

from hypothesis import strategies as st

#: Values that no platform sends, as they are written in the body.
HOSTILE_VALUES = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "minus Infinity": "-Infinity",
    "a number that overflows": "1e999",
    "a duplicate key": '{"a": 1, "a": 2}',
    "a duplicate key deep down": '[[{"b": {"a": 1, "\\u0061": 2}}]]',
    "NUL": '"a\\u0000b"',
    "NUL in a key": '{"a\\u0000b": 1}',
    "a lone surrogate": '"\\ud800"',
    "a lone surrogate in a key": '{"\\udfff": 1}',
    "surrogates in the wrong order": '"\\udc00\\ud800"',
    "a raw control character": '"a\x01b"',
    "an integer of 5000 digits": "9" * 5000,
    "nesting 101": "[" * 100 + "]" * 100,
    "nesting 101 around a value": "[" * 100 + "1" + "]" * 100,
    "nesting 101 of objects": '{"a":' * 99 + "{}" + "}" * 99 + "," + '"more":' + "[" * 100 + "]" * 100,
    "nesting 100000": "[" * 100_000 + "]" * 100_000,
    "nesting that never closes": "[" * 100_000,
    "80000 objects": "[" + ",".join(["{}"] * 80_000) + "]",
    "a trailing comma": "[1,]",
    "a comment": "1 /* one */",
    "a hexadecimal number": "0x10",
}

#: Bodies that are no JSON object in UTF-8.
HOSTILE_BODIES = {
    "nothing": b"",
    "white space": b"  \n",
    "a list": b"[]",
    "a number": b"5",
    "a text": b'"text"',
    "null": b"null",
    "true": b"true",
    "half an object": b'{"event": "candidateStageChange"',
    "two objects": b"{}{}",
    "single quotes": b"{'event': 1}",
    "a form": b"event=candidateStageChange&token=1",
    "invalid UTF-8": b'{"event": "\xff\xfe"}',
    "an encoded surrogate": b'{"event": "\xed\xa0\x80"}',
    "an overlong encoding": b'{"event": "\xc0\xaf"}',
    "a byte order mark": b'\xef\xbb\xbf{"event": "candidateStageChange"}',
    "UTF-16": '{"event": "candidateStageChange"}'.encode("utf-16"),
    "UTF-32": '{"event": "candidateStageChange"}'.encode("utf-32"),
    "a raw NUL": b'{"event": "a\x00b"}',
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
}

#: JSON as a platform could send it in place of any value.
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(alphabet=st.characters(codec=None), max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
