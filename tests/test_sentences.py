"""The sentences that people read, in templates and in the strings of the code, are short."""

import ast
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

from tests.support.product import modules

ROOT = Path(__file__).parent.parent
MOST_WORDS = 20
#: What is left of a sentence's neighbours: the end of a sentence, of a paragraph, or of a line.
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[.!?][”\")])\s+|\n")
#: Characters that sentences don't have: the string is a query, a style or a drawing.
CODE = re.compile(r"[{}<>=$]")
INLINE = {"a", "abbr", "b", "bdi", "code", "em", "i", "q", "span", "strong", "time"}
BRANCHES = {"block", "else", "elif", "empty", "endblock", "endfor", "endtopic", "for", "topic"}


def too_long(text: str) -> list[str]:
    """Return the sentences of a text that have too many words."""
    return [
        " ".join(sentence.split())
        for sentence in SENTENCE_END.split(text)
        if len(re.findall(r"\S*\w\S*", sentence)) > MOST_WORDS and not CODE.search(sentence)
    ]


def template_text(source: str) -> str:
    """Return the words that a template holds itself, a line for each element or branch. A value counts as a word."""
    source = re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", source, flags=re.DOTALL)
    source = re.sub(r"<(script|style)\b.*?</\1>", "", source, flags=re.DOTALL)
    source = " ".join(source.split())
    source = re.sub(r"\{%\s*(\w+).*?%\}", lambda tag: "\n" if tag[1] in BRANCHES else " ", source)
    source = re.sub(r"\{\{.*?\}\}", "value", source)
    source = re.sub(r"</?(\w+)[^>]*>", lambda tag: "" if tag[1] in INLINE else "\n", source)
    return unescape(source)


def strings_of(module: ast.Module) -> Iterator[str]:
    """Yield the strings of a module but for docstrings; what an f-string fills in counts as a word."""
    silent = {
        id(statement.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for statement in node.body
        if isinstance(statement, ast.Expr)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "value" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield re.sub(r"\{\w*\}", "value", node.value)


def test_the_sentences_of_templates_are_short_when_a_reader_meets_them():
    files = [path for path in (ROOT / "templates").rglob("*.*") if path.suffix in {".html", ".txt"}]
    assert len(files) > 100
    found = [(path.name, long) for path in files for long in too_long(template_text(path.read_text()))]
    assert found == []


def test_the_sentences_of_the_code_are_short_when_they_are_shown():
    assert len(modules()) > 100
    found = [
        (path, long)
        for path, module in modules().items()
        for text in strings_of(module)
        for long in too_long(text)
    ]
    assert found == []
