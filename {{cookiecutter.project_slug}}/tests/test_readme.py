"""The Python examples in README.md run against the installed package."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_examples_run() -> None:
    for example in EXAMPLE.findall(README.read_text(encoding="utf-8")):
        exec(compile(example, str(README), "exec"), {})
