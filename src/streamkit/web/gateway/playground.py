"""The playground's route: an answer with what became of each of its tokens."""

from __future__ import annotations

import attrs
import msgspec

from streamkit.request import Message
from streamkit.web.gateway.asked import Asked, stops_of
from streamkit.web.gateway.body import parse
from streamkit.web.gateway.refusals import RefusalError, told
from streamkit.web.gateway.settings import Limits
from streamkit.web.gateway.tgi import Generation
from streamkit.web.playground import PlaygroundEncoder, followed


class PlaygroundBody(msgspec.Struct, kw_only=True):
    """What the page sends; with `chat`, the prompt is a user's message."""

    prompt: str
    chat: bool = False
    model: str | None = None
    parameters: Generation | None = None


@attrs.frozen
class PlaygroundRoute:
    """The route of the page at `/`."""

    def read(self, body: bytes, _limits: Limits) -> Asked:
        """Read a request."""
        asked = parse(body, PlaygroundBody)
        if not asked.prompt:
            raise RefusalError("There is no text in this request.", 422)
        parameters = asked.parameters or Generation()
        message: Message = {"role": "user", "content": asked.prompt}
        return Asked(
            question=(message,) if asked.chat else asked.prompt,
            parameters=parameters.asked(),
            stops=stops_of(parameters.stop),
            model=asked.model,
            encoder=lambda _model: PlaygroundEncoder(mask=told),
            shape=followed,
        )

    def refuse(self, error: Exception) -> tuple[str, bytes]:
        """Return the sentence and the kind of a refusal."""
        return PlaygroundEncoder(mask=told).refuse(error)
