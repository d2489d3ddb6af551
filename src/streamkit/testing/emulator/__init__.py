"""An emulated inference endpoint: a real HTTP server that speaks the engines' dialects and infers nothing."""

from streamkit.testing.emulator.answers import Response
from streamkit.testing.emulator.script import ScriptedToken
from streamkit.testing.emulator.seen import SeenRequest
from streamkit.testing.emulator.server import EmulatedEndpoint

__all__ = ["EmulatedEndpoint", "Response", "ScriptedToken", "SeenRequest"]
