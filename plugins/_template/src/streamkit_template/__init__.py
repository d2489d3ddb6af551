"""Replaces a phrase in a model's answer while it streams: a plugin for streamkit."""

from streamkit_template.plugin import plugin
from streamkit_template.transform import Template

__all__ = ["Template", "plugin"]
