"""The text that every benchmark reads: prose in tokens of about 3.7 characters, as a model would send it."""

from __future__ import annotations

import re
from itertools import cycle, islice
from typing import Final

TEXT: Final = """\
The old mill stands where the river bends, a little below the weir. In spring the water is loud enough to be heard \
from the church, and the miller's daughter, who teaches at the school now, says that she cannot sleep without it. \
Nobody has ground flour there for sixty years; the wheel turns a small generator, and on market days it turns for \
visitors, who are told that it was built in 1794 and that it has burned down twice since.

"You should come in October," the ferryman says. "Then the mist lies on the meadows until ten, and you can walk \
through it up to your waist, like a man wading." He has made the crossing (two minutes, one euro fifty, bicycles \
free) eleven times a day since his father gave it up. Three bridges have been planned in that time; one was begun, \
and its piers are still there, green with algae, a favourite place of herons.

Above the village the path leaves the bank and climbs between orchards: plums first, then apples, then a few rows of \
vines that the cooperative has planted again, against every advice. The soil is thin and full of flint. What it \
gives, they say, is not much, but it tastes of something; and whoever has drunk a glass of it on the terrace behind \
the town hall, while the swifts cut across the evening, will not argue.

"""

STOPS: Final = (
    "\nUser:",
    "\nAssistant:",
    "\n\nHuman:",
    "<|im_start|>",
    "<|user|>",
    "[INST]",
    "### Instruction",
    "Observation:",
)
"""Eight marks of a chat in which a model goes on speaking for its user."""

_PIECE = re.compile(r" ?[^\W\d_]{1,5}| ?\d{1,3}|\n+| ?[^\w\s]|\s")


def texts(count: int) -> list[str]:
    """Return the texts of so many tokens; the prose begins again where it ends."""
    return list(islice(cycle(_PIECE.findall(TEXT)), count))


def thousand_stops() -> tuple[str, ...]:
    """Return 1,000 stop sequences of two ordinary words each, none of them in the prose but nearly all begun in it."""
    words = sorted(set(re.findall(r"[a-z]{3,}", TEXT)))
    pairs = (f"{first} {second}" for second in words for first in words)
    return tuple(islice((pair for pair in pairs if pair not in TEXT), 1000))
