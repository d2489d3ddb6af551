"""What the emulated model of the demo says: every difficulty that the chain is for, in two short answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from streamkit.testing import ScriptedToken, SeenRequest

_TRAM: Final = (
    ScriptedToken("<s>", special=True),
    *("In", " Lis", "bon", ",", " take", " the", " yellow", " tram", " 28", "."),
    # "\nUse" begins like the stop sequence and turns out to be something else.
    *("\n", "Us", "e", " a", " day", " ticket", " ("),
    # The euro sign in UTF-8, byte by byte, as vocabularies with byte fallback spell what they have no token for.
    *("<0xE2>", "<0x82>", "<0xAC>"),
    *("6", ".", "80", ")", "."),
    # The stop sequence ends inside a token, where servers that compare whole tokens miss it.
    *("\nUs", "er: Than", "ks", "!", "\nAssistant", ":", " You", "'re", " welcome", "."),
)

_TARTS: Final = (
    ScriptedToken("<s>", special=True),
    *("The", " best", " cust", "ard", " tarts", " are", " in", " Bel", "ém", ".", " Go", " early", "!"),
    # The model spells its end mark as ordinary text before it ends by the real one.
    *("</", "s", ">"),
    ScriptedToken("</s>", special=True),
)

STOP: Final = "\nUser:"

SCRIPT: Final[Mapping[str, Sequence[ScriptedToken | str]]] = {
    "How do I see Lisbon?": _TRAM,
    "And where do I eat?": _TARTS,
}
"""Answers by question."""


def answer(request: SeenRequest) -> list[ScriptedToken]:
    """Return what the model says to a question; each token has an id of its own, to be told from others like it."""
    return [
        ScriptedToken(line, id=number) if isinstance(line, str) else ScriptedToken(line.text, line.special, number)
        for number, line in enumerate(SCRIPT[request.body["inputs"]], 100)
    ]
