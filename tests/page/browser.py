"""A headless Chromium that says what a page did, for the tests of the status page."""

import json
import os
import shutil
import signal
import tempfile

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
except ImportError as error:
    print("0 passed, 1 failed")
    raise SystemExit("The page cannot be tried here. Run this once as root: "
                     "deploy/install-packages.sh --with-browser") from error

DEADLINE_SECONDS = 20

# Every text of the page whose contrast with what is behind it is less than 4.5 to 1 (WCAG AA).
LOW_CONTRAST = """
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = colour.map((c) => c / 255).map(
      (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backOf = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    throw new Error('no background');
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let count = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest('.unseen, script, noscript')) continue;
    if (!element.checkVisibility()) continue;
    ++count;
    const front = luminance(parse(getComputedStyle(element).color).slice(0, 3));
    const back = luminance(backOf(element).slice(0, 3));
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (ratio < 4.5) found.push(`${walker.currentNode.data}: ${ratio.toFixed(2)}`);
  }
  return [count, found];
"""


class Browser:
    """Chromium with a profile of its own, gone when the block ends."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="pontoon-page-")
        self.driver = None
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self):
        options = Options()
        options.binary_location = shutil.which("chromium")
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
                     f"--user-data-dir={self.folder}/profile"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = Service(shutil.which("chromedriver"), log_path=f"{self.folder}/driver.log",
                          env={**os.environ, "HOME": self.folder, "TMPDIR": self.folder, "TZ": "UTC"})
        self.driver = webdriver.Chrome(service=service, options=options)
        self.driver.set_page_load_timeout(DEADLINE_SECONDS)
        self.driver.set_script_timeout(DEADLINE_SECONDS)

    def close(self):
        try:
            if self.driver:
                self.driver.quit()
        finally:
            self._kill_rest()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _kill_rest(self):
        """Ends what is left of this browser, which is known by its profile."""
        mark = f"{self.folder}/".encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if mark in file.read():
                        os.kill(int(pid), signal.SIGKILL)
            except OSError:
                pass  # it has ended

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def open(self, url):
        self.driver.get("about:blank")
        self.take_console()
        self.take_requests()
        self.driver.get(url)

    def text(self, selector):
        """The text that is seen at the first match, on one line."""
        return " ".join((self.run("return document.querySelector(arguments[0])?.innerText", selector) or "").split())

    def texts(self, selector):
        found = self.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)", selector)
        return [" ".join(text.split()) for text in found]

    def set_size(self, width, height, mobile=False):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                 mobile=mobile)

    def set_media(self, **features):
        self.cdp("Emulation.setEmulatedMedia",
                 features=[{"name": name.replace("_", "-"), "value": value} for name, value in features.items()])

    def take_console(self):
        """Errors and warnings of the page since the last call, violations of its policy included."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING")]

    def take_requests(self):
        """The addresses that the page asked for since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [message["params"]["request"]["url"] for message in messages
                if message["method"] == "Network.requestWillBeSent"]

    def accessible(self):
        """Role and name of every node of the accessibility tree that is not ignored."""
        self.cdp("Accessibility.enable")
        nodes = self.cdp("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", ""))
                for node in nodes if not node["ignored"]]

    def low_contrast(self):
        """How many texts there are, and those that are hard to read."""
        return self.run(LOW_CONTRAST)

    def too_wide(self):
        """What reaches beyond the window's width."""
        return self.run("""
          const width = document.documentElement.clientWidth;
          const wide = [...document.querySelectorAll('body *')].filter(
            (e) => e.checkVisibility() && !e.closest('.unseen, thead') &&
              e.getBoundingClientRect().right > width + 0.5);
          return [...wide.map((e) => e.outerHTML.slice(0, 100)),
                  ...(document.scrollingElement.scrollWidth > width ? ['the page'] : [])];""")

    def screenshot(self, path, width, height, theme, mobile=False):
        """The whole page at a width, at least `height` high."""
        self.set_media(prefers_color_scheme=theme)
        self.set_size(width, height, mobile)
        full = self.run("return Math.ceil(document.documentElement.getBoundingClientRect().height)")
        self.set_size(width, max(height, full), mobile)
        self.run("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.driver.save_screenshot(path)
