"""The gateway's log: one line of JSON for each request, with what happened and without what was said."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import Any, Final

import msgspec

logger: Final = logging.getLogger("streamkit.gateway")

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id(given: str) -> str:
    """Return the client's id of a request if it is one that may stand in a log and a header, and else a new one."""
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(12)


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object: what was passed as `extra={"fields": {...}}`, and of others the message.

    JSON escapes line ends, so no text makes a second line. A traceback is told by its error's type and place alone,
    since messages and source lines may hold what was asked.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{stamp}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["at"] = place(record.exc_info[1])
        return msgspec.json.encode(line).decode()


def place(error: BaseException | None) -> str:
    """Return where an error was raised: a file's name and a line."""
    step = error.__traceback__ if error is not None else None
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    if step is None:
        return "?"
    return f"{step.tb_frame.f_code.co_filename.rpartition('/')[2]}:{step.tb_lineno}"
