"""Read the template, and generate projects from it as a person does."""

import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

from cookiecutter.generate import generate_context
from cookiecutter.main import cookiecutter
from cookiecutter.prompt import prompt_for_config

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["tomllib"]

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"
CONFIG = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
QUESTIONS = [key for key in CONFIG if not key.startswith("_")]
CHOICES = {key: CONFIG[key] for key in QUESTIONS if isinstance(CONFIG[key], list)}


@cache
def _defaults() -> Mapping[str, object]:
    context = generate_context(str(ROOT / "cookiecutter.json"))
    return dict(prompt_for_config(context, no_input=True))


def answers(**given: str) -> dict[str, object]:
    """Return the default answers with the given ones in their place."""
    return {**_defaults(), **given}


def generate(into: Path, template: str = str(ROOT), **given: str) -> Path:
    """Generate a project from a replay file, whose answers are used unchanged, like typed ones."""
    replay = into / "answers.json"
    replay.write_text(json.dumps({"cookiecutter": answers(**given)}), encoding="utf-8")
    projects = into / "projects"
    projects.mkdir(exist_ok=True)
    config = cookiecutter_config(into)
    return Path(cookiecutter(template, replay=str(replay), output_dir=str(projects), config_file=str(config)))


def cookiecutter_config(into: Path) -> Path:
    """Write a user's configuration that keeps cookiecutter out of the real home."""
    config = into / "cookiecutter.yaml"
    config.write_text(f"cookiecutters_dir: {into / 'cloned'}\nreplay_dir: {into / 'replayed'}\n")
    return config


def environment(home: Path) -> dict[str, str]:
    """Return this process's environment with another home, and an identity for git."""
    identity = {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in (("NAME", "A"), ("EMAIL", "a@example.com"))
    }
    config = {"COOKIECUTTER_CONFIG": str(cookiecutter_config(home)), "GIT_CONFIG_NOSYSTEM": "1"}
    return {**os.environ, "HOME": str(home), "TMPDIR": str(home), **identity, **config}


def load_hook(name: str) -> ModuleType:
    """Import a hook by its path, as cookiecutter has not rendered it."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "hooks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def working_directory(path: Path) -> Iterator[None]:
    """Work in another directory for a while."""
    before = Path.cwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)
