"""Who can use the page, and where: in Chromium, by keyboard, on a phone, with a screen reader, in the dark."""

from __future__ import annotations

import pytest

from streamkit.testing import EmulatedEndpoint
from streamkit.transforms import ScrubEos, StopSequences

CHAIN = (ScrubEos(), StopSequences("\nUser:"))


def test_stop_is_in_reach_on_a_phone(open_site, page):
    """While an answer comes its beginning is shown, and the button that stops it wherever the page is scrolled to."""
    page.emulate(390, 844)
    with EmulatedEndpoint(["word "] * 9, gate=True) as model, open_site(model) as site:
        page.open(site.url)
        page.send()
        model.release(3)
        page.wait(lambda: len(page.chips) == 3)
        in_sight = (
            "const {top, bottom} = arguments[0].getBoundingClientRect(); return top >= 0 && bottom <= innerHeight"
        )
        assert page.browser.execute_script(in_sight, page.find("#status"))
        assert page.browser.execute_script(in_sight, page.find("#answer"))
        page.browser.execute_script("scrollTo(0, document.body.scrollHeight)")
        assert page.browser.execute_script(in_sight, page.find("#stop-button"))
        page.find("#stop-button").click()
        page.wait_for_status("Stopped after 3 tokens")


def test_long_answer_keeps_the_page_short(open_site, page):
    """A thousand tokens scroll in boxes of their own, which follow the answer, and are all counted."""
    lines = ["word "] * 1000
    with EmulatedEndpoint(lines) as model, open_site(model) as site:
        page.open(site.url)
        page.find("#max-new-tokens").clear()
        page.send()
        page.wait_for_status("Done")
    assert len(page.chips) == len(page.all("#timeline line")) == 1000
    assert page.find('#legend [data-fate="passed"] + .count').text == "1000"
    assert page.browser.execute_script("return document.documentElement.scrollHeight") < 2500
    for box in ("#answer", "#tokens"):
        assert page.browser.execute_script(BELOW, page.find(box)) < 10


def test_page_works_by_keyboard(open_site, page):
    """Tab passes the controls in order, Ctrl+Enter sends, and the arrows go from token to token."""
    from selenium.webdriver import ActionChains, Keys

    with EmulatedEndpoint(["a", "b", "c"]) as model, open_site(model) as site:
        page.open(site.url)
        order = []
        for _ in range(7):
            ActionChains(page.browser).send_keys(Keys.TAB).perform()
            order.append(page.browser.switch_to.active_element.get_attribute("id"))
        assert order == ["prompt", "pipeline", "max-new-tokens", "temperature", "stop", "chat", "send"]
        page.find("#prompt").send_keys(Keys.CONTROL, Keys.ENTER)
        page.wait_for_status("Done")
    page.find("#token-0").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert page.browser.switch_to.active_element.get_attribute("id") == "token-2"
    assert page.find("#token-2").get_attribute("aria-selected") == "true"
    assert len(page.all('#tokens [tabindex="0"]')) == 1
    ring = "return getComputedStyle(document.querySelector('#token-2')).outlineStyle"
    assert page.browser.execute_script(ring) == "solid"
    ActionChains(page.browser).send_keys(Keys.TAB).perform()
    assert page.browser.execute_script(ring) == "none"


def test_everything_has_a_name(open_site, page):
    """A screen reader can name each control, and hears status and answer without being told each token."""
    with EmulatedEndpoint(["a", "\n"]) as model, open_site(model) as site:
        page.open(site.url)
        page.send()
        page.wait_for_status("Done")
    for control in page.all("textarea, select, input:not(#key), button, [role=option], [role=listbox], [role=img]"):
        assert control.accessible_name, control.get_attribute("outerHTML")
    assert page.find("#token-1").accessible_name == "⏎, passed"
    assert page.find("#status").aria_role == "status"
    assert page.find("#answer").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_page_fits_and_can_be_read(open_site, page, width, scheme):
    """No screen has to be scrolled sideways, and every text stands out by 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    page.emulate(width, 800, scheme)
    with EmulatedEndpoint(["a", "x" * 200, "\nUser:"]) as model, open_site(model, CHAIN) as site:
        page.open(site.url)
        page.send()
        page.wait_for_status("Done")
    page.find("#token-1").click()
    assert page.browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert page.browser.execute_script(CONTRASTS) == []


BELOW = "const [box] = arguments; return box.scrollHeight - box.clientHeight - box.scrollTop"

CONTRASTS = """
const light = (color) => {
  const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const color = getComputedStyle(each).backgroundColor;
    if (!color.startsWith("rgba(0, 0, 0, 0)")) return color;
  }
  return "rgb(255, 255, 255)";
};
return [...document.querySelectorAll("body *")]
  .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .filter((each) => each.checkVisibility() && !each.disabled && each.localName !== "option" && !each.closest("svg"))
  .map((each) => {
    const [a, b] = [light(getComputedStyle(each).color), light(behind(each))].sort((x, y) => y - x);
    return [each.outerHTML.slice(0, 80), (a + 0.05) / (b + 0.05)];
  })
  .filter(([, ratio]) => ratio < 4.5);
"""
