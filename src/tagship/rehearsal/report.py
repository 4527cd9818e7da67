"""The report of a rehearsal, as data and as text."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Step:
    """One step: its name, its time in seconds, `passed`, `failed`, `missing`, `left out` or `not run`, and why.

    `began` is in seconds after the start of the rehearsal.
    """

    name: str
    seconds: float
    outcome: str
    said: tuple[str, ...] = ()
    began: float = 0.0


@dataclass(frozen=True)
class File:
    """A file of the bundle or at the named index: its size in bytes, its SHA-256, and who attests it."""

    name: str
    size: int
    sha256: str
    index: str = ""
    publisher: str = ""


@dataclass(frozen=True)
class Compared:
    """A field of a publisher, by its name on the index's form: the token's claim and the registered value."""

    field: str
    token: str
    registered: str
    matches: bool


@dataclass(frozen=True)
class Publisher:
    """A publisher at one index: where to register it, the values to enter, and the claims of the job's token."""

    index: str
    link: str
    prefilled: bool
    values: dict[str, str]
    seen: dict[str, str] = field(default_factory=dict)
    differences: tuple[str, ...] = ()
    compared: tuple[Compared, ...] = ()


@dataclass
class Report:
    """A rehearsal: its release, the outcome of each step, what the indexes serve, and what to register."""

    name: str
    tag: str
    commit: str
    #: The folder in which everything was kept, if any.
    kept: str | None = None
    #: The Pythons in the metadata that this machine lacks, so that they were not tested.
    untested: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    #: The files that verify-version let through.
    bundle: list[File] = field(default_factory=list)
    #: The files at the indexes.
    files: list[File] = field(default_factory=list)
    publishers: list[Publisher] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    #: Whether the dists came from an earlier build: they were not built, tested or installed.
    quick: bool = False
    #: Whether the tag is already at another commit, so that this one needs another version.
    taken: bool = False
    #: When it began, in UTC (ISO 8601).
    began: str = ""

    @property
    def left_out(self) -> bool:
        """Whether the uploads were left out, as they go to a registry that is not simulated here."""
        return any(step.outcome == "left out" for step in self.steps)

    @property
    def passed(self) -> bool:
        """Whether a real release with this registration would have passed, except for what is `untested`."""
        outcomes = [step.outcome for step in self.steps]
        return bool(outcomes) and "failed" not in outcomes and "not run" not in outcomes

    def data(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {"passed": self.passed, **asdict(self)}

    def lines(self) -> list[str]:
        """Return the lines to print after those of the steps."""
        kept = [f"kept in {self.kept}"] if self.kept else []
        notes = [f"note: {note}" for note in self.notes]
        return [*self._files(), *self._publishers(), *notes, *kept, "", f"{self.name} {self.tag}: {self.verdict}"]

    def _files(self) -> list[str]:
        """Return the files of the last index that has any."""
        last = [file for file in self.files if file.index == self.files[-1].index]
        rows = [f"  {file.name}  {file.size} bytes  SHA-256 {file.sha256}" for file in last]
        attested = [f"  with provenance: {each}" for each in sorted({file.publisher for file in last} - {""})]
        what = "published" if self.passed else "uploaded before it failed"
        return ["", f"{what}, to the local {last[0].index}:", *rows, *attested] if rows else []

    def _publishers(self) -> list[str]:
        from tagship.publisher import form_lines

        found = []
        # If something else failed, registering can wait.
        for publisher in self.publishers if self.passed else (each for each in self.publishers if each.differences):
            filled = " (filled in)" if publisher.prefilled else ""
            found += ["", f"to register at {publisher.index}: {publisher.link}{filled}"]
            found += form_lines(publisher.values)
            found += [f"  differs: {difference}" for difference in publisher.differences]
        return [*found, ""]

    @property
    def verdict(self) -> str:
        """The outcome in a sentence."""
        if not self.passed:
            failed = next((step.name for step in self.steps if step.outcome == "failed"), "nothing ran")
            return f"would not have been published: {failed}"
        if self.quick:
            did = "verify-version passed" if self.left_out else "verify-version and both uploads passed"
            return f"{did}; the build and the tests were not rehearsed"
        pushing = "pushing the tag of another version" if self.taken else "pushing the tag"
        would = f"with these publishers registered, {pushing} would publish it"
        if self.left_out:
            would = "verify-version accepts it; the upload to your registry is not rehearsed"
        elif not self.publishers:
            would = "nox -s publish would publish it"
        condition = f", if its tests pass on what was not tested here: Python {listed(self.untested)}"
        return f"{would}{condition if self.untested else ''}"


def listed(pythons: list[str]) -> str:
    """Return the versions as a list in a sentence."""
    return " and ".join(filter(None, [", ".join(pythons[:-1]), *pythons[-1:]]))


def row(step: Step) -> str:
    """Return the line of one step."""
    return f"{step.name:44} {step.seconds:6.1f} s  {step.outcome}"
