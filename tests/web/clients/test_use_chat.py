"""`useChat` on a page in Chromium, from another origin than the gateway's."""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest

from streamkit.testing import EmulatedEndpoint
from streamkit.testing.faults import cut_after

NODE = Path(__file__).parent / "node"
PATIENCE = 10
HTML = '<!doctype html><meta charset="utf-8"><title>useChat</title><div id="root"></div><script src="page.js"></script>'


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="session")
def page_url(node, tmp_path_factory):
    """The URL of the page, on a server of its own."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text(HTML)
    bundle = [NODE / "node_modules/.bin/esbuild", "use_chat.mjs", "--bundle", f"--outfile={folder / 'page.js'}"]
    define = "--define:process.env.NODE_ENV='production'"
    subprocess.run([*bundle, define, "--log-level=error"], cwd=NODE, check=True, timeout=60)  # noqa: S603 - our own words
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, name="page")
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Chat:
    """The page, open in a browser."""

    def __init__(self, browser):
        self.browser = browser

    def click(self, name):
        """Press a button."""
        self.browser.find_element("id", name).click()

    def text(self, name):
        """Return what a line says."""
        return self.browser.find_element("id", name).get_property("textContent")

    @property
    def answers(self):
        """The text of each answer."""
        script = "return [...document.querySelectorAll('.answer')].map((each) => each.textContent)"
        return self.browser.execute_script(script)

    def wait(self, condition):
        """Wait until something is so."""
        from selenium.webdriver.support.wait import WebDriverWait

        WebDriverWait(self.browser, PATIENCE, poll_frequency=0.02).until(lambda _: condition())


@pytest.fixture
def open_chat(chromium, page_url):
    """Return a context manager that opens the page for a route."""

    @contextmanager
    def opening(api, **query):
        chromium.get(f"{page_url}/?{urlencode({'api': api, **query})}")
        chat = Chat(chromium)
        chat.wait(lambda: chromium.find_elements("id", "send"))
        yield chat
        chromium.get("about:blank")

    return opening


@pytest.mark.parametrize("query", [{}, {"text": "1"}])
def test_answer(open_site, open_chat, page_url, model, query):
    """A page of an origin that the gateway knows gets its answer."""
    path = "/api/text/chat" if query else "/api/chat"
    with open_site(model, origins=[page_url]) as site, open_chat(f"{site.url}{path}", **query) as chat:
        chat.click("send")
        chat.wait(lambda: chat.answers == ["Take tram 28."] and chat.text("state") == "ready")
        assert chat.text("error") == ""


def test_answer_grows_and_stop_reaches_the_model(open_site, open_chat, page_url, gated):
    """Tokens are there while the model still writes, and stop ends it within a second."""
    with open_site(gated, origins=[page_url]) as site, open_chat(f"{site.url}/api/chat") as chat:
        chat.click("send")
        seen = gated.wait_for_request()
        chat.wait(lambda: chat.text("state") in {"submitted", "streaming"})
        gated.release(2)
        chat.wait(lambda: chat.answers == ["word word "])
        chat.click("stop")
        assert seen.client_left.wait(1)
        chat.wait(lambda: chat.text("state") == "ready")
        assert chat.answers == ["word word "]


def test_errors_are_shown(open_site, open_chat, page_url):
    """An error before the answer and one within it are sentences that a page can show."""
    with (
        EmulatedEndpoint(["word "] * 9, faults=[cut_after(2, "rst")]) as broken,
        open_site(broken, origins=[page_url]) as site,
        open_chat(f"{site.url}/api/chat") as chat,
    ):
        chat.click("send")
        chat.wait(lambda: chat.text("error") == "The model's server failed.")
        assert chat.answers == ["word word "]
        broken.stop()
        chat.browser.refresh()
        chat.wait(lambda: chat.browser.find_elements("id", "send"))
        chat.click("send")
        chat.wait(lambda: chat.text("error") == "The model's server cannot be reached.")


def test_page_of_another_origin(open_site, open_chat, model):
    """A page that the gateway does not know gets nothing, and the model is not asked."""
    with open_site(model) as site, open_chat(f"{site.url}/api/chat") as chat:
        chat.click("send")
        chat.wait(lambda: chat.text("state") == "error")
        assert chat.answers == []
    assert model.requests == []


def test_reload_resumes(open_site, open_chat, page_url, gated):
    """A page that is loaded again in the middle of an answer reads it whole, each token once."""
    with (
        open_site(gated, origins=[page_url], resumable=True) as site,
        open_chat(f"{site.url}/api/chat", id="c/1", resume="1") as chat,
    ):
        chat.click("send")
        seen = gated.wait_for_request()
        gated.release(3)
        chat.wait(lambda: chat.answers == ["word word word "])
        chat.browser.refresh()
        chat.wait(lambda: chat.browser.find_elements("id", "send") and chat.answers == ["word word word "])
        gated.release(100)
        chat.wait(lambda: chat.answers == ["word " * 100] and chat.text("state") == "ready")
        assert not seen.client_left.is_set()
