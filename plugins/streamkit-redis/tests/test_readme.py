"""The README and the how-to show what works."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from streamkit.web.gateway import read_configuration

from streamkit_redis import RedisStore

README = Path(__file__).parents[1] / "README.md"
PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "resume-a-stream.md"
PIPELINE = '[pipelines.chat]\nsource = { use = "endpoint", url = "https://my-endpoint.example" }\n'


def blocks(language):
    """Return the README's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Return a function that reads the text of a gateway's file."""
    monkeypatch.setenv("REDIS_URL", "redis://localhost")

    def read(text):
        path = tmp_path / "streamkit.toml"
        path.write_text(text)
        return read_configuration(path).settings

    return read


def test_the_file_of_the_readme_is_read(read):
    """It lacks a pipeline, and nothing else."""
    (block,) = blocks("toml")
    assert read(block + PIPELINE).resumable.url == "redis://localhost"


def test_the_file_of_the_page_is_read(read):
    """As it stands."""
    (block,) = re.findall(
        r"^(?: {4}.*\n|\n)* {4}use = \"redis\"\n(?: {4}.*\n|\n)*", PAGE.read_text("utf-8"), re.MULTILINE
    )
    settings = read(textwrap.dedent(block))
    assert isinstance(settings.resumable, RedisStore)
    assert (settings.grace, settings.resumable.ttl) == (120, 3600)


def test_the_python_block_runs():
    """Nothing is asked of a Redis before it is needed."""
    namespace = {}
    (block,) = blocks("python")
    exec(block, namespace)  # noqa: S102 - our own README
    assert isinstance(namespace["runs"].store, RedisStore)


def test_each_setting_is_in_the_readme():
    """In their order."""
    listed = re.findall(r"^\| `(\w+)` \|", README.read_text("utf-8"), re.MULTILINE)
    assert listed == [field.name for field in RedisStore.__attrs_attrs__ if field.init]
