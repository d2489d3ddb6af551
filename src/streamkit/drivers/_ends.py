"""What both drivers share: what to pick from the events, and how to report an observer."""

from __future__ import annotations

import logging

from streamkit.events import Event, Token
from streamkit.hookplan import Hook

logger = logging.getLogger("streamkit")


def first_failure(hook: Hook, error: BaseException, first: BaseException | None) -> BaseException:
    """Return what to raise for an observer that raised, perhaps after another: the first, or an interruption."""
    error.add_note(f"in {hook}")
    if first is None or (isinstance(first, Exception) and not isinstance(error, Exception)):
        return error
    note_failure(hook, error, first)
    return first


def note_failure(hook: Hook, error: BaseException, cause: BaseException | None) -> None:
    """Report an observer of the end that raised: logged, and noted on what ended the run."""
    logger.warning("%s raised %s: %s", hook, type(error).__name__, error)
    if cause is not None:
        cause.add_note(f"{hook} raised {type(error).__name__}: {error}")


def pick_text(event: Event) -> str | None:
    """Return the answer's text in an event, if there is any."""
    return event.text or None if type(event) is Token and event.channel == "text" else None


def pick_token(event: Event) -> Token | None:
    """Return the event if it is a token."""
    return event if type(event) is Token else None
