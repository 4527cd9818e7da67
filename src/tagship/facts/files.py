"""Reads files of an untrusted repository: only regular ones, inside it, and up to a size."""

from __future__ import annotations

import configparser
import io
import os
import stat
import tokenize
from typing import TYPE_CHECKING, Any

from tagship_suite.errors import ReleaseError, refusal
from tagship_suite.files import tomllib

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 2 << 20  # bytes; more than the longest modules that hold a version


class Inside:
    """Whether paths are inside of the folder `root` (absolute, without symlinks), with symlinks resolved."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._folders: dict[str, bool] = {}

    def __call__(self, place: str) -> bool:
        """Return whether the file or folder at the absolute path `place` is inside."""
        folder = os.path.dirname(place)
        if os.path.islink(place) or os.path.basename(place) in {"..", "."}:
            return self._is_below(place)
        if folder not in self._folders:  # many files share one, and each part of a path is a call
            self._folders[folder] = place == self.root or self._is_below(folder)
        return self._folders[folder] or place == self.root

    def _is_below(self, place: str) -> bool:
        real = os.path.realpath(place)
        return real == self.root or real.startswith(self.root.rstrip(os.sep) + os.sep)


class Files:
    """The files of the repository at `root`, each read once; paths are absolute or relative to it."""

    def __init__(self, root: Path) -> None:
        self.root = os.path.realpath(root)
        self._is_inside = Inside(self.root)
        self._read: dict[str, bytes | ReleaseError | None] = {}
        self._parsed: dict[str, dict[str, Any] | ReleaseError] = {}

    def name(self, path: str | Path) -> str:
        """Return `path` relative to the repository, with slashes, for messages."""
        return os.path.relpath(os.path.join(self.root, path), self.root).replace(os.sep, "/")

    def data(self, path: str | Path) -> bytes | None:
        """Return the content of a file, None if there is none; raise `ReleaseError` if it must not be read."""
        place = os.path.join(self.root, path)
        if place not in self._read:
            try:
                self._read[place] = self._data(place)
            except ReleaseError as error:
                self._read[place] = error
        found = self._read[place]
        if isinstance(found, ReleaseError):
            raise found
        return found

    def text(self, path: str | Path) -> str | None:
        """Return the text of a file, which must be UTF-8, with `\\n` for every line end; otherwise as `data`."""
        data = self.data(path)
        try:
            text = None if data is None else data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self._problem(path, f"not UTF-8 at byte {error.start}", "text in UTF-8") from error
        return None if text is None else io.IncrementalNewlineDecoder(None, translate=True).decode(text)

    def code(self, path: str | Path) -> str | None:
        """Return the text of a Python file, decoded as its first lines declare."""
        data = self.data(path)
        if data is None:
            return None
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            text = data.decode(encoding)
        except (SyntaxError, UnicodeDecodeError) as error:
            raise self._problem(path, f"not Python ({error})", "Python code") from error
        if "\0" in text:
            raise self._problem(path, "not Python (null bytes)", "Python code")
        return io.IncrementalNewlineDecoder(None, translate=True).decode(text)

    def toml(self, path: str | Path) -> dict[str, Any]:
        """Return a TOML file, {} if there is none; raise `ReleaseError` if it is broken."""
        place = os.path.join(self.root, path)
        if place not in self._parsed:
            try:
                self._parsed[place] = self._toml(place)
            except ReleaseError as error:
                self._parsed[place] = error
        found = self._parsed[place]
        if isinstance(found, ReleaseError):
            raise found
        return found

    def _toml(self, path: str) -> dict[str, Any]:
        try:
            return tomllib.loads((self.data(path) or b"").decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            said = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise self._problem(path, said, "valid TOML in UTF-8") from error

    def cfg(self, path: str | Path) -> configparser.RawConfigParser:
        """Return an INI file as setuptools reads it, empty if there is none; raise `ReleaseError` if broken."""
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(self.text(path) or "")
        except configparser.Error as error:
            raise self._problem(path, " ".join(str(error).split()), "a valid INI file") from error
        return parser

    def is_file(self, path: str | Path) -> bool:
        """Return whether `path` is a regular file of the repository."""
        place = os.path.join(self.root, path)
        return os.path.isfile(place) and self._is_inside(place)

    def is_dir(self, path: str | Path) -> bool:
        """Return whether `path` is a folder of the repository."""
        place = os.path.join(self.root, path)
        return os.path.isdir(place) and self._is_inside(place)

    def entries(self, path: str | Path) -> tuple[list[str], list[str]]:
        """Return the names of the folders and of the files in a folder; none if it does not exist."""
        folders, files = list[str](), list[str]()
        try:
            with os.scandir(os.path.join(self.root, path)) as entries:
                for entry in entries:
                    if entry.is_symlink() and not self._is_inside(entry.path):
                        continue
                    (folders if entry.is_dir() else files).append(entry.name)
        except OSError:
            return [], []
        return sorted(folders), sorted(files)

    def _data(self, place: str) -> bytes | None:
        try:
            found = os.stat(place)
            if not self._is_inside(place):
                raise self._problem(place, "a link out of the repository", "a file in it")
            if not stat.S_ISREG(found.st_mode):
                raise self._problem(place, "no regular file", "one")
            if found.st_size > LIMIT:
                raise self._problem(place, f"{found.st_size} bytes", f"at most {LIMIT}")
            with open(place, "rb") as file:
                return file.read(LIMIT + 1)
        except (FileNotFoundError, NotADirectoryError):
            if os.path.islink(place):
                raise self._problem(place, "a link to nothing", "a file") from None
            return None
        except (OSError, ValueError) as error:  # a name with a null byte is a ValueError
            raise self._problem(place, getattr(error, "strerror", None) or str(error), "a readable file") from error

    def _problem(self, path: str | Path, found: str, expected: str) -> ReleaseError:
        return refusal("unreadable-file", ascii(self.name(path))[1:-1], found, expected, "fix the file")
