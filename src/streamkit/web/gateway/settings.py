r"""What a gateway is told: where it listens, who may ask, and how much; from a TOML file, with mistakes named.

[gateway]
port = 8080
keys.shop = { env = "SHOP_KEY" }

[pipelines.travel]
source = { use = "endpoint", url = "https://my-endpoint.example" }
transforms = ["scrub_eos", "skip_special_tokens"]
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from streamkit.environment import Reference
from streamkit.errors import ConfigurationError
from streamkit.pipeline import Pipeline
from streamkit.protocols import every_source
from streamkit.stores import StreamStore

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")
"""What a pipeline or a key may be called: names stand in logs, in metrics and in answers."""

OWN_PATHS: Final = frozenset(
    {"api", "generate", "generate_stream", "health", "info", "metrics", "openapi.json", "playground", "v1"}
)
"""What the path of a route begins with: the name of a pipeline stands in the same place."""


def _digests(keys: Mapping[str, Reference | Any]) -> Mapping[str, bytes]:
    """Return a digest of each key by its owner's name: the keys themselves are not kept."""
    digests = {}
    for owner, reference in keys.items():
        if not NAME.fullmatch(owner):
            raise ConfigurationError(f"{owner!r} is no name of a key: use letters, digits, '.', '_' and '-'")
        if not isinstance(reference, Mapping) or set(reference) != {"env"} or not isinstance(reference["env"], str):
            raise ConfigurationError(
                f'a key does not belong in a file: write keys.{owner} = {{ env = "NAME" }}, and set that variable'
            )
        key = os.environ.get(reference["env"], "").strip()
        if not key:
            raise ConfigurationError(f"keys.{owner}: the environment variable {reference['env']!r} is not set")
        digests[owner] = digest(key)
    return digests


