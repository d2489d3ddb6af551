"""OpenTelemetry traces and metrics of streamkit's runs: a plugin of lifecycle hooks.

pipeline = Pipeline(Endpoint(url), callbacks=[Telemetry()])
"""

from streamkit_otel.telemetry import Telemetry, plugin

__all__ = ["Telemetry", "plugin"]
