"""What a request asks, in this library's words, whichever protocol it came in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Protocol, TypeAlias

import attrs
import msgspec

from streamkit.pipeline import Pipeline
from streamkit.protocols import Encoder
from streamkit.request import Message
from streamkit.web.gateway.refusals import RefusalError
from streamkit.web.gateway.settings import Limits

MAX_STOPS: Final = 64
"""Stop sequences of a request."""

MAX_STOP_CHARACTERS: Final = 10_000
"""Their characters, all together."""

Natural: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]


def _as_it_is(pipeline: Pipeline) -> Pipeline:
    return pipeline


@attrs.frozen(kw_only=True)
class Asked:
    """One question as a pipeline takes it, and how its client wants the answer.

    Args:
        question: A prompt, or a conversation.
        parameters: Generation parameters by TGI's names.
        stops: Sequences that end this answer.
        model: What the client calls the pipeline, if it does.
        encoder: Makes the encoder of the answer, from the pipeline's name.
        shape: What is done to the pipeline for this answer.
        stream_id: The id under which a resumable answer is kept, where the protocol has one. A second question with it
            takes the place of the first.
    """

    question: str | tuple[Message, ...]
    parameters: Mapping[str, Any]
    stops: tuple[str, ...]
    model: str | None
    encoder: Callable[[str], Encoder]
    shape: Callable[[Pipeline], Pipeline] = _as_it_is
    stream_id: str | None = None


class Dialect(Protocol):
    """How one route reads requests, and says no."""

    def read(self, body: bytes, limits: Limits, /) -> Asked:
        """Read a request.

        Raises:
            RefusalError: It is not as this protocol wants it.
        """
        ...

    def refuse(self, error: Exception, /) -> tuple[str, bytes]:
        """Return the content type and the body of a refusal."""
        ...


def stops_of(stop: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the stop sequences of a request; empty ones end nothing.

    Raises:
        RefusalError: They are too many.
    """
    stops = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if len(stops) > MAX_STOPS or sum(map(len, stops)) > MAX_STOP_CHARACTERS:
        raise RefusalError(
            f"`stop` has more than {MAX_STOPS} stop sequences, or more than {MAX_STOP_CHARACTERS} characters.", 422
        )
    return tuple(each for each in stops if each)


def given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that say something; `false`, as the default of those that can be true, does not."""
    return {name: value for name, value in parameters.items() if value is not None and value is not False}


def check_messages(messages: Sequence[Any], limits: Limits) -> tuple[Message, ...]:
    """Return a conversation.

    Raises:
        RefusalError: It is empty or too long, or something in it is no message.
    """
    if not messages:
        raise RefusalError("`messages` is empty.", 422)
    if len(messages) > limits.messages:
        raise RefusalError(f"`messages` has more than {limits.messages} messages.", 422)
    if not all(isinstance(each, Mapping) and isinstance(each.get("role"), str) for each in messages):
        raise RefusalError("Each of `messages` is an object with a role.", 422)
    return tuple(messages)
