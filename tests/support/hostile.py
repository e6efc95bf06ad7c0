"""Texts that nobody sends by a page, which no view may take for markup, an address, a formula or a number."""

from hypothesis import strategies as st

SCRIPT = "<script>alert(1)</script>"
EVIL_HOST = "evil.example"

TEXTS = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\r\nSet-Cookie: a=b",
    "\u202etxt.exe",
    "\ufffe",
    "e\u0301\u0327" * 40,
    "🦔" * 300,
    "x" * 20_000,
    # numbers
    "0",
    "-1",
    "1.5",
    "1e999",
    "NaN",
    "٣",
    "²",
    str(2**63),
    str(-(2**63) - 1),
    "9" * 40,
    "-" + "9" * 40,
    "9" * 5000,
    # dates
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    "2026-11-26T25:61",
    # addresses
    f"//{EVIL_HOST}/",
    f"https://{EVIL_HOST}/",
    f"/\\{EVIL_HOST}/",
    f"http:///{EVIL_HOST}/",
    f"https://testserver@{EVIL_HOST}/",
    f"\t//{EVIL_HOST}/",
    "javascript:alert(1)",
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "a@b.example\nBcc: c@d.example",
    "@",
    # languages
    '=HYPERLINK("https://evil.example")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% debug %}",
    "%s%n{0.__class__}",
    "' OR 1=1 --",
    "*[",
    "true",
    "None",
    "null",
    "[]",
    '{"a": {"$gt": ""}}',
    "[" * 3000,
]

texts = st.one_of(st.sampled_from(TEXTS), st.text(max_size=30))
