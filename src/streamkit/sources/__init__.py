"""Where tokens come from; the floor that does network I/O."""

from streamkit.sources.endpoint import Endpoint
from streamkit.sources.fallback import Fallback
from streamkit.sources.inference_endpoint import InferenceEndpoint
from streamkit.sources.iterable import from_iterable
from streamkit.sources.record import Record
from streamkit.sources.replay import Replay
from streamkit.sources.retry import Retry
from streamkit.sources.serverless import Serverless
from streamkit.sources.timeouts import Timeouts

__all__ = [
    "Endpoint",
    "Fallback",
    "InferenceEndpoint",
    "Record",
    "Replay",
    "Retry",
    "Serverless",
    "Timeouts",
    "from_iterable",
]
