"""Which of the two drivers runs a command's pipeline: whoever types a command need not know that there are two."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamkit.pipeline import Pipeline


def must_await(pipeline: Pipeline) -> bool:
    """Tell whether something in a pipeline, or an installed plugin that observes it, works only asynchronously.

    Where nothing does, the synchronous driver is the one to take: it starts without an event loop to import.

    Args:
        pipeline: The pipeline.

    Raises:
        ConfigurationError: Something does, and its source works only synchronously.
    """
    from streamkit.errors import ConfigurationError
    from streamkit.protocols import every_source

    sources = [*every_source(pipeline.source)]
    hooks = pipeline.host.plan().asynchronous() if pipeline.host else ()
    awaiting = [
        *(repr(source) for source in sources if not hasattr(source, "open")),
        *(f"sink {sink!r}" for sink in pipeline.sinks if not hasattr(sink, "open")),
        *(f"the {hook}" for hook in hooks),
    ]
    plain = [source for source in sources if not hasattr(source, "aopen")]
    if awaiting and plain:
        remedy = f" (STREAMKIT_DISABLED_PLUGINS={hooks[0].plugin} leaves the plugin out)" if hooks else ""
        raise ConfigurationError(
            f"{plain[0]!r} works only synchronously and {awaiting[0]} only asynchronously, so they cannot run "
            f"together: do without one of them{remedy}"
        )
    return bool(awaiting)
