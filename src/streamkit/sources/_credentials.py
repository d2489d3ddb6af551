"""Tokens: where they come from, where they may go, and how they stay out of sight."""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NoReturn
from urllib.parse import SplitResult, urlsplit

from streamkit.errors import ConfigurationError, GenerationError, StreamkitError

HF_DOMAINS: Final = ("huggingface.co", "hf.co", "endpoints.huggingface.cloud")
"""Hosts that are Hugging Face's own. Spaces (`hf.space`) are not among them: each runs its author's code."""

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
"""This machine itself."""

SHORTEST_PASSWORD: Final = 4
"""What is shorter, in characters, is in too many words to be masked in them."""

PUBLIC_HEADERS: Final = ("x-hf-bill-to", "x-scale-up-timeout")
"""Headers of Hugging Face whose values are no keys."""

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, token
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")  # RFC 9110, field-content, as latin-1


class Secret:
    """A token that does not show: not in a repr, not through `attrs.asdict`, not in a pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the token."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError("a token is not pickled: build the source where it runs, with a token read there")


class HeaderSecret(str):
    """A header value whose repr hides it, so that a traceback which shows local variables does not."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __reduce__(self) -> tuple[type[HeaderSecret], tuple[str]]:
        raise ConfigurationError("a header that may hold a key is not pickled: build the source where it runs")

    def __copy__(self) -> HeaderSecret:
        return self

    def __deepcopy__(self, _: object) -> HeaderSecret:
        return self


class PublicHeader(HeaderSecret):
    """The value of a header that holds no key: hidden like the others, and pickled."""

    __slots__ = ()

    def __reduce__(self) -> tuple[type[HeaderSecret], tuple[str]]:
        return PublicHeader, (str(self),)


def conceal(token: str | Secret | Literal[False] | None) -> Secret | Literal[False] | None:
    """Wrap a token as the sources keep it (an attrs converter).

    Raises:
        ConfigurationError: The token is empty or not a string.
    """
    if token is None or token is False or isinstance(token, Secret):
        return token
    if not isinstance(token, str) or not token.strip():
        raise ConfigurationError("the token is empty or not a string: pass the token, or token=False to send none")
    if any(ord(character) < 33 or ord(character) > 126 for character in token.strip()):
        raise ConfigurationError("the token has a space, a line break or another character that no token has")
    return Secret(token.strip())


def bearer(url: str, token: Secret | Literal[False] | None) -> dict[str, str]:
    """Return the authorization header for a URL.

    1. A token that the caller passed goes to the host it was passed for, over https or to this machine.
    2. Without one, the token saved on the machine goes to Hugging Face's own hosts over https.
    3. Anything else gets none.

    Args:
        url: Where the request will go.
        token: The caller's token; `False` for none, `None` for the machine's.

    Raises:
        ConfigurationError: The caller's token would cross a network in the clear.
    """
    parts = urlsplit(url)
    if token is None and is_hugging_face(parts):
        from huggingface_hub import constants, get_token

        token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else conceal(get_token())
    if not token:
        return {}
    refuse_clear(url)
    return {"Authorization": HeaderSecret(f"Bearer {token.reveal()}")}


def refuse_clear(url: str) -> None:
    """Refuse a URL over which a token would be readable on the way.

    Raises:
        ConfigurationError: It is neither https nor this machine.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise ConfigurationError(
            f"the token would go to {parts.hostname} in the clear: use an https URL, or token=False to send none"
        )


def conceal_headers(headers: Mapping[str, str]) -> dict[str, HeaderSecret]:
    """Check a caller's headers, any of which may hold a key, and keep their values out of sight (an attrs converter).

    Raises:
        ConfigurationError: A name or a value is not what HTTP allows.
    """
    for name, value in headers.items():
        if not (isinstance(name, str) and _HEADER_NAME.fullmatch(name)):
            raise ConfigurationError(f"{name!r} is not the name of an HTTP header")
        if not (isinstance(value, str) and _HEADER_VALUE.fullmatch(value)):
            raise ConfigurationError(f"the value of header {name!r} is no string, or no header can hold it")
    return {
        name: PublicHeader(value) if name.lower() in PUBLIC_HEADERS else HeaderSecret(value)
        for name, value in headers.items()
    }


def credentials(authorization: str) -> list[HeaderSecret]:
    """Return what a server may echo of an `Authorization` header: what follows the scheme, and what Basic encodes."""
    scheme, _, rest = authorization.strip().partition(" ")
    found = [HeaderSecret(rest.strip() or scheme)]
    if scheme.lower() == "basic":
        try:
            pair = binascii.a2b_base64(found[0]).decode()
        except ValueError:
            return found  # whatever it is, it is no user and password
        found += [HeaderSecret(each) for each in (pair, pair.partition(":")[2]) if len(each) >= SHORTEST_PASSWORD]
    return found


def redact(text: str, secrets: Sequence[str]) -> str:
    """Return a text without the secrets that a server echoed, be they whole or cut short by an ellipsis."""
    for secret in secrets:
        text = text.replace(secret, "***")
        for length in range(len(secret) - 1, 3, -1):
            for ellipsis in ("...", "…"):
                text = text.replace(secret[:length] + ellipsis, "***" + ellipsis)
    return text


def redacted(error: StreamkitError, secrets: Sequence[str]) -> StreamkitError:
    """Take the secrets that a server echoed out of an error, and return the error."""
    error.args = tuple(redact(arg, secrets) if isinstance(arg, str) else arg for arg in error.args)
    if isinstance(error, GenerationError):
        error.kind = redact(error.kind, secrets)
    return error


def is_hugging_face(parts: SplitResult) -> bool:
    """Tell whether a URL is one of Hugging Face's own hosts over https."""
    host = parts.hostname or ""
    return parts.scheme == "https" and any(host == domain or host.endswith(f".{domain}") for domain in HF_DOMAINS)
