"""Answers that end too early, in silence or with an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import attrs
import msgspec

from streamkit.errors import ConfigurationError
from streamkit.testing.emulator.acts import Act, Cut, End, Message
from streamkit.testing.emulator.answers import DONE
from streamkit.testing.emulator.fault import Fault
from streamkit.testing.emulator.seen import SeenRequest
from streamkit.testing.faults._shapes import Rewritten, Within, is_after

_CUTS: dict[str, Act] = {"clean": End(), "fin": Cut("fin"), "rst": Cut("rst"), "eof": Cut("fin")}


def cut_after(tokens: int | None = None, how: Literal["clean", "fin", "rst", "eof"] = "fin") -> Fault:
    """The answer stops after some tokens.

    Args:
        tokens: How many; `None` for all but the last, the one that says that the answer is finished.
        how: `"clean"`: the body ends as HTTP wants it; `"fin"`: the connection is closed inside a chunked body;
            `"rst"`: it is reset; `"eof"`: it is closed, and the body has no other end, as behind old proxies.

    Raises:
        ConfigurationError: There is no such way.
    """
    if how not in _CUTS:
        raise ConfigurationError(f"an answer is cut by one of {', '.join(_CUTS)}, not by {how!r}")
    return Within(tokens, (_CUTS[how],), unframed=how == "eof")


def cut_clean_nofinish() -> Fault:
    """The body ends as it should, and neither a finish reason nor an end mark came."""
    return cut_after(None, "clean")


def cut_eof_body(tokens: int | None = None) -> Fault:
    """A body without chunks or a length is cut: no reader of HTTP can tell."""
    return cut_after(tokens, "eof")


def cut_fin(tokens: int | None = None) -> Fault:
    """The connection is closed inside a chunked body."""
    return cut_after(tokens, "fin")


def cut_rst(tokens: int | None = None) -> Fault:
    """The connection is reset."""
    return cut_after(tokens, "rst")


@attrs.frozen
class _HalfEvent(Fault):
    after: int | None
    end: Act

    def play(self, acts: Iterator[Act], seen: SeenRequest) -> Iterator[Act]:  # noqa: ARG002 - the shape of a fault
        here = False
        for act in acts:
            here = here or is_after(act, self.after)
            if here and isinstance(act, bytes):
                yield act[: len(act) // 2]
                yield self.end
                return
            yield act


def cut_half_event(tokens: int | None = None, how: Literal["clean", "fin", "rst"] = "clean") -> Fault:
    """The answer stops in the middle of an event, after some tokens.

    Args:
        tokens: Whole ones; `None` for all but the last.
        how: As for `cut_after`.
    """
    return _HalfEvent(tokens, _CUTS[how])


def no_done() -> Fault:
    """The answer says that it is finished, and the end mark of OpenAI's streams does not come."""
    return Rewritten(_without_done)


def _without_done(data: bytes, _number: int) -> tuple[Act, ...]:
    return () if data == DONE else (data,)


def error_event(tokens: int = 2, message: str = "CUDA out of memory", code: int = 500) -> Fault:
    """The engine reports an error inside the stream, in OpenAI's shape: an object under `error`.

    Args:
        tokens: Tokens before it.
        message: What it says.
        code: Its status.
    """
    error = {"error": {"message": message, "type": "InternalServerError", "param": None, "code": code}}
    return Within(tokens, (Message(msgspec.json.encode(error)), End()))


def error_event_str(tokens: int = 2, message: str = "CUDA out of memory", kind: str = "generation") -> Fault:
    """The engine reports an error inside the stream, in TGI's shape: a text and a type.

    Args:
        tokens: Tokens before it.
        message: What it says.
        kind: `generation`, `validation`, `overloaded` or `incomplete_generation`.
    """
    return Within(tokens, (Message(msgspec.json.encode({"error": message, "error_type": kind})), End()))


def error_named(tokens: int = 2, message: str = "CUDA out of memory") -> Fault:
    """The error is the name of an event, and its data has no `error` in it.

    Args:
        tokens: Tokens before it.
        message: What it says.
    """
    return Within(tokens, (Message(msgspec.json.encode({"message": message}), "error"), End()))
