"""The instruments, with the bucket bounds that the conventions state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, Meter

SECONDS: Final = tuple(0.01 * 2**power for power in range(14))  # 0.01 ... 81.92
TOKENS: Final = tuple(4**power for power in range(14))  # 1 ... 67108864


class Instruments:
    """What is measured of each run.

    Args:
        meter: Where the instruments are made.
    """

    def __init__(self, meter: Meter) -> None:
        def seconds(name: str, description: str) -> Histogram:
            return meter.create_histogram(
                name, unit="s", description=description, explicit_bucket_boundaries_advisory=SECONDS
            )

        self.duration = seconds("gen_ai.client.operation.duration", "From the request to the last token.")
        self.first_chunk = seconds(
            "gen_ai.client.operation.time_to_first_chunk", "From the request to the first token."
        )
        self.output_chunk = seconds("gen_ai.client.operation.time_per_output_chunk", "From each token to the next one.")
        self.tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Tokens of the question and of the answer, as the engine reported them.",
            explicit_bucket_boundaries_advisory=TOKENS,
        )
        self.active = meter.create_up_down_counter(
            "streamkit.streams.active", unit="{stream}", description="Runs that have started and not ended."
        )
        self.ends = meter.create_counter("streamkit.stream.end", unit="{stream}", description="How runs ended.")
