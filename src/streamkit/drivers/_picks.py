"""What a consumer gets out of the events of a stream."""

from __future__ import annotations

from streamkit.events import Event, Token


def pick_text(event: Event) -> str | None:
    """Return the answer's text in an event, if there is any."""
    return event.text or None if type(event) is Token and event.channel == "text" else None


def pick_token(event: Event) -> Token | None:
    """Return the event if it is a token."""
    return event if type(event) is Token else None
