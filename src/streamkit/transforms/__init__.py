"""Pure transforms: an event in, events out; no I/O, no clock, no thread."""

from streamkit.transforms.eos import DEFAULT_EOS, ScrubEos
from streamkit.transforms.reasoning import DEFAULT_TAGS, SplitReasoning
from streamkit.transforms.recommended import recommended_transforms
from streamkit.transforms.smooth import Smooth
from streamkit.transforms.special_tokens import SkipSpecialTokens
from streamkit.transforms.stop_sequences import StopSequences
from streamkit.transforms.tool_calls import CALL_TAGS, SplitToolCalls
from streamkit.transforms.utf8 import RepairText
from streamkit.transforms.whitespace import TrimStart

__all__ = [
    "CALL_TAGS",
    "DEFAULT_EOS",
    "DEFAULT_TAGS",
    "RepairText",
    "ScrubEos",
    "SkipSpecialTokens",
    "Smooth",
    "SplitReasoning",
    "SplitToolCalls",
    "StopSequences",
    "TrimStart",
    "recommended_transforms",
]
