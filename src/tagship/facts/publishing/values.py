"""Where a value of a workflow or a script can come from: secrets, literals or minted tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .shell import EXPRESSION

#: `outer` replaces `secrets` in a caller's expression, so that the two are not confused.
DEFAULTED = re.compile(r"\$\{(\w+)(?::?-([^{}]*))?\}")
SECRET = re.compile(r"\b(?:secrets|outer)\s*(?:\.\s*([A-Za-z_][\w-]*)|\[\s*['\"]([^'\"]+)['\"]\s*\])")
CONTEXT = re.compile(r"\b(env|inputs|matrix|vars)\s*(?:\.\s*([A-Za-z_][\w-]*)|\[\s*'([^']+)'\s*\])")
OUTPUT = re.compile(r"\b(steps|needs|jobs)\s*\.\s*([\w-]+)\s*\.\s*outputs\s*\.\s*([\w-]+)")
STRING = re.compile(r"'((?:[^']|'')*)'")
VARIABLE = re.compile(r"\$[eE][nN][vV]:(\w+)|\$\{(\w+)[^}]*\}|\$\(([A-Za-z_][\w.]*)\)|\$(\w+)|%(\w+)%")
#: What exchanges the identity of the job for a short-lived token.
MINT = re.compile(
    r"mint[-_]token|_/oidc|oidc[-_/]mint|token[-_]mint|mint.{0,20}pypi|pypi.{0,20}(?:oidc|mint)", re.IGNORECASE
)

Seen = set[str]


@dataclass
class Origin:
    """Where a value comes from: the names of secrets, literal texts, and whether a token was minted for it."""

    secrets: dict[str, None] = field(default_factory=dict)
    literals: list[str] = field(default_factory=list)
    minted: bool = False
    unknown: bool = False

    def __bool__(self) -> bool:
        return bool(self.secrets or self.minted or self.unknown or any(self.literals))


@dataclass
class Scope:
    """The variables at a step; several values of one name come from branches, of which any may be taken.

    `inputs` are those of the called action or workflow, as the caller passes them; `renamed` maps the secrets of
    a called workflow, by its own names for them; None if they keep their names. `outputs` are the texts
    that a step's or job's output is computed from. `external`: the service may define variables that no file sets.
    """

    variables: dict[str, tuple[str, ...]] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    renamed: dict[str, str] | None = None
    outputs: dict[tuple[str, str], str] = field(default_factory=dict)
    external: bool = False

    def child(self) -> Scope:
        """Return a scope that sees all of this one and does not change it."""
        return Scope(dict(self.variables), self.inputs, self.renamed, self.outputs, self.external)

    def set(self, name: str, value: str) -> None:
        """Replace the value of the variable `name`."""
        value = self.expand(value)
        own = DEFAULTED.fullmatch(value)
        if own and own[1] == name:  # its own value, or a default
            self.variables.setdefault(name, (own[2] or "",))
        else:
            self.variables[name] = (value,)

    def add(self, name: str, value: str) -> None:
        """Add a possible value to the variable `name`, as a script may be in a branch."""
        value = self.expand(value)
        if value not in self.variables.get(name, ()):
            self.variables[name] = (*self.variables.get(name, ()), value)

    def expand(self, text: str) -> str:
        """Return `text` with the inputs and secrets of a called workflow or action as its callers pass them."""
        if "${{" not in text:
            return text
        return EXPRESSION.sub(self._expanded, text)

    def _expanded(self, match: re.Match[str]) -> str:
        inner = match[0][3:-2].strip()
        if (exact := CONTEXT.fullmatch(inner)) and exact[1] == "inputs" and _name(exact) in self.inputs:
            return _as_outer(self.inputs[_name(exact)])
        inner = CONTEXT.sub(lambda each: self._input(each), inner)
        if self.renamed is not None:
            inner = SECRET.sub(lambda each: self._secret(each), inner)
        return f"${{{{ {inner} }}}}"

    def _input(self, match: re.Match[str]) -> str:
        value = self.inputs.get(_name(match)) if match[1] == "inputs" else None
        return match[0] if value is None else _operand(value)

    def _secret(self, match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if match[0].startswith("outer"):
            return match[0]
        value = next((each for key, each in (self.renamed or {}).items() if key.lower() == name.lower()), None)
        return "''" if value is None and name != "GITHUB_TOKEN" else match[0] if value is None else _operand(value)

    def origin(self, text: str) -> Origin:
        """Return where `text` comes from."""
        found = Origin()
        self._trace(self.expand(text), found, set())
        return found

    def _trace(self, text: str, found: Origin, seen: Seen) -> None:
        """Add to `found` where `text` comes from; each variable in `seen` has been followed already."""
        if "$" not in text and "%" not in text:
            found.literals += [text.strip()] if text.strip() else []
            found.minted |= bool(MINT.search(text))
            return
        found.minted |= bool(MINT.search(text))
        for match in EXPRESSION.finditer(text):
            self._trace_expression(match[0][3:-2], found, seen)
        plain = EXPRESSION.sub("", text)
        for match in VARIABLE.finditer(plain):
            name = next(each for each in match.groups() if each)
            default = re.search(r":?-([^{}]*)\}$", match[0])
            if default and name not in self.variables:
                self._trace(default[1], found, seen)
            else:
                self._trace_variable(name, found, seen)
        rest = VARIABLE.sub("", plain).strip()
        if rest and not rest.startswith(("$(", "`")):
            found.literals.append(text.strip())  # a URL may contain variables

    def _trace_expression(self, inner: str, found: Origin, seen: Seen) -> None:
        for match in SECRET.finditer(inner):
            found.secrets[match[1] or match[2]] = None
        for match in OUTPUT.finditer(inner):
            source = self.outputs.get((match[2], match[3]), self.outputs.get((match[2], "")))
            found.unknown |= source is None
            if source is not None and match[0] not in seen:
                seen.add(match[0])
                self._trace(source, found, seen)
        for match in CONTEXT.finditer(inner):
            if match[1] == "vars":
                found.unknown = True
            else:
                prefix = "" if match[1] == "env" else f"{match[1]}."
                self._trace_variable(prefix + _name(match), found, seen)
        found.literals += [each.replace("''", "'") for each in STRING.findall(SECRET.sub("", inner))]

    def _trace_variable(self, name: str, found: Origin, seen: Seen) -> None:
        if name in seen:
            return
        seen.add(name)
        values = self.variables.get(name)
        if values is None and self.external and not name.isdigit() and "." not in name:
            found.secrets[name] = None
        found.unknown |= values is None
        for value in values or ():
            self._trace(value, found, seen)


def _name(match: re.Match[str]) -> str:
    return match[2] or match[3]


def _as_outer(value: str) -> str:
    def renamed(match: re.Match[str]) -> str:
        return re.sub(r"\binputs\b", "outer_inputs", re.sub(r"\bsecrets\b", "outer", match[0]))

    return EXPRESSION.sub(renamed, value)


def _operand(value: str) -> str:
    value = _as_outer(value)
    if match := EXPRESSION.fullmatch(value.strip()):
        return f"({match[0][3:-2].strip()})"
    inner = " || ".join(each[0][3:-2].strip() for each in EXPRESSION.finditer(value))
    return f"({inner})" if inner else "'" + value.replace("'", "''") + "'"
