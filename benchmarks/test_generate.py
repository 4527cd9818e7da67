"""Generating a project, compared with a template of one file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from tests.conftest import ROOT, run


@pytest.mark.benchmark(group="generate a project")
@pytest.mark.parametrize("template", ["cookiecutter with a template of one file", "tagship"])
def test_generate(benchmark: BenchmarkFixture, tmp_path: Path, template: str) -> None:
    source = ROOT if template == "tagship" else one_file(tmp_path)
    command = [
        sys.executable,
        "-m",
        "cookiecutter",
        str(source),
        "--no-input",
        "--overwrite-if-exists",
        "-o",
        str(tmp_path),
    ]
    benchmark.pedantic(lambda: run(*command, cwd=tmp_path), rounds=10, warmup_rounds=1)


def one_file(folder: Path) -> Path:
    """Write a template that has one question and one file."""
    template = folder / "template"
    (template / "{{cookiecutter.slug}}").mkdir(parents=True)
    (template / "cookiecutter.json").write_text(json.dumps({"slug": "small"}))
    (template / "{{cookiecutter.slug}}/README.md").write_text("# {{cookiecutter.slug}}\n")
    return template
