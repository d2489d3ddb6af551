"""The plugin object, and the entry point that names it."""

from __future__ import annotations

from importlib.metadata import entry_points

from streamkit import Pipeline

from streamkit_redact import Pattern, Redact, plugin


def test_the_entry_point_registers_the_transform():
    """Installing the distribution is all it takes to have `redact` by name."""
    (entry_point,) = entry_points(group="streamkit", name="redact")
    assert entry_point.load() is plugin
    assert plugin.register_transforms() == {"redact": Redact}


def test_a_configuration_file_can_say_it_all(monkeypatch):
    """Secrets come from the environment, and patterns are tables."""
    monkeypatch.setenv("PASSWORD", "hammer")
    order = {"label": "order", "regex": "ORD-[0-9]{6}", "max_length": 10}
    redact = {"use": "redact", "secrets": {"env": "PASSWORD"}, "kinds": ["email"], "patterns": [order], "mask": "*"}
    pipeline = Pipeline.from_config({"source": {"use": "endpoint", "url": "http://localhost"}, "transforms": [redact]})
    assert pipeline.transforms == (Redact(secrets="hammer", kinds="email", patterns=[Pattern(**order)], mask="*"),)
