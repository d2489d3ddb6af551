"""The engines an endpoint can be, each speaking its own dialects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from streamkit.testing.emulator.dialects.ollama import Ollama
from streamkit.testing.emulator.dialects.openai import OpenAi, Vllm
from streamkit.testing.emulator.dialects.tgi import Tgi
from streamkit.testing.emulator.engine import Engine

EngineName: TypeAlias = Literal["tgi", "vllm", "openai", "ollama"]
"""What an endpoint can present itself as."""

ENGINES: Mapping[EngineName, type[Engine]] = {"tgi": Tgi, "vllm": Vllm, "openai": OpenAi, "ollama": Ollama}