def digest(key: str) -> bytes:
    """Return what is kept and compared of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _hosts(hosts: Iterable[str]) -> tuple[str, ...]:
    return tuple(host.lower() for host in hosts)


def _origins(origins: Iterable[str]) -> tuple[str, ...]:
    origins = tuple(origin.lower() for origin in origins)
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or origin != f"{parts.scheme}://{parts.netloc}" or not parts.netloc:
            raise ConfigurationError(f"{origin!r} is no origin: write https://app.example, without a path and no '*'")
    return origins


@attrs.frozen(kw_only=True)
class Limits:
    """How much one request, one key and all of them together may ask for.

    Args:
        body_bytes: Size of a request's body.
        body_seconds: Time for its body to arrive.
        header_bytes: Size of a request's head.
        messages: Messages of a conversation.
        streams: Answers at the same time.
        streams_per_key: Of those, answers for one key.
    """

    body_bytes: int = attrs.field(default=2**20, validator=attrs.validators.gt(0))
    body_seconds: float = attrs.field(default=10.0, validator=attrs.validators.gt(0))
    header_bytes: int = attrs.field(default=32 * 2**10, validator=attrs.validators.gt(0))
    messages: int = attrs.field(default=1000, validator=attrs.validators.gt(0))
    streams: int = attrs.field(default=1000, validator=attrs.validators.gt(0))
    streams_per_key: int = attrs.field(default=100, validator=attrs.validators.gt(0))


@attrs.frozen(kw_only=True)
class Settings:
    """Where a gateway listens and who may ask it.

    Args:
        host: Address to listen on; another than this machine's own needs a key.
        port: Port to listen on; 0 for any that is free.
        default: The pipeline for requests that name none; the first one, if it is not said.
        keys: Environment variables of the API keys, by the name of each key's owner.
        hosts: Names by which clients reach this gateway, besides those of this machine, such as a proxy's.
        origins: Origins of web pages that may ask, besides the gateway's own.
        grace: Seconds that running answers have to end when the server is stopped.
        resumable: Whether an answer whose request names an id goes on when its client leaves, and can be resumed; or
            the store that keeps such answers, where this process's memory is not the place.
        limits: How much may be asked for.

    Raises:
        ConfigurationError: A setting cannot work, or the gateway would be open to the network without a key.
    """

    host: str = "127.0.0.1"
    port: int = attrs.field(default=8080, validator=[attrs.validators.ge(0), attrs.validators.le(65535)])
    default: str | None = None
    keys: Mapping[str, Any] = attrs.field(factory=dict, converter=_digests, repr=False)
    hosts: tuple[str, ...] = attrs.field(default=(), converter=_hosts)
    origins: tuple[str, ...] = attrs.field(default=(), converter=_origins)
    grace: float = attrs.field(default=10.0, validator=attrs.validators.ge(0))
    resumable: bool | StreamStore = attrs.field(default=False, repr=False)  # an address may have a password
    limits: Limits = attrs.field(factory=Limits)

    def __attrs_post_init__(self) -> None:
        if not self.loopback and not self.keys:
            raise ConfigurationError(
                f"host {self.host!r} is open to the network, and there is no key: whoever reaches it could use your "
                'models. Write keys.NAME = { env = "VARIABLE" }, or listen on 127.0.0.1'
            )

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@attrs.frozen
class Configuration:
    """A gateway's settings and its pipelines by name."""

    settings: Settings
    pipelines: Mapping[str, Pipeline]

    def __attrs_post_init__(self) -> None:
        if not self.pipelines:
            raise ConfigurationError("there is no pipeline: write [pipelines.NAME] and its source")
        for name, pipeline in self.pipelines.items():
            if not NAME.fullmatch(name):
                raise ConfigurationError(f"{name!r} is no name of a pipeline: use letters, digits and '._/-'")
            if name.partition("/")[0] in OWN_PATHS:
                raise ConfigurationError(f"{name!r} is a path of the gateway's own: give the pipeline another name")
            for source in every_source(pipeline.source):
                if not hasattr(source, "aopen"):
                    raise ConfigurationError(f"pipelines.{name}: {source!r} works only synchronously")
        default = self.settings.default
        if default is not None and default not in self.pipelines:
            raise ConfigurationError(f"default: there is no pipeline {default!r}, only {', '.join(self.pipelines)}")

    @property
    def default(self) -> str:
        """The name of the pipeline for requests that name none."""
        return self.settings.default or next(iter(self.pipelines))


def read_configuration(path: str | Path, **overrides: Any) -> Configuration:
    """Read a gateway's TOML file.

    Args:
        path: The file: a table `gateway`, and a table under `pipelines` for each pipeline, as `Pipeline.from_config`
            takes it.
        overrides: Settings that win over the file's.

    Raises:
        ConfigurationError: The file cannot be read, or something in it is unknown, missing or of the wrong type.
    """
    from streamkit.config import assemble, make, read
    from streamkit.host import Host

    config, host = read(path), Host.default()
    for key in config:
        if key not in {"gateway", "pipelines"}:
            raise ConfigurationError(
                f"{path}: unknown key {key!r}: a gateway's file has [gateway] and [pipelines.NAME]"
            )
    tables = {key: config.get(key, {}) for key in ("gateway", "pipelines")}
    for key, table in (*tables.items(), *((f"pipelines.{name}", each) for name, each in _items(tables["pipelines"]))):
        if not isinstance(table, Mapping):
            raise ConfigurationError(f"{path}: {key} is not a table")
    settings = make(Settings, {**tables["gateway"], **overrides}, host, f"{path}: gateway")
    pipelines = {}
    for name, table in tables["pipelines"].items():
        parts = assemble(table, host, f"{path}: pipelines.{name}")
        pipelines[name] = Pipeline(
            parts.source, transforms=parts.transforms, sinks=parts.sinks, parameters=parts.parameters, host=host
        )
    try:
        return Configuration(settings, pipelines)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _items(table: Any) -> Iterable[tuple[str, Any]]:
    return table.items() if isinstance(table, Mapping) else ()
