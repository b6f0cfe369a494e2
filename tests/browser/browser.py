"""What the tests in a browser share: the program, Chromium and what it notes of a page, axe, pictures of what is seen, skipping.

A test file ends with `browser.main()`. Exit codes: 0 all passed, 1 something failed, 77 nothing failed but something was skipped, and
a line "skipped: ..." says why.
"""
import base64
import collections
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import unittest

# Neither the driver nor the program on the loopback is to be asked through somebody's proxy.
for proxy_exception in ("no_proxy", "NO_PROXY"):
    os.environ[proxy_exception] = "localhost,127.0.0.1,::1"

try:
    from selenium import webdriver
    from selenium.common.exceptions import StaleElementReferenceException as Moved
    from selenium.webdriver.chrome.service import Service
except ImportError:
    webdriver, Moved = None, ()

AXE_VERSION = "4.10.3"
AXE_SHA512 = "Xm7bpRXnDSX2YE2YFfBk2FnF0ep6tmG7xPh8iHee8MIcrgq762Nkce856dYtJYLkuIoYZvGfTs/PbZhideTcEg=="

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "corpora" / "samples"
PROGRAM_SECONDS = 600  # of one run of the program; sanitizers are slow

_scratch = tempfile.TemporaryDirectory(prefix="whynot-browser-")
SCRATCH = pathlib.Path(_scratch.name)


