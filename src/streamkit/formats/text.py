"""The answer's text and nothing else: what `curl` shows, and what the AI SDK calls a text stream.

The protocol has one statement, the text, and one ending, the end of the body, which means success. It cannot say that
an answer was cut: whoever sends it must break the connection then.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

import attrs

from streamkit.errors import StreamkitError, TruncatedStreamError
from streamkit.events import Event, Finish, Token
from streamkit.formats._encoding import fault_of, mask_error, whole_characters
from streamkit.protocols import Mask

if TYPE_CHECKING:
    from streamkit.result import RunResult

CONTENT_TYPE: Final = "text/plain; charset=utf-8"


class TextEncoder:
    """The state of writing one response.

    1. Holds back nothing.
    2. Releases the text of the answer; other channels, tool calls and the finish reason have no place here.
    3. Ends with nothing; a failed or aborted run has no ending, so the connection must be broken.
    4. Costs one UTF-8 encoding per token.
    """

    __slots__ = ("_mask",)

    headers: ClassVar[Mapping[str, str]] = {"content-type": CONTENT_TYPE}
    keep_alive: ClassVar[bytes] = b""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    def begin(self) -> bytes:
        """Return nothing."""
        return b""

    def feed(self, event: Event) -> bytes:
        """Return the text of a token of the answer."""
        if type(event) is not Token or event.channel != "text":
            return b""
        try:
            return event.text.encode()
        except UnicodeEncodeError:
            return whole_characters(event.text).encode()

    def close(self, result: RunResult) -> bytes | None:
        """Return nothing after a complete answer, and `None` after any other."""
        return b"" if fault_of(result, self._mask) is None else None

    def refuse(self, error: Exception) -> tuple[str, bytes]:
        """Return the message: the AI SDK's clients show the body of a refusal to their user."""
        return CONTENT_TYPE, whole_characters(self._mask(error)).encode()


class TextDecoder:
    """The state of reading one response.

    1. Holds back the bytes of an unfinished character.
    2. Releases the text of each chunk as one token; bytes outside UTF-8 become U+FFFD.
    3. Stops at the end of the body, which is the end mark, unless the connection broke.
    4. Costs one UTF-8 decoding per chunk.

    Attributes:
        complete: True once the body has ended cleanly.
        error: A `TruncatedStreamError` once the connection broke.
    """

    __slots__ = ("_decode", "complete", "error")

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.complete = False
        self.error: StreamkitError | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """Take a chunk, however it was cut, and return its text."""
        text = self._decode(chunk)
        return [Token(text)] if text else []

    def flush(self, *, clean: bool = True) -> list[Event]:
        """The body has ended: return what was left, and the `Finish`.

        Args:
            clean: False when the connection broke: there is no `Finish` then.
        """
        text = self._decode(b"", final=True) if clean else ""
        events: list[Event] = [Token(text)] if text else []
        if clean:
            self.complete = True
            events.append(Finish())
        else:
            self.error = TruncatedStreamError("the connection broke before the text ended")
        return events


@attrs.frozen
class Text:
    """Plain text: `text/plain`, and nothing around it."""

    @property
    def content_type(self) -> str:
        """The media type of a stream."""
        return CONTENT_TYPE

    def decoder(self) -> TextDecoder:
        """Return the decoder of a new response."""
        return TextDecoder()

    def encoder(self, *, mask: Mask = mask_error) -> TextEncoder:
        """Return the encoder of a new response.

        Args:
            mask: What to tell the client of an error, in a response that is one.
        """
        return TextEncoder(mask)
