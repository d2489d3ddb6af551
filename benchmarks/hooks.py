"""What do observers cost for each token? A host whose plugins observe nothing, and three that do."""

from __future__ import annotations

import asyncio

from benchmarks._measure import Row, cpu, interleaved, show
from benchmarks._prose import texts
from streamkit import Host, Pipeline, StopSequences, Token, from_iterable, hookimpl

COUNT = 50_000


class Registers:
    """A plugin without observers."""

    @hookimpl
    def register_transforms(self) -> dict[str, object]:
        """Offer a transform."""
        return {"mine": StopSequences}


class Tokens:
    """An observer of every token."""

    tokens = 0

    def on_token(self, token: Token) -> None:
        """Count."""
        self.tokens += 1


class Texts:
    """An observer of every text."""

    characters = 0

    def on_text(self, text: str) -> None:
        """Count."""
        self.characters += len(text)


class Both(Tokens, Texts):
    """An observer of both."""


def main() -> None:
    """Measure and print."""
    given = [Token(text) for text in texts(COUNT)]
    bare = Pipeline(from_iterable(given), transforms=(StopSequences("Observation:"),))
    pipelines = {
        "none": bare,
        "silent": bare.evolve(host=Host([Registers()])),
        "tokens": bare.evolve(callbacks=[Tokens(), Tokens(), Tokens()]),
        "texts": bare.evolve(callbacks=[Texts(), Texts(), Texts()]),
        "both": bare.evolve(callbacks=[Both(), Both(), Both()]),
    }
    jobs = {f"sync {name}": lambda p=pipeline: cpu(lambda: p.run("Go on.")) for name, pipeline in pipelines.items()}
    jobs |= {
        f"async {name}": lambda p=pipeline: cpu(lambda: asyncio.run(p.arun("Go on.")))
        for name, pipeline in pipelines.items()
    }
    cost = {name: seconds / COUNT * 1e6 for name, seconds in interleaved(jobs, rounds=9).items()}
    show(
        "Hooks: what observers add to a run",
        *(
            Row(what=f"{colour}, {what}", ours=cost[f"{colour} {name}"] - cost[f"{colour} none"], target=target)
            for colour in ("sync", "async")
            for name, what, target in (
                ("silent", "plugins that observe nothing", 0.1),
                ("tokens", "three observers of tokens", 1),
                ("texts", "three observers of texts", 1),
                ("both", "three observers of tokens and of texts", None),
            )
        ),
    )


if __name__ == "__main__":
    main()
