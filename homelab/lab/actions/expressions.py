"""``${{ … }}`` and ``if:``: names with dots, strings, numbers, ``== != ! && ||``, and a few functions. Pure.

Source: nektos/act pkg/exprparser, which both servers' runners use; what is not here is refused, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w.-]*)|(?P<sign>&&|\|\||==|!=|[!(),]))"
)
_EMBEDDED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_STATUS_FUNCTIONS = re.compile(r"\b(?:success|failure|always|cancelled)\s*\(")


class ExpressionRefused(Exception):
    """The expression uses what this server does not know; the text names it."""


def interpolate(text: str, context: Mapping[str, Any]) -> str:
    """Replace each ``${{ … }}``; an unknown name becomes nothing."""
    return _EMBEDDED.sub(lambda found: spoken(evaluate(found[1], context)), text)


def spoken(value: Any) -> str:
    """Return a value as it appears in text."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def condition(text: str, context: Mapping[str, Any], *, failed: bool, cancelled: bool) -> bool:
    """Judge an ``if:``: without one of the status functions it also asks for success."""
    embedded = _EMBEDDED.fullmatch(text.strip())
    expression = embedded[1] if embedded else text
    functions = {
        "success": lambda: not failed and not cancelled,
        "failure": lambda: failed and not cancelled,
        "always": lambda: True,
        "cancelled": lambda: cancelled,
    }
    value = bool(evaluate(expression, {**context, "functions": functions})) if expression.strip() else True
    return value if _STATUS_FUNCTIONS.search(expression) else value and not failed and not cancelled


def evaluate(text: str, context: Mapping[str, Any]) -> Any:
    """Return the value of one expression. ExpressionRefused for what is not known."""
    return _Parser(text, context).whole()


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "contains": lambda where, what: spoken(what).lower() in spoken(where).lower(),
    "startsWith": lambda where, what: spoken(where).lower().startswith(spoken(what).lower()),
    "endsWith": lambda where, what: spoken(where).lower().endswith(spoken(what).lower()),
}
_LITERALS = {"true": True, "false": False, "null": None}


class _Parser:
    """Reads one expression left to right: or, and, comparison, not, value."""

    def __init__(self, text: str, context: Mapping[str, Any]) -> None:
        self.text, self.context = text, context
        self.tokens = self._tokens(text)

    @staticmethod
    def _tokens(text: str) -> list[tuple[str, str]]:
        tokens, at, end = [], 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None:
                raise ExpressionRefused(f"cannot read {text[at:].strip()!r}")
            tokens.append((str(found.lastgroup), found[0].strip()))
            at = found.end()
        return [*tokens, ("end", "")]

    def whole(self) -> Any:
        value = self._or()
        if self.tokens[0][0] != "end":
            raise ExpressionRefused(f"cannot read {self.tokens[0][1]!r} in {self.text.strip()!r}")
        return value

    def _take(self, *signs: str) -> str:
        """Take the next token if it is one of these signs."""
        kind, word = self.tokens[0]
        if kind == "sign" and word in signs:
            self.tokens.pop(0)
            return word
        return ""

    def _or(self) -> Any:
        value = self._and()
        while self._take("||"):
            other = self._and()
            value = value or other
        return value

    def _and(self) -> Any:
        value = self._comparison()
        while self._take("&&"):
            other = self._comparison()
            value = value and other
        return value

    def _comparison(self) -> Any:
        value = self._not()
        while sign := self._take("==", "!="):
            same = spoken(value).lower() == spoken(self._not()).lower()
            value = same if sign == "==" else not same
        return value

    def _not(self) -> Any:
        return not self._not() if self._take("!") else self._value()

    def _value(self) -> Any:
        if self._take("("):
            value = self._or()
            self._close()
            return value
        kind, word = self.tokens.pop(0)
        if kind == "string":
            return word[1:-1].replace("''", "'")
        if kind == "number":
            return float(word) if "." in word else int(word)
        if kind == "name":
            return self._call(word) if self._take("(") else self._named(word)
        raise ExpressionRefused(f"cannot read {self.text.strip()!r}")

    def _close(self) -> None:
        if not self._take(")"):
            raise ExpressionRefused(f"a bracket is open in {self.text.strip()!r}")

    def _call(self, name: str) -> Any:
        function = self.context.get("functions", {}).get(name) or _FUNCTIONS.get(name)
        if function is None:
            raise ExpressionRefused(f"no function {name}")
        given = []
        while not self._take(")"):
            given.append(self._or())
            if not self._take(",") and self.tokens[0] != ("sign", ")"):
                raise ExpressionRefused(f"a bracket is open in {self.text.strip()!r}")
        try:
            return function(*given)
        except TypeError:
            raise ExpressionRefused(f"{name} does not take {len(given)} arguments") from None

    def _named(self, name: str) -> Any:
        if name in _LITERALS:
            return _LITERALS[name]
        value: Any = self.context
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value
