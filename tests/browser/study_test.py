"""Whole participants of a study in a real browser, one in each arm (docs/study.md): by mouse and by keyboard, with a reload on the way."""
import hashlib
import json
import pathlib
import struct
import subprocess
import tempfile
import zlib

import browser
from browser import BrowserTest, until

ARMS = ["none", "map", "morph", "edit", "grid", "words", "edits"]
CLASSES = ["Ternal", "Peat"]
SCREEN = "document.querySelector('main').innerText + document.querySelector('progress')?.value"


def png(shade):
    """A picture of 8 x 8 points."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + bytes((shade * (x + y)) % 256 for x in range(8)) for y in range(8))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def made_up(folder):
    """A study with an arm for each kind of explanation."""
    files, stimuli = {}, {}

    def picture(name, shade):
        content = png(shade)
        (folder / name).write_bytes(content)
        files[name] = hashlib.sha256(content).hexdigest()
        return name

    for i in range(6):
        name = f"s{i}"
        stimuli[name] = {
            "picture": picture(f"{name}.png", 3 + 7 * i), "model": CLASSES[i % 2], "margin": 1.0,
            "edited": {"picture": picture(f"{name}-edited.png", 5 + 11 * i), "model": CLASSES[i // 2 % 2]},
            "explanations": {
                "map": {"picture": picture(f"{name}-map.png", 2 + 5 * i)},
                "edit": {"picture": picture(f"{name}-edit.png", 4 + 3 * i)},
                "morph": {"steps": [picture(f"{name}-{k}.png", 1 + k + 7 * i) for k in range(4)], "says": [f"step {k + 1} of 4: Ternal {k} %" for k in range(4)]},
                "words": {"parts": [["first", 1.5], ["second", -0.5]]},
                "edits": {"line": "it was -[good]- +[<b>bad</b>]+ ."},
            },
        }
    trials = {"kind": "trials", "ask": "class", "feedback": False, "explain": False, "confidence": False}
    design = {
        "schema": "whynot.study/1", "title": "A study in a browser", "seed": 1, "block": len(ARMS),
        "classes": [{"name": CLASSES[0], "of": "a"}, {"name": CLASSES[1], "of": "b"}],
        "arms": [{"id": f"arm-{kind}", "explanation": kind} for kind in ARMS],
        "steps": [
            {"id": "consent", "kind": "text", "title": "Before", "text": "One.\n\n<img src=x onerror=alert(1)>", "button": "I agree"},
            {"id": "questions", "kind": "questions", "title": "First", "questions": [{"id": "q", "text": "What counts?", "choices": ["This", "That"], "right": 0}]},
            {**trials, "id": "learning", "items": ["s0", "s1"], "feedback": True, "explain": True},
            {**trials, "id": "test", "items": ["s2", "s3"], "confidence": True},
            {**trials, "id": "after", "items": ["s4"], "ask": "after-edit"},
            {"id": "rating", "kind": "scale", "title": "Last", "points": 5, "low": "no", "high": "yes", "statements": [{"id": "good", "text": "It was good."}]},
        ],
        "stimuli": stimuli, "grid": {CLASSES[0]: ["s0", "s2"], CLASSES[1]: ["s1", "s3"]}, "exclude": {},
        "completion": {"code": "CODE77", "url": ""}, "analysis": {"measure": "test", "comparisons": [["arm-morph", "arm-none"]]}, "files": files,
    }
    (folder / "study.json").write_text(json.dumps(design), encoding="utf-8")


class StudyTest(BrowserTest):
    """Tests of one class share a study, its server and a browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="whynot-study-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        made_up(cls.folder)
        cls.server = subprocess.Popen(
            [browser.program(), "study", "serve", str(cls.folder), "--port", "0", "--json", "--end-with-input"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        cls.addClassCleanup(cls.server.wait)
        cls.addClassCleanup(cls.server.stdout.close)
        cls.addClassCleanup(cls.server.stdin.close)
        cls.url = json.loads(cls.server.stdout.readline())["url"]
        cls.keys = browser.webdriver.common.keys.Keys

    def come(self):
        """A new participant: another tab's memory would bring the last one back."""
        self.browser.driver.get(self.url + "study.css")
        self.browser.js("sessionStorage.clear()")
        self.browser.driver.get(self.url)
        self.ready()

    def ready(self, after=None):
        def ready_screen():  # both at one moment
            return self.browser.js(f"return document.querySelector('main').dataset.ready === 'yes' ? {SCREEN} : null")

        until(lambda: ready_screen() not in (None, after), "the next screen takes answers")

    def screen(self):
        return self.browser.js(f"return {SCREEN}")

    def code(self):
        """What is shown at the end, else nothing."""
        return self.browser.js("return document.querySelector('main.end input')?.value")

    def choose_all(self):
        """One answer to whatever has to be chosen beside the buttons."""
        self.browser.js(
            "for (const set of document.querySelectorAll('main fieldset')) set.querySelector('input[type=radio]')?.click();"
        )

    def forward(self, choice=0):
        """Answers the screen by mouse. @return False at the end"""
        if self.code():
            return False
        choices = self.browser.find("main.trial .choice")
        before = self.screen()
        if choices:
            choices[choice].click()
        rest = self.browser.find("main.trial form button.main" if choices else "main button.main")
        if rest:  # after a choice: how sure one is
            self.choose_all()
            before = self.screen()
            rest[0].click()
        self.ready(before)
        return True

    def events(self):
        with open(self.folder / "data" / "log.jsonl", encoding="utf-8") as file:
            return [json.loads(line) for line in file]


class Participants(StudyTest):
    def test_each_arm_comes_to_its_end(self):
        for _ in ARMS:
            self.come()
            screens = 0
            while self.forward():
                for slider in self.browser.find("main input[type=range]"):
                    slider.send_keys(self.keys.END)
                screens += 1
                self.assertLess(screens, 40, "it never ends")
            self.assertEqual(self.code(), "CODE77")
            # A style sheet that is opened by itself (`come`) has no icon, and the browser looks for one.
            self.assertEqual([one for one in self.browser.complaints() if "favicon" not in one], [])
        begun = {event["participant"]: event["arm"] for event in self.events() if event["event"] == "begin"}
        ended = {event["participant"] for event in self.events() if event["event"] == "end"}
        self.assertEqual(sorted(begun[who] for who in ended), sorted(f"arm-{kind}" for kind in ARMS))
        for who in ended:
            answers = [event for event in self.events() if event["event"] == "answer" and event["participant"] == who]
            self.assertEqual([event["seq"] for event in answers], list(range(len(answers))))
            self.assertTrue(all(event["seconds"] > 0 for event in answers))
            rated = [event for event in answers if "confidence" in event]
            self.assertTrue(rated and all(0 < event["choice_seconds"] <= event["seconds"] for event in rated))
            # The first step of the morph and the last; of other explanations there are none.
            seen = {event.get("steps_seen") for event in answers if event["kind"] == "feedback"}
            self.assertEqual(seen, {2} if begun[who] == "arm-morph" else {None})


class Places(StudyTest):
    def test_reload_and_back_show_the_same_screen(self):
        self.come()
        self.forward()
        self.forward()
        before = self.browser.js("return document.querySelector('main img')?.src")
        self.assertTrue(before)
        self.browser.driver.refresh()
        self.ready()
        self.assertEqual(self.browser.js("return document.querySelector('main img')?.src"), before)
        self.assertTrue([event for event in self.events() if event["event"] == "reload"])

    def test_nothing_is_saved_before_somebody_agrees(self):
        before = len(self.events())
        self.come()
        self.assertEqual(self.browser.js("return location.hash"), "")
        self.browser.js("[...document.querySelectorAll('main button')].find((b) => b.textContent.includes('not agree')).click()")
        until(lambda: "Nothing about you was saved" in self.screen(), "the study takes no for an answer")
        self.assertEqual(len(self.events()), before)
        self.come()
        self.forward()
        self.assertRegex(self.browser.js("return location.hash"), r"^#p=\w+$")
        self.assertEqual([event["event"] for event in self.events()[before:]], ["begin", "answer"])

    def test_withdrawing_at_the_end(self):
        self.come()
        while self.forward():
            pass
        text = self.browser.js("return document.querySelector('main').innerText")
        who = next(event["participant"] for event in reversed(self.events()) if event["event"] == "end")
        self.assertIn(who, text)
        self.browser.js("document.getElementById('withdraw').click(); document.querySelector('dialog button[value=delete]').click()")
        until(lambda: who not in (self.folder / "data" / "log.jsonl").read_text(), "it is deleted")

    def test_nothing_of_a_text_is_markup(self):
        self.come()
        self.assertIn("<img src=x onerror=alert(1)>", self.browser.js("return document.querySelector('main').innerText"))
        self.assertEqual(self.browser.complaints(), [])

    def test_withdrawing_with_deletion_leaves_nothing(self):
        self.come()
        self.forward()
        who = self.browser.js("return location.hash").removeprefix("#p=")
        self.browser.js("[...document.querySelectorAll('footer button')].find((b) => b.textContent.includes('Withdraw')).click()")
        self.browser.js("document.querySelector('dialog button[value=delete]').click()")
        until(lambda: who not in (self.folder / "data" / "log.jsonl").read_text(), "it is deleted")

    def test_by_keyboard(self):
        self.come()
        self.forward()
        self.forward()
        before = self.screen()
        self.browser.one("body").send_keys("1")
        self.ready(before)
        self.assertIn("The computer calls this", self.screen())


class StudyAccessible(StudyTest):
    def test_axe(self):
        axe = browser.axe_source()
        for arm in range(len(ARMS)):
            self.come()
            feedbacks = 0
            while True:
                with self.subTest(screen=self.screen()[:60]):
                    self.assertEqual(self.browser.findings(axe), [])
                    self.assert_no_overflow()
                feedbacks += "The computer calls this" in self.screen()
                # What differs from arm to arm is what is explained; the rest is the same for everybody.
                if (arm > 0 and feedbacks == 1) or not self.forward():
                    break
        self.browser.media(prefers_color_scheme="dark")
        self.browser.narrow()
        self.come()
        while True:
            self.assertEqual(self.browser.findings(axe), [])
            self.assert_no_overflow()
            self.browser.screenshot(f"study-{len(self.events())}")
            if not self.forward():
                break


if __name__ == "__main__":
    browser.main()
