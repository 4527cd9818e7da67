"""Findings as SARIF 2.1.0, which GitHub's code scanning and editors read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagship import suite

from .model import Finding
from .rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def log(answers: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return a log with a run for each repository and each tool."""
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run for answer in answers for run in _runs(answer)]}


def _runs(answer: dict[str, Any]) -> list[dict[str, Any]]:
    found = [Finding(**each) for each in answer.get("findings", [])]
    errors = answer.get("errors") or ([answer["reason"]] if answer["status"] == "refused" else [])
    runs = [_run(answer["path"], "tagship", [each for each in found if each.source == "tagship"], errors)]
    if others := [each for each in found if each.source != "tagship"]:
        runs.append(_run(answer["path"], "zizmor", others, []))
    return runs


def _run(path: str, tool: str, found: Sequence[Finding], errors: Sequence[str]) -> dict[str, Any]:
    driver: dict[str, Any] = {"name": tool, "rules": _rules(tool, found)}
    if tool == "tagship":
        driver["version"] = suite.release()
    notes = [{"level": "error", "message": {"text": each}} for each in errors]
    return {
        "tool": {"driver": driver},
        "originalUriBaseIds": {"ROOT": {"uri": f"{Path(path).resolve().as_uri()}/"}},
        "invocations": [{"executionSuccessful": not errors, "toolExecutionNotifications": notes}],
        "results": [_result(each) for each in found],
    }


def _rules(tool: str, found: Sequence[Finding]) -> list[dict[str, Any]]:
    if tool == "tagship":
        return [
            {
                "id": rule.name,
                "shortDescription": {"text": f"{rule.message()}."},
                "fullDescription": {"text": rule.why()},
                "help": {"text": rule.remedy},
                "defaultConfiguration": {"level": rule.level},
            }
            for rule in RULES
        ]
    return [{"id": name, "helpUri": url} for name, url in dict.fromkeys((each.rule, each.url) for each in found)]


def _result(finding: Finding) -> dict[str, Any]:
    text = ". ".join(part for part in (finding.message, finding.why.rstrip("."), finding.remedy) if part)
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": finding.file, "uriBaseId": "ROOT"},
            "region": {"startLine": max(1, finding.line)},
        }
    }
    if finding.job:
        location["logicalLocations"] = [{"name": finding.job, "kind": "member"}]
    return {"ruleId": finding.rule, "level": finding.level, "message": {"text": text}, "locations": [location]}
