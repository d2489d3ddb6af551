"""A whole answer in one JSON body, where a stream was asked for: gateways and servers that ignore `"stream": true`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from streamkit.errors import FormatError
from streamkit.events import Event, Finish, Token, Usage
from streamkit.formats._decoder import EventDecoder
from streamkit.formats._failures import failure_of
from streamkit.formats._json import excerpt, read_any
from streamkit.formats._reasons import normalise
from streamkit.formats.llamacpp import LlamaCppDecoder
from streamkit.formats.ollama import OllamaDecoder
from streamkit.formats.openai import ChatDecoder, CompletionsDecoder


def decode_whole(body: bytes) -> list[Event]:
    """Read a JSON body that is a complete answer of any dialect, or an error.

    An answer that is not TGI's is read as a stream of one event: its objects differ from a stream's by one name.

    Args:
        body: The whole response body; the caller has bounded its size.

    Returns:
        The events of the answer, with its `Finish` last.

    Raises:
        GenerationError: The body reports an error.
        FormatError: The body is neither an answer nor an error, or the answer has no end mark.
    """
    try:
        answer = read_any(body.removeprefix(b"\xef\xbb\xbf"))
        if isinstance(answer, list) and answer:
            answer = answer[0]  # TGI's compatibility route `/` wraps its one object in a list
        error = failure_of(answer)
    except (ValueError, RecursionError) as refusal:
        raise FormatError(f"the response is not JSON ({refusal}): {excerpt(body)}") from refusal
    if error is not None:
        raise error
    if not isinstance(answer, Mapping):
        raise FormatError(f"the response is neither an answer nor an error: {excerpt(body)}")
    if isinstance(answer.get("generated_text"), str):
        return _tgi(answer)
    return _one_event(answer, body)


def _tgi(answer: Mapping[str, Any]) -> list[Event]:
    """Read the object of `/generate`; `details` is there if it was asked for."""
    text = answer["generated_text"]
    details = answer.get("details")
    details = details if isinstance(details, Mapping) else {}
    raw, count = details.get("finish_reason"), details.get("generated_tokens")
    raw = raw if isinstance(raw, str) else None
    usage = Usage(completion_tokens=count) if isinstance(count, int) else None
    return [Token(text), Finish(reason=normalise(raw, None), raw_reason=raw, usage=usage, generated_text=text)]


def _one_event(answer: Mapping[str, Any], body: bytes) -> list[Event]:
    choices = answer.get("choices")
    chat = False
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and "message" in choice:
            choice["delta"] = choice.pop("message")
            chat = True
    payload = json.dumps(answer).encode()
    decoder: EventDecoder[Any]
    if choices is not None:
        decoder = (ChatDecoder if chat else CompletionsDecoder)(0, 2 * len(payload))
    elif "stop" in answer:
        decoder = LlamaCppDecoder(2 * len(payload))
    else:
        decoder = OllamaDecoder(2 * len(payload))
    prefix = b"" if isinstance(decoder, OllamaDecoder) else b"data: "
    events = decoder.feed(prefix + payload + b"\n\n") + decoder.flush()
    if decoder.error is not None:
        raise FormatError(f"the response is JSON, but no complete answer: {excerpt(body)}") from decoder.error
    return events
