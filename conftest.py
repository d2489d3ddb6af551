"""Run every code block of the README and the docs: a page that shows what does not happen is a failing test.

1. A `python` block runs; the blocks of a page share one namespace, in order.
2. A `text` block is what the block before it printed; `...` stands for anything.
3. A `console` block is run by the shell: lines that begin with `$ ` are commands, and what follows is their output.
4. The hosts named in `SERVERS` are played by emulated endpoints, which a page starts by mentioning them.
5. A page runs in an empty directory of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
from contextlib import ExitStack, chdir, redirect_stdout
from doctest import ELLIPSIS, OutputChecker
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sybil import Example, Sybil
from sybil.evaluators.python import pad
from sybil.parsers.markdown import CodeBlockParser

from streamkit.testing import EmulatedEndpoint, ScriptedToken, SeenRequest
from streamkit.testing.emulator.dialects import EngineName

# Read by huggingface_hub when it is imported: the tests tell nobody that they ran.
os.environ |= {"DO_NOT_TRACK": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

SERVERS: dict[str, EngineName] = {
    "https://my-endpoint.example": "tgi",
    "https://my-vllm.example": "vllm",
    "http://localhost:11434": "ollama",
}
"""Servers of the docs, and the engine that plays each."""
MODEL = "qwen3"

# A shell without job control starts what runs in the background deaf to Ctrl-C, and so are the processes of the tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

EOS = ScriptedToken("</s>", special=True)
TIPS = "1.| Walk| the| castle| walls.|\n2.| Eat| ginger|bread.|\n3.| See| Dürer|'s| house|.|\nUs|er: And| in| Munich?"
ANSWERS: dict[str, list[str | ScriptedToken]] = {
    "17": ["<think>", "10 * 3 is 30,", " 7 * 3 is 21.", "</think>", "\n\n", "51", EOS],
    "weather": ["It", " rains", ".", "</", "s", ">"],
    "": [*TIPS.split("|"), EOS],
}
"""What the servers say, by a word of the question; the tokens are as awkward as those of real engines."""


def _answer(seen: SeenRequest) -> list[str | ScriptedToken]:
    asked = seen.body if isinstance(seen.body, dict) else {}
    question = str(asked.get("inputs") or asked.get("prompt") or asked.get("messages"))
    return next(answer for word, answer in ANSWERS.items() if word in question)


class Page:
    """What the blocks of one page share: the servers they talk to, their directory, what was printed last."""

    def __init__(self) -> None:
        self._resources = ExitStack()
        self._urls: dict[str, str] = {}
        self.folder = self._resources.enter_context(TemporaryDirectory())
        self.printed = ""

    def localise(self, text: str) -> str:
        """Put the URLs of running servers in the place of those that readers see."""
        for shown, engine in SERVERS.items():
            if shown in text:
                if shown not in self._urls:
                    server = EmulatedEndpoint(_answer, engine=engine, model=MODEL)
                    self._urls[shown] = self._resources.enter_context(server).url
                text = text.replace(shown, self._urls[shown])
        return text

    def differs(self, shown: str, printed: str) -> str | None:
        """Return what is wrong if the page shows something else than what was printed."""
        for name, url in self._urls.items():
            printed = printed.replace(url, name)
        want, got = (text.rstrip() + "\n" for text in (shown, printed))
        if OutputChecker().check_output(want, got, ELLIPSIS):
            return None
        return f"the page shows:\n{want}\nbut this was printed:\n{got}"

    def close(self) -> None:
        """Stop the servers and remove the directory."""
        self._resources.close()


def _run_python(example: Example) -> None:
    page: Page = example.namespace["page_"]
    source = pad(page.localise(example.parsed), example.line + example.parsed.line_offset)
    code = compile(source, example.path, "exec", dont_inherit=True)
    with redirect_stdout(StringIO()) as printed, chdir(page.folder):
        exec(code, example.namespace)  # noqa: S102 - running the page is the point
    page.printed = printed.getvalue()


def _check_text(example: Example) -> str | None:
    page: Page = example.namespace["page_"]
    return page.differs(example.parsed, page.printed)


def _run_console(example: Example) -> str | None:
    page: Page = example.namespace["page_"]
    for session in ("\n" + example.parsed).split("\n$ ")[1:]:
        command, _, shown = session.partition("\n")
        done = subprocess.run(  # noqa: S602 - a shell is what readers have
            page.localise(command),
            shell=True,
            cwd=page.folder,
            env=os.environ | {"PATH": _PATH, "PYTHONWARNINGS": "error", "COLUMNS": "100", "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=30,
            check=False,
        )
        wrong = page.differs(shown, done.stdout)
        if wrong:
            return f"$ {command}\n{wrong}"
    return None


_PATH = os.pathsep.join([sysconfig.get_path("scripts"), str(Path(sys.executable).parent), os.environ["PATH"]])


def _open_page(namespace: dict[str, Any]) -> None:
    namespace |= {"__name__": "__main__", "page_": Page()}


def _close_page(namespace: dict[str, Any]) -> None:
    namespace["page_"].close()


pytest_collect_file = Sybil(
    parsers=[
        CodeBlockParser("python", _run_python),
        CodeBlockParser("text", _check_text),
        CodeBlockParser("console", _run_console),
    ],
    patterns=["README.md", "CONTRIBUTING.md", "docs/*.md", "docs/*/*.md"],
    setup=_open_page,
    teardown=_close_page,
).pytest()
