"""The gateway: named pipelines behind the routes that clients already ask; what `streamkit serve` runs."""

from streamkit.web.gateway.app import Gateway
from streamkit.web.gateway.settings import Configuration, Limits, Settings, read_configuration

__all__ = ["Configuration", "Gateway", "Limits", "Settings", "read_configuration"]
