"""The page in a browser, as a person uses it."""

from __future__ import annotations

import json

import pytest

PATIENCE = 5


class Page:
    """The playground, open in a browser."""

    def __init__(self, browser):
        self.browser = browser
        self.find = lambda selector: browser.find_element("css selector", selector)
        self.all = lambda selector: browser.find_elements("css selector", selector)

    def open(self, url):
        """Open it, and wait until it knows the pipelines or that it needs a key."""
        self.browser.get_log("browser")
        self.browser.get_log("performance")
        self.browser.get(url)
        self.wait(lambda: self.all("#pipeline option") or self.find("#key").is_displayed())

    def send(self, prompt="Lisbon?"):
        """Ask."""
        self.find("#prompt").clear()
        self.find("#prompt").send_keys(prompt)
        self.find("#send").click()

    def wait(self, condition):
        """Wait until something is so, and return it."""
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.browser, PATIENCE, poll_frequency=0.02).until(lambda _: condition())

    def wait_for_status(self, text):
        """Wait until the line of the status says something."""
        self.wait(lambda: text in self.status)

    @property
    def status(self):
        """What the line of the status says."""
        return self.find("#status").text

    @property
    def answer(self):
        """The text of the answer."""
        return self.find("#answer").get_property("textContent")

    @property
    def chips(self):
        """Text and fate of each raw token."""
        script = "return [...document.querySelectorAll('#tokens .chip')].map((c) => [c.textContent, c.dataset.fate])"
        return [tuple(each) for each in self.browser.execute_script(script)]

    @property
    def asked_for(self):
        """The URLs that the browser has asked for since the page was opened."""
        messages = (json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance"))
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def emulate(self, width=1280, height=900, scheme="light"):
        """Be another screen."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


@pytest.fixture
def page(chromium):
    """The playground in the browser; `open` it."""
    page = Page(chromium)
    page.emulate()
    yield page
    chromium.get("about:blank")
