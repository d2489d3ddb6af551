"""The plugin object does its part once the distribution is installed."""

import logging
from importlib.metadata import entry_points

from streamkit import Host, Pipeline
from streamkit.testing import collect, replay

from streamkit_template import Template, plugin


def test_the_entry_point_registers_the_transform():
    """Installing the distribution is all it takes to have the transform by name."""
    (entry_point,) = entry_points(group="streamkit", name="template")
    assert entry_point.load() is plugin
    assert plugin.register_transforms() == {"template": Template}


def test_a_configuration_can_name_the_transform(streamkit_host):
    """`streamkit_host` makes a host of this plugin and the built-in parts, whatever else is installed."""
    host = streamkit_host(plugin)
    config = {"source": {"use": "replay", "body": "unused", "format": "tgi"}, "transforms": ["template"]}
    assert Pipeline.from_config(config, host=host).transforms == (Template(),)


def test_the_end_of_a_run_is_logged(caplog):
    """The hook sees runs of pipelines that use a host with this plugin."""
    caplog.set_level(logging.INFO, logger="streamkit_template")
    collect(Pipeline(replay(["Hel", "lo"]), host=Host([plugin])))
    assert "completed after 2 tokens" in caplog.text
