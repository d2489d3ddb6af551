"""Masks secrets and personal data in a model's answer while it streams: a transform for streamkit.

pipeline = Endpoint(url) | Redact(secrets=[os.environ["HF_TOKEN"]]) | Console()
"""

from streamkit_redact._plugin import plugin
from streamkit_redact.patterns import KINDS, Pattern
from streamkit_redact.redact import Redact

__all__ = ["KINDS", "Pattern", "Redact", "plugin"]
