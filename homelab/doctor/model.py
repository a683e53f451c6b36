"""What a check finds: a grade, a sentence, and for what is not well the reason and the command to type.

Layer: doctor; pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from homelab.errors import HomelabError
from homelab.events import Event
from homelab.outcome import Outcome
from homelab.result import Result

#: The codes a sick part may have in the end; any other error of an adapter counts as a usage error here.
#: What an error names where nobody is looking yet.
_US = "homelab doctor"
_ADDRESS = "homelab config show: is it the right address? then look at the server itself"
_KINDS = {
    Outcome.USAGE,
    Outcome.BUG,
    Outcome.CREDENTIALS,
    Outcome.UNREACHABLE,
    Outcome.PERSON,
    Outcome.NOTHING,
}


class Grade(StrEnum):
    """How well a part is."""

    OK = "ok"
    #: It works, and something about it will surprise one day.
    WARN = "warn"
    FAIL = "fail"
    #: Not looked at: not configured, or what it needs failed.
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of one check. ``name`` is dotted: ``ci.home.token``."""

    name: str
    grade: Grade
    says: str
    why: str = ""
    fix: str = ""
    details: tuple[str, ...] = ()
    outcome: Outcome = Outcome.DONE

    def lines(self, width: int) -> list[str]:
        """Return the finding as lines: grade, name in ``width`` columns, sentence; why and fix below."""
        below = [("why", self.why), ("fix", self.fix)] if self.grade in {Grade.WARN, Grade.FAIL} else []
        more = [f"      {detail}" for detail in self.details]
        return [
            f"{self.grade:<4}  {self.name:<{width}}  {self.says}",
            *(f"      {word}: {text}" for word, text in below if text),
            *more,
        ]

    def record(self) -> dict[str, Any]:
        """Return the finding as fields; only a failing one has an outcome and an exit code."""
        fields = {"name": self.name, "grade": self.grade.value, "says": self.says, "why": self.why, "fix": self.fix}
        bad = {"outcome": self.outcome.word, "exit_code": int(self.outcome), "details": list(self.details)}
        return {**fields, **(bad if self.grade is Grade.FAIL else {})}


def ok(name: str, says: str) -> Finding:
    """Return a finding of what is well."""
    return Finding(name, Grade.OK, says)


def warn(name: str, says: str, *, why: str, fix: str) -> Finding:
    """Return a finding of what works and will surprise."""
    return Finding(name, Grade.WARN, says, why, fix)


def skip(name: str, says: str) -> Finding:
    """Return a finding of what was not looked at, with the reason as its sentence."""
    return Finding(name, Grade.SKIP, says)


def fail(name: str, error: HomelabError) -> Finding:
    """Return a finding of what is broken, in the error's own words."""
    outcome = error.outcome if error.outcome in _KINDS else Outcome.USAGE
    fix = _ADDRESS if error.fix == _US else error.fix
    return Finding(name, Grade.FAIL, error.what, error.why, fix, error.details, outcome)


@dataclass(frozen=True, slots=True)
class Checked(Event):
    """A check has an answer."""

    kind: ClassVar[str] = "doctor.check.answered"
    detail: ClassVar[bool] = True
    name: str
    grade: str
    says: str

    def sentence(self) -> str:
        """Say the grade and the answer."""
        return f"{self.name} {self.grade}: {self.says}"


@dataclass(frozen=True, slots=True)
class Diagnosis(Result):
    """All findings, in the order of the loop."""

    findings: tuple[Finding, ...] = ()

    def lines(self) -> list[str]:
        """Return every finding in columns."""
        width = max((len(finding.name) for finding in self.findings), default=0)
        return [line for finding in self.findings for line in finding.lines(width)]

    def record(self) -> dict[str, Any]:
        """Return the findings as a list."""
        return {"checks": [finding.record() for finding in self.findings]}


def diagnosis(findings: tuple[Finding, ...]) -> Diagnosis:
    """Return the answer: done when nothing fails, else the outcome of the first that does."""
    failing = [finding for finding in findings if finding.grade is Grade.FAIL]
    counts = {grade: sum(finding.grade is grade for finding in findings) for grade in Grade}
    counted = ", ".join(f"{count} {grade}" for grade, count in counts.items() if count)
    if not failing:
        return Diagnosis(Outcome.DONE, counted, findings)
    return Diagnosis(failing[0].outcome, f"{counted}; first: {failing[0].name}", findings)