def artefacts():
    """Where pictures of what was seen are kept."""
    folder = pathlib.Path(os.environ.get("WHYNOT_ARTEFACTS", SCRATCH / "artefacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# --- the program


def program():
    path = os.environ.get("WHYNOT_PROGRAM")
    if not path:
        raise RuntimeError("WHYNOT_PROGRAM must name the program whynot")
    return path


def program_environment():
    environment = {name: value for name, value in os.environ.items() if name not in ("WHYNOT_PLUGIN_PATH", "WHYNOT_PACK_PATH", "NO_COLOR")}
    environment.update(OMP_NUM_THREADS="1", XDG_CACHE_HOME=str(SCRATCH / "cache"), LC_ALL="C.UTF-8")
    return environment


Run = collections.namedtuple("Run", "code out err")


def run(*arguments, given=b"", codes=(0,), folder=SCRATCH):
    """Runs whynot in `folder` and expects one of `codes`. Arguments are texts, bytes or paths."""
    command = [program(), *(a if isinstance(a, bytes) else str(a) for a in arguments)]
    done = subprocess.run(
        command, input=given, capture_output=True, cwd=folder, env=program_environment(), timeout=PROGRAM_SECONDS, check=False
    )
    if codes and done.returncode not in codes:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return Run(done.returncode, done.stdout, done.stderr)


def records_in(text):
    # Lines end at \n alone: a record may hold other characters that Python takes for ends of lines.
    return [json.loads(line) for line in text.decode().split("\n") if line]


# --- skipping


def skip(why):
    raise unittest.SkipTest(why)


def chromium():
    return next((found for found in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if found), None)


def needs_browser():
    if webdriver is None:
        skip("python3-selenium is not installed")
    if not chromium():
        skip("chromium is not installed")
    if not shutil.which("chromedriver"):
        skip("chromedriver is not installed (chromium-driver)")


def axe_source():
    """axe-core, fetched once into the folder of artefacts; whatever npm brings must be the very file that is meant."""
    archive = artefacts() / f"axe-core-{AXE_VERSION}.tgz"
    if not archive.exists():
        if not shutil.which("npm"):
            skip("npm is not installed, so there is no axe-core")
        with tempfile.TemporaryDirectory(dir=artefacts()) as folder:
            command = ["npm", "pack", f"axe-core@{AXE_VERSION}", "--fetch-retries=1", "--fetch-timeout=30000"]
            try:
                fetched = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
            except subprocess.TimeoutExpired:
                skip("axe-core could not be fetched: npm did not come to an end")
            brought = list(pathlib.Path(folder).glob("*.tgz"))
            if fetched.returncode or not brought:
                skip("axe-core could not be fetched: " + (fetched.stderr.strip().splitlines() or ["npm says nothing"])[-1])
            os.replace(brought[0], archive)
    content = archive.read_bytes()
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != AXE_SHA512:
        archive.unlink()
        raise AssertionError(f"axe-core {AXE_VERSION} is not the file whose SHA-512 stands here")
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        return opened.extractfile("package/axe.min.js").read().decode()


# --- who is asked


class Listener:
    """A port of the loopback that hostile inputs name: whoever comes has followed one of them."""

    def __init__(self):
        self.visits = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    self.visits.append(connection.recv(2000))
                except OSError:
                    self.visits.append(b"")

    def close(self):
        self._socket.close()


def hostile(port):
    """What people type who wish us ill, or who only have odd data. Whatever of it ran would set window.ran or visit the port."""
    there = f"http://127.0.0.1:{port}/"
    return [
        f'the food was gross </script><script>window.ran=1</script><img src=x onerror="window.ran=1">',
        f"the food was gross <!-- <script> --><img src='{there}a.png'>",
        "the food was gross ]]> <![CDATA[ x ]]>",
        "the food was\u2028gross\u2029 .",
        "the \u202efood\u202c was \u2067gross\u2069 .",
        "\"the\" 'food' `was` gross & &lt;b&gt; &amp;amp; .",
        f"<svg onload=window.ran=1><title></title></svg> the food was gross .",
        f"<svg><animate onbegin=window.ran=1 attributeName=x dur=1s> the food was gross",
        f"the food was gross <iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
        f'the food was gross <a href="javascript:window.ran=1">x</a><base href={there}><link rel=stylesheet href={there}b.css>',
        "the food was -[gross]- +[<b>good</b>]+ .",
        "=cmd|' /C calc'!A0 the food was gross",
        "@import url(x) the food was gross </style><style>*{display:none}</style>",
        "</pre></details></article></main></body></html> the food was gross",
        "${window.ran=1} {{constructor.constructor('window.ran=1')()}} the food was gross",
        "\ufeffthe food\u200b was gross \ufffe \U000e0041 \x1b[31mred\x07 .",
        "g" + "r" * 3000 + "oss was the food",
    ]


# --- the browser


class Browser:
    """Chromium with an empty profile. `requests` and `complaints` tell what happened since they were asked last."""

    def __init__(self):
        self.downloads = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH))
        options = webdriver.ChromeOptions()
        options.binary_location = chromium()
        switches = [
            "--headless=new",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            "--no-default-browser-check",
            "--no-proxy-server",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--lang=en",
            "--force-color-profile=srgb",
            "--force-prefers-reduced-motion",
            "--hide-scrollbars",
            f"--user-data-dir={tempfile.mkdtemp(dir=SCRATCH)}",
        ]
        if os.geteuid() == 0:
            switches.append("--no-sandbox")  # the sandbox does not start as root
        # Where motion is not reduced the explorer scrolls smoothly, and the driver clicks where a button was a moment ago.
        for switch in switches:
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver"), log_path=os.devnull), options=options)
        self.driver.set_page_load_timeout(120)
        self.driver.set_script_timeout(240)
        self.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))
        self.size(1280, 900)
        self.driver.get("about:blank")
        self.forget()

    def close(self):
        self.driver.quit()

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector, within=None):
        return (within or self.driver).find_elements("css selector", selector)

    def one(self, selector, within=None):
        found = self.find(selector, within)
        if len(found) != 1:
            raise AssertionError(f"expected one {selector!r}, found {len(found)}")
        return found[0]

    def choose(self, select, value):
        """By keyboard: what the driver does to an option when it is told to click is not what a person's click does."""
        values = self.js("return [...arguments[0].options].map((o) => o.value);", select)
        keys = webdriver.common.keys.Keys
        self.js("arguments[0].focus();", select)
        select.send_keys(keys.HOME + keys.ARROW_DOWN * values.index(value))
        if select.get_property("value") != value:
            raise AssertionError(f"{value!r} could not be chosen among {values}")

    # What the reader's system has.

    def size(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def wide(self):
        self.size(1280, 900)

    def narrow(self):
        self.size(360, 740)

    def media(self, kind="", **features):
        """E.g. media("print"), media(prefers_color_scheme="dark")."""
        named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.cdp("Emulation.setEmulatedMedia", media=kind, features=named)

    def scripts(self, enabled):
        self.cdp("Emulation.setScriptExecutionDisabled", value=not enabled)

    # What it notes.

    def open(self, path):
        """Opens a file from disk, and returns its address."""
        address = pathlib.Path(path).resolve().as_uri()
        self.driver.get(address)
        return address

    def forget(self):
        self._requests, self._answers, self._said = [], [], []
        self._read()
        self._requests, self._answers, self._said = [], [], []

    def _read(self):
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                parameters = message["params"]
                request = parameters.get("request", parameters)
                self._requests.append((request.get("method", "GET"), request["url"]))
            elif message["method"] == "Network.responseReceived":
                response = message["params"]["response"]
                self._answers.append((response["status"], response["url"]))
        self._said += [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]

    def requests(self):
        """Addresses that were asked since the last `forget`; what is in the page itself is none."""
        return [url for _, url in self.asked()]

    def asked(self):
        """The same with the method."""
        self._read()
        return [(method, url) for method, url in self._requests if not url.startswith(("data:", "blob:"))]

    def answers(self):
        """Status and address of what was answered."""
        self._read()
        return list(self._answers)

    def complaints(self):
        """What stands in the console: violations of the policy, errors, warnings, and whatever a script wrote."""
        self._read()
        return list(self._said)

    # Pictures of what is seen.

    def screenshot(self, name, highest=4000):
        box = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": box["width"], "height": min(box["height"], highest), "scale": 1}
        shot = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        (artefacts() / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def pdf(self, name=None):
        """The page on A4, as bytes."""
        printed = self.cdp("Page.printToPDF", paperWidth=210 / 25.4, paperHeight=297 / 25.4, printBackground=True)
        content = base64.b64decode(printed["data"])
        if name:
            (artefacts() / f"{name}.pdf").write_bytes(content)
        return content

    def views(self, name):
        """Light, dark, narrow and on paper."""
        self.media(prefers_color_scheme="light")
        self.screenshot(f"{name}-light")
        self.media(prefers_color_scheme="dark")
        self.screenshot(f"{name}-dark")
        self.media(prefers_color_scheme="light")
        self.narrow()
        self.screenshot(f"{name}-narrow")
        self.wide()
        self.media()
        self.pdf(f"{name}-print")

    # axe.

    def findings(self, source):
        """What axe calls serious or critical, one line each."""
        if not self.js("return typeof axe === 'object'"):
            self.js(source + "; window.axe = axe;")
        found = self.driver.execute_async_script(
            "const done = arguments[0];"
            "axe.run(document, {preload: false, resultTypes: ['violations']}).then((r) => done(r.violations), (e) => done(String(e)));"
        )
        if isinstance(found, str):
            raise AssertionError("axe: " + found)
        return [
            f"{one['impact']} {one['id']}: {one['help']}: " + "; ".join(node["html"][:160] for node in one["nodes"][:3])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]

    def saved(self, click, seconds=30):
        """The file that `click` saves: its name and bytes."""
        for old in self.downloads.iterdir():  # one of the same name would be overwritten, and nothing new be seen
            old.unlink()
        click()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            new = [path for path in self.downloads.iterdir() if path.suffix != ".crdownload" and not path.name.startswith(".")]
            if new:
                time.sleep(0.1)  # renamed when complete
                return new[0].name, new[0].read_bytes()
            time.sleep(0.05)
        raise AssertionError("nothing was saved")


def until(condition, what, seconds=30):
    """Waits for something to become true: how long it takes is no property, that it happens is."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            value = condition()
        except Moved:
            value = None  # the page changed while it was looked at
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.05)


class BrowserTest(unittest.TestCase):
    """Tests of one class share a browser; each begins with a wide light window and no memory of what was before."""

    browser = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        needs_browser()
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.browser.wide()
        self.browser.media()
        self.browser.scripts(True)
        self.browser.driver.get("about:blank")
        self.browser.forget()

    def assert_quiet(self, asked=()):
        """Nothing was asked for but `asked`, and nobody complained."""
        self.assertEqual(sorted(set(self.browser.requests())), sorted(set(asked)))
        self.assertEqual(self.browser.complaints(), [])

    def assert_no_overflow(self):
        """Nobody has to scroll sideways to read the page as a whole; a wide table scrolls in its own box."""
        width, inside = self.browser.js("const e = document.documentElement; return [e.scrollWidth, e.clientWidth];")
        if width > inside:
            culprits = self.browser.js(
                "return [...document.body.querySelectorAll('*')]"
                ".filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth && getComputedStyle(e).overflowX === 'visible')"
                ".slice(-3).map((e) => e.outerHTML.slice(0, 120));"
            )
            self.fail(f"{width} px wide in a window of {inside}: {culprits}")

    def assert_accessible(self, source, what):
        """axe has no serious finding, in light and in dark, wide and narrow."""
        for scheme in ("light", "dark"):
            for window in (self.browser.wide, self.browser.narrow):
                self.browser.media(prefers_color_scheme=scheme)
                window()
                with self.subTest(page=what, scheme=scheme, window=window.__name__):
                    self.assertEqual(self.browser.findings(source), [])
        self.browser.wide()
        self.browser.media()


def page_boxes(pdf):
    """Width and height of the pages of a PDF, in points."""
    return [(float(w), float(h)) for w, h in re.findall(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)\s*\]", pdf)]


def main():
    """Runs the tests of the file that calls it, or the classes and tests named on the command line."""
    module = sys.modules["__main__"]
    loader = unittest.TestLoader()
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    for why in sorted({why for _, why in result.skipped}):
        print("skipped: " + why)
    if not result.wasSuccessful() or not (result.testsRun or result.skipped):
        sys.exit(1)
    sys.exit(77 if result.skipped else 0)
