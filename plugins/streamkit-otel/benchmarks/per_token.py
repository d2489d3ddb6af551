"""What observing costs: for each token while it streams, and for each run when it ends.

$ python benchmarks/per_token.py
"""

from __future__ import annotations

import timeit

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from streamkit import Pipeline, Token, from_iterable

from streamkit_otel import Telemetry

TOKENS = 1_000
ROUNDS = 30


def seconds(*callbacks: object) -> tuple[float, float]:
    """Return the best times of reading all tokens, and of what comes after the last one."""
    streaming = ending = float("inf")
    for _ in range(ROUNDS):
        source = from_iterable([Token(" word", number) for number in range(TOKENS)])
        with Pipeline(source, callbacks=callbacks).stream("Hi") as stream:
            events = iter(stream.events())
            start = timeit.default_timer()
            for _ in range(TOKENS):
                next(events)
            middle = timeit.default_timer()
            for _ in events:
                pass
            streaming = min(streaming, middle - start)
            ending = min(ending, timeit.default_timer() - middle)
    return streaming, ending


def main() -> None:
    """Print the differences to a run that nobody observes."""
    providers = TracerProvider(), MeterProvider([InMemoryMetricReader()])
    alone = seconds()
    for measure_chunks in (True, False):
        telemetry = Telemetry(tracer_provider=providers[0], meter_provider=providers[1], measure_chunks=measure_chunks)
        observed = seconds(telemetry)
        print(f"measure_chunks={measure_chunks}")
        print(f"  while it streams: {(observed[0] - alone[0]) / TOKENS * 1e6:6.2f} µs for each token")
        print(f"  when it ends:     {(observed[1] - alone[1]) * 1e3:6.2f} ms for a run of {TOKENS} tokens")


if __name__ == "__main__":
    main()
