"""Who may ask: hosts, origins and keys, checked before a byte of the body is read."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from streamkit.web.gateway.refusals import RefusalError
from streamkit.web.gateway.settings import Settings, digest

KEYLESS: Final = "anonymous"
"""Whose requests they are where there are no keys."""

_ONCE: Final = frozenset({"host", "origin", "authorization", "content-type", "content-length", "x-request-id"})
_KEYS_IN_QUERY: Final = frozenset(
    {"key", "apikey", "xapikey", "token", "hftoken", "accesstoken", "authtoken", "authorization", "bearer"}
)
_HEADER_LIST: Final = re.compile(r"[A-Za-z0-9-]+(\s*,\s*[A-Za-z0-9-]+)*")


def read_headers(scope: Mapping[str, Any], limit: int) -> dict[str, str]:
    """Return the headers of a request by lower-case name.

    Args:
        scope: The ASGI scope.
        limit: Most bytes of them.

    Raises:
        RefusalError: They are too large, or one that decides who asks and for what is there twice.
    """
    headers: dict[str, str] = {}
    size = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    for raw_name, raw_value in scope["headers"]:
        size += len(raw_name) + len(raw_value) + 4
        name = raw_name.decode("latin-1").lower()
        if name in _ONCE and name in headers:
            raise RefusalError(f"The header {name!r} is there twice.", 400)
        headers[name] = raw_value.decode("latin-1")
    if size > limit:
        raise RefusalError(f"The request's head is larger than {limit} bytes.", 431)
    return headers


class Access:
    """The checks of one gateway.

    1. A gateway that only this machine can reach answers to this machine's names and to those in `hosts`: a web page
       whose own name was made to point here (DNS rebinding) gets 421. One that listens elsewhere needs a key, and
       checks names if there are any in `hosts`.
    2. A request from a web page of another origin than the gateway's own and those in `origins` gets 403.
    3. Where there are keys, a request without one of them gets 401; one with a key in its URL gets 400, as URLs are
       logged on their way.

    Args:
        settings: The gateway's.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names = frozenset(settings.hosts)

    def place(self, headers: Mapping[str, str]) -> None:
        """Check where the request was meant to go, and from which page it comes.

        Raises:
            RefusalError: It was meant for another host, or comes from a page that may not ask.
        """
        host = headers.get("host", "").lower()
        checked = self._settings.loopback or self._names
        if checked and not (host in self._names or self._known(_hostname(host))):
            raise RefusalError("This gateway does not go by that name: add it to hosts in the gateway's file.", 421)
        origin = headers.get("origin", "").lower()
        if origin and not self._welcome(origin, host):
            raise RefusalError(
                "Pages of this origin may not ask here: add it to origins in the gateway's file. Behind a proxy, see "
                "that it passes on the header Host.",
                403,
            )

    def caller(self, headers: Mapping[str, str], query: bytes) -> str:
        """Return the name of the key's owner.

        Raises:
            RefusalError: There is no key or a wrong one, or it is in the URL.
        """
        for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
            if re.sub("[-_]", "", name.lower()) in _KEYS_IN_QUERY:
                raise RefusalError("A key does not belong in a URL: send it as 'Authorization: Bearer KEY'.", 400)
        keys = self._settings.keys
        if not keys:
            return KEYLESS
        scheme, _, key = headers.get("authorization", "").partition(" ")
        given = digest(key.strip()) if scheme.lower() == "bearer" else b""
        owner = None
        for name, known in keys.items():  # every key is compared: how long it takes tells nothing
            if hmac.compare_digest(given, known):
                owner = name
        if owner is None:
            raise RefusalError("The key is missing or wrong.", 401, {"www-authenticate": "Bearer"})
        return owner

    def shared(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers by which a page of another origin may read the response."""
        origin = headers.get("origin", "").lower()
        if not self._settings.origins:
            return {}
        if origin not in self._settings.origins:
            return {"vary": "Origin"}
        return {
            "access-control-allow-origin": origin,
            "access-control-expose-headers": "x-request-id, retry-after, x-vercel-ai-ui-message-stream",
            "vary": "Origin",
        }

    def preflight(self, headers: Mapping[str, str], methods: str) -> dict[str, str]:
        """Return the headers that answer a browser's question whether it may ask.

        The headers that it wants to send are all granted: `openai` sends a dozen of its own, `useCompletion` sets
        `User-Agent`, and none of them decides anything here but the key.
        """
        granted = self.shared(headers)
        if "access-control-allow-origin" not in granted:
            return granted
        granted |= {"access-control-allow-methods": methods, "access-control-max-age": "600"}
        wanted = headers.get("access-control-request-headers", "")
        if _HEADER_LIST.fullmatch(wanted):
            granted["access-control-allow-headers"] = wanted
        return granted

    def _known(self, name: str) -> bool:
        return name in self._names or (self._settings.loopback and _is_local(name))

    def _welcome(self, origin: str, host: str) -> bool:
        return origin in self._settings.origins or (bool(host) and urlsplit(origin).netloc == host)


def _hostname(host: str) -> str:
    """Return a Host header without its port; an address in brackets without them."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_local(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
