"""A page in headless Chromium, with its console messages and network requests."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
PATIENCE = 120
"""Seconds to wait for a page to draw: a busy machine is slow."""


class Page:
    """An open page."""

    def __init__(self, driver, path):
        from selenium.webdriver.support.ui import WebDriverWait

        self.driver, self.path = driver, path
        self.wait = WebDriverWait(driver, PATIENCE).until

    def open(self, *, dark=False, width="desktop", fragment=""):
        """Load the page with these settings and wait until its scripts are done."""
        across, down = WIDTHS[width]
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": across, "height": down, "deviceScaleFactor": 1, "mobile": width == "phone"},
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        self.driver.get("about:blank")
        self.driver.get(f"{self.path.resolve().as_uri()}{fragment}")
        self.wait(lambda driver: driver.execute_script("return document.documentElement.dataset.ready") == "yes")

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def texts(self, selector):
        """Return the text of every element, visible or not."""
        script = "return [...document.querySelectorAll(arguments[0])].map(node => node.textContent.trim())"
        return self.driver.execute_script(script, selector)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def asked_for(self):
        """Return every address requested since the last call, without data inside the page."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return sorted({url.partition("#")[0] for url in urls if not url.startswith(("data:", "blob:", "about:"))})

    def complaints(self):
        """Return the warnings and errors on the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]

    def picture(self, path):
        """Write the whole page as PNG."""
        import base64

        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def opened(path: Path, downloads: Path) -> Iterator[Page]:
    """Yield a page in a new browser; skip the test if Chromium is not installed."""
    browser, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no Chromium here (chromium and chromedriver)")
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     f"--user-data-dir={downloads}"):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    try:
        yield Page(chrome, path)
    finally:
        chrome.quit()
