"""Does it matter how many stop sequences there are? One, eight and a thousand, in the machine and in a whole run."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks._measure import Row, cpu, interleaved, show
from benchmarks._prose import STOPS, texts, thousand_stops
from streamkit import Pipeline, StopSequences, Token, from_iterable
from streamkit.transforms._matcher import matcher

COUNT = 50_000
SETS = {
    "1": ("Observation:",),
    "8": STOPS,
    "1000 kind": tuple(f"\nSpeaker {number}:" for number in range(1000)),
    "1000 unkind": thousand_stops(),
}
"""Kind: the names of a chat's speakers. Unkind: pairs of the prose's own words, so nearly every token ends like one of
them begins, is held back in part, and leaves in two pieces."""


def main() -> None:
    """Measure and print."""
    given = [Token(text) for text in texts(COUNT)]

    def walk(stops: tuple[str, ...]) -> Callable[[], float]:
        def job() -> None:
            automaton = matcher(stops)
            free, step, root, node = automaton.firsts.isdisjoint, automaton.walk, automaton.root, automaton.root

            def push(text: str) -> None:
                nonlocal node
                if node is not root or not free(text):
                    node = step(node, text)

            for token in given:
                push(token.text)

        return lambda: cpu(job)

    def machine(stops: tuple[str, ...]) -> Callable[[], float]:
        def job() -> None:
            feed = StopSequences(stops).start().feed
            for token in given:
                feed(token)

        return lambda: cpu(job)

    def run(stops: tuple[str, ...]) -> Callable[[], float]:
        pipeline = Pipeline(from_iterable(given), transforms=(StopSequences(stops),))
        return lambda: cpu(lambda: pipeline.run("Go on."))

    jobs = {f"walk {name}": walk(stops) for name, stops in SETS.items()}
    jobs |= {f"machine {name}": machine(stops) for name, stops in SETS.items()}
    jobs |= {f"run {name}": run(stops) for name, stops in SETS.items()}
    cost = {name: seconds / COUNT * 1e6 for name, seconds in interleaved(jobs, rounds=7).items()}
    show(
        "Matcher: many stop sequences against one, a call for each token",
        *(
            Row(
                what=f"{name} stops, {what}",
                ours=cost[f"{key} {name}"],
                reference=cost[f"{key} 1"],
                target=4 if name == "1000 kind" or (name, key) == ("1000 unkind", "walk") else None,
            )
            for key, what in (
                ("walk", "the matcher"),
                ("machine", "with tokens held and cut"),
                ("run", "a whole run"),
            )
            for name in ("8", "1000 kind", "1000 unkind")
        ),
    )


if __name__ == "__main__":
    main()
