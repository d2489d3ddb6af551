"""Dialects: what bytes say, as events, and events as bytes. Pure: no I/O, nothing raised while a stream is read."""

from collections.abc import Mapping
from typing import Final

from streamkit.formats.llamacpp import LlamaCpp
from streamkit.formats.ndjson import Ndjson
from streamkit.formats.ollama import Ollama
from streamkit.formats.oneshot import decode_whole
from streamkit.formats.openai import OpenAIChat, OpenAICompletions
from streamkit.formats.text import Text
from streamkit.formats.tgi import Tgi
from streamkit.formats.ui_message import UIMessage
from streamkit.protocols import Format

FORMATS: Final[Mapping[str, Format]] = {
    "tgi": Tgi(),
    "chat": OpenAIChat(),
    "completions": OpenAICompletions(),
    "ollama": Ollama(),
    "llamacpp": LlamaCpp(),
    "ui_message": UIMessage(),
    "ndjson": Ndjson(),
    "text": Text(),
}
"""The formats by the names they are registered under."""

__all__ = [
    "FORMATS",
    "LlamaCpp",
    "Ndjson",
    "Ollama",
    "OpenAIChat",
    "OpenAICompletions",
    "Text",
    "Tgi",
    "UIMessage",
    "decode_whole",
]
