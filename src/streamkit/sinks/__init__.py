"""Where clean text goes: the terminal, a file, a list, a function. Each sink is a frozen recipe for per-run writers."""

from streamkit.sinks.callback import Callback
from streamkit.sinks.collect import Collect, Collected
from streamkit.sinks.console import Console
from streamkit.sinks.json_lines import JsonLines
from streamkit.sinks.text_file import TextFile

__all__ = ["Callback", "Collect", "Collected", "Console", "JsonLines", "TextFile"]
