"""The README shows what happens."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from streamkit import Pipeline

README = Path(__file__).parents[1] / "README.md"


def blocks(language, directory):
    """Return the code blocks of a language, with a model that is there."""
    text = README.read_text(encoding="utf-8").replace("path/to/model", directory.as_posix())
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_python_blocks_run(directory, capsys):
    """They share one namespace, in order, and each prints something."""
    namespace = {}
    for block in blocks("python", directory):
        exec(block, namespace)  # noqa: S102 - our own README
        assert capsys.readouterr().out


def test_the_configuration_is_one(directory):
    """The table builds the source that the README describes."""
    (block,) = blocks("toml", directory)
    source = Pipeline.from_config(tomllib.loads(block)).source
    assert (source.model, source.device, source.dtype) == (directory.as_posix(), "cuda", "bfloat16")
