"""The servers that are measured: ready-made bytes, the gateway, and LiteLLM's proxy."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.server.process import free_port, running
from benchmarks.server.wire import MODEL

STOPS: Final = ("\nUser:", "###", "Observation:")

ALONE: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "ERROR",
    "HTTPS_PROXY": "http://127.0.0.1:9",  # nobody there: it fetches and reports things, and nothing here may
    "NO_PROXY": "127.0.0.1,localhost",
}
"""What keeps LiteLLM from asking anybody on the network."""

Running = AbstractContextManager[tuple[int, int]]


def upstream(cpu: int | None) -> Running:
    """Run the model's server."""
    return running([sys.executable, "-m", "benchmarks.server.upstream"], cpu=cpu)


def ready(cpu: int | None) -> Running:
    """Run the application that sends ready-made bytes."""
    port = free_port()
    return running([sys.executable, "-m", "benchmarks.server.ready", str(port)], cpu=cpu, port=port)


@contextmanager
def gateway(cpu: int | None, upstream: int) -> Iterator[tuple[int, int]]:
    """Run the gateway as `streamkit serve` does, with a pipeline for each protocol; its default is TGI's."""
    port = free_port()
    pipelines = "".join(
        f"""
[pipelines.{name}]
source = {{ use = "endpoint", url = "http://127.0.0.1:{upstream}", api = "{api}", model = "{MODEL}", token = false }}
transforms = ["skip_special_tokens", "scrub_eos", {{ use = "stop_sequences", stops = {json.dumps(STOPS)} }}]
"""
        for name, api in (("tgi", "tgi"), (MODEL, "chat"))
    )
    config = f"[gateway]\nport = {port}\nlimits = {{ streams = 5000, streams_per_key = 5000 }}\n{pipelines}"
    with TemporaryDirectory() as folder:
        path = Path(folder, "gateway.toml")
        path.write_text(config, encoding="utf-8")
        with running([sys.executable, "-m", "streamkit", "serve", "--config", str(path)], cpu=cpu, port=port) as known:
            yield known


@contextmanager
def litellm(cpu: int | None, upstream: int, key: str) -> Iterator[tuple[int, int]]:
    """Run LiteLLM's proxy with one worker and nothing switched on; without a key it does not start."""
    port = free_port()
    parameters = {"model": f"openai/{MODEL}", "api_base": f"http://127.0.0.1:{upstream}/v1", "api_key": "none"}
    config = {"model_list": [{"model_name": MODEL, "litellm_params": parameters}]}
    with TemporaryDirectory() as folder:
        path = Path(folder, "litellm.yaml")
        path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        command = [str(Path(sys.executable).with_name("litellm")), "--config", str(path), "--port", str(port)]
        command += ["--host", "127.0.0.1", "--num_workers", "1", "--telemetry", "False"]
        with running(command, cpu=cpu, port=port, environment={**ALONE, "LITELLM_MASTER_KEY": key}) as known:
            yield known
