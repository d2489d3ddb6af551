"""Pure transforms: an event in, events out; no I/O, no clock, no thread."""

from streamkit.transforms.eos import DEFAULT_EOS, ScrubEos
from streamkit.transforms.reasoning import DEFAULT_TAGS, SplitReasoning
from streamkit.transforms.recommended import recommended_transforms
from streamkit.transforms.smooth import Smooth
from streamkit.transforms.special_tokens import SkipSpecialTokens
from streamkit.transforms.stop_sequences import StopSequences
from streamkit.transforms.utf8 import RepairText
from streamkit.transforms.whitespace import TrimStart

__all__ = [
    "DEFAULT_EOS",
    "DEFAULT_TAGS",
    "RepairText",
    "ScrubEos",
    "SkipSpecialTokens",
    "Smooth",
    "SplitReasoning",
    "StopSequences",
    "TrimStart",
    "recommended_transforms",
]
