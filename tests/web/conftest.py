"""What the tests of the page and of real clients need: a gateway on a real server, and a browser."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

import attrs
import pytest

from streamkit.pipeline import Pipeline
from streamkit.sources import Endpoint
from streamkit.transforms import recommended_transforms
from streamkit.web.gateway import Gateway, Settings
from streamkit.web.gateway.server import url_of
from web.serving import running

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@attrs.frozen
class Site:
    """A gateway that runs."""

    gateway: Gateway
    url: str


@contextmanager
def _open(pipelines, **settings):
    with running(pipelines, Settings(port=0, grace=0.2, **settings)) as (gateway, _, listening):
        yield Site(gateway, url_of(listening))


@pytest.fixture
def open_site():
    """Return a context manager that runs a gateway in front of an emulated model, or of named pipelines."""

    def opening(model, transforms=None, **settings):
        if isinstance(model, dict):
            return _open(model, **settings)
        source = Endpoint(model.url, api="tgi", token=False)
        chain = recommended_transforms() if transforms is None else transforms
        return _open({"travel": Pipeline(source, transforms=chain)}, **settings)

    return opening


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """A browser, started once; skipped where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="the browser tests need selenium")
    from selenium.webdriver.chrome.service import Service

    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("the browser tests need Debian's packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()
