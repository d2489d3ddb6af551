"""The playground: a page that shows an answer while it is streamed, and what became of each of its tokens."""

from streamkit.web.playground.assets import ASSETS, HEADERS
from streamkit.web.playground.encoder import PlaygroundEncoder
from streamkit.web.playground.reports import followed

__all__ = ["ASSETS", "HEADERS", "PlaygroundEncoder", "followed"]
