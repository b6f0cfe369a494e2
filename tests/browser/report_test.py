"""Pages that `whynot explain --html` and `whynot experiment run --html` write, as a browser shows them (docs/pages.md)."""
import base64
import csv
import functools
import gzip
import html.parser
import io
import json
import os
import re
import shutil
import time
import types

import browser
from browser import SAMPLES, SCRATCH, BrowserTest, Listener, hostile, page_boxes, records_in, run

BUT_FOR_TIMES = ("--no-times",)  # the same command gives the same bytes


# --- pages, each made once


class Made:
    """A page, and what the program printed when it was made."""

    def __init__(self, name, *arguments, given=b"", codes=(0,), folder=SCRATCH):
        self.path = SCRATCH / f"{name}.html"
        self.arguments, self.given, self.folder = arguments, given, folder
        self.printed = run("explain", *BUT_FOR_TIMES, "--html", self.path, *arguments, given=given, codes=codes, folder=folder).out
        self.text = self.path.read_bytes().decode()

    def again(self):
        run("explain", *BUT_FOR_TIMES, "--html", self.path, *self.arguments, given=self.given, codes=None, folder=self.folder)
        return self.path.read_bytes().decode()

    @functools.cached_property
    def records(self):
        """As --json prints them without a page."""
        return records_in(run("explain", *BUT_FOR_TIMES, "--json", *self.arguments, given=self.given, codes=None, folder=self.folder).out)

    def packed(self):
        """The answers that a list has packed in it."""
        inside = re.search(r'<script type="application/octet-stream" id="answers">([^<]*)</script>', self.text).group(1)
        return json.loads(gzip.decompress(base64.b64decode(inside)))


SENTENCE = "the food was gross and the waiter was rude ."


@functools.lru_cache(None)
def sentence_page():
    return Made("sentence", SENTENCE)


@functools.lru_cache(None)
def image_page():
    return Made("image", SAMPLES / "four.png", "--foil", "9")


def sentences(count):
    """Different ones, up to 1,000, of a small grammar."""
    openings = ["the", "our", "their", "my", "this", "i think the", "honestly the", "again the", "maybe the", "sadly the"]
    nouns = ["food", "service", "staff", "place", "pizza", "coffee", "music", "waiter", "soup", "dessert"]
    says = ["gross", "great", "awful", "nice", "bland", "delicious", "terrible", "friendly", "cold", "fresh"]
    return [f"{openings[i // 100 % 10]} {nouns[i // 10 % 10]} was {says[i % 10]} ." for i in range(count)]


@functools.lru_cache(None)
def list_page(count):
    began = time.monotonic()
    made = Made(f"list-{count}", "--lines", "--json", given="".join(s + "\n" for s in sentences(count)).encode(), codes=(0, 3))
    print(f"{count} sentences: asked in {time.monotonic() - began:.1f} s, page of {len(made.text.encode()) / 1000:.0f} KB")
    return made


# --- what every page keeps to


class Structure(html.parser.HTMLParser):
    """Elements and their attributes, as written."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))


VISIBLE_NUMBERS = (
    "return [...document.querySelectorAll('main td, main li, main svg text')].filter((e) => e.checkVisibility()).map((e) => e.textContent);"
)


class Page:
    """Checks that hold of every page. A class of tests says which page: `made()` has its path and text."""

    name = ""
    a4 = (595, 842)

    def made(self):
        raise NotImplementedError

    def see(self):
        self.address = self.browser.open(self.made().path)

    def test_asks_nobody_and_breaks_no_policy(self):
        for scheme in ("light", "dark"):
            self.browser.media(prefers_color_scheme=scheme)
            self.browser.forget()
            self.see()
            self.assert_quiet([self.address])
        policy = self.browser.js("return document.querySelector('meta[http-equiv=Content-Security-Policy]').content;")
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        self.assertEqual(rules["default-src"], "'none'")
        self.assertEqual(rules["img-src"], "data:")
        for kind in ("script-src", "style-src"):
            self.assertRegex(rules[kind], r"^'sha256-[A-Za-z0-9+/]{43}='$")
        self.assertFalse({"connect-src", "frame-src", "object-src"} & set(rules))

    def test_has_only_elements_that_do_nothing(self):
        structure = Structure(self.made().text)
        for tag, attributes in structure.elements:
            self.assertNotIn(
                tag, {"iframe", "object", "embed", "link", "base", "form", "audio", "video", "source", "foreignobject", "animate", "set"}
            )
            for name, value in attributes.items():
                self.assertFalse(name.startswith("on"), f"<{tag} {name}={value!r}>")
                self.assertNotEqual(name, "style")
                if name in ("src", "href", "srcset", "xlink:href", "action", "poster", "background"):
                    self.assertRegex(value, r"^data:(image/png|image/gif|application/json);base64,[A-Za-z0-9+/=]*$")
        scripts = [attributes.get("type", "") for tag, attributes in structure.elements if tag == "script"]
        self.assertEqual(len(scripts) - scripts.count("application/octet-stream"), 1, scripts)

    def test_fits_a_narrow_window(self):
        self.browser.narrow()
        self.see()
        self.assert_no_overflow()

    def test_prints_on_a4(self):
        self.see()
        boxes = page_boxes(self.browser.pdf())
        self.assertGreater(len(boxes), 0)
        for width, height in boxes:
            self.assertAlmostEqual(width, self.a4[0], delta=2)
            self.assertAlmostEqual(height, self.a4[1], delta=2)
        self.browser.size(718, 1000)  # what is left of A4 between margins of 1 cm
        self.browser.media("print")
        self.assert_no_overflow()
        controls = self.browser.js(
            "return [...document.querySelectorAll('button, select, input')]"
            ".filter((e) => e.checkVisibility() && !e.closest('th')).map((e) => e.outerHTML);"
        )
        self.assertEqual(controls, [], "what only a mouse can use is no part of what is printed")

    def test_nothing_moves_by_itself(self):
        for preference in ("no-preference", "reduce"):
            self.browser.media(prefers_reduced_motion=preference)
            self.see()
            state = (
                "return [document.getAnimations().length, [...document.images].map((i) => i.src.slice(-60) + i.src.length).join(),"
                "[...document.querySelectorAll('input')].map((i) => i.value).join(), document.body.innerText];"
            )
            before = self.browser.js(state)
            time.sleep(1.2)
            self.assertEqual(self.browser.js(state), before)
            self.assertEqual(before[0], 0)

    def test_has_no_picture_that_loops(self):
        """A GIF that repeats itself cannot be paused."""
        for content in re.findall(r"data:image/gif;base64,([A-Za-z0-9+/=]+)", self.made().text):
            self.assertNotIn(b"NETSCAPE2.0", base64.b64decode(content))

    def test_says_what_it_was_made_by(self):
        self.see()
        foot = self.browser.one("footer").text
        self.assertIn("made by", foot)
        self.assertRegex(foot, r"whynot \d+\.\d+\.\d+")
        self.assertRegex(foot, r"pack \S+ \S+, SHA-256 [0-9a-f]{64}")

    def test_views(self):
        self.see()
        self.browser.views(self.name)


class Explained(Page):
    """A page of answers in full."""

    def test_has_the_record(self):
        self.see()
        shown = self.browser.js("return [...document.querySelectorAll('article details pre')].map((e) => e.textContent);")
        links = self.browser.js("return [...document.querySelectorAll('article details a[download]')].map((e) => e.href);")
        self.assertEqual([json.loads(text) for text in shown], self.made().records)
        self.assertEqual([json.loads(base64.b64decode(link.split(",", 1)[1])) for link in links], self.made().records)

    def test_the_record_can_be_saved(self):
        self.see()
        if not self.browser.one("article:first-of-type details").get_attribute("open"):
            self.browser.one("article:first-of-type summary").click()
        name, content = self.browser.saved(self.browser.one("article:first-of-type a[download]").click)
        self.assertEqual(json.loads(content), self.made().records[0])
        self.assertEqual(name, self.made().records[0]["id"] + ".json")

    def test_the_same_command_gives_the_same_bytes(self):
        before = self.made().text
        self.assertEqual(self.made().again(), before)

    def test_meaning_is_not_in_colour_alone(self):
        self.see()
        for media in ({}, {"kind": "print"}, {"prefers_color_scheme": "dark"}, {"forced_colors": "active"}):
            self.browser.media(**media)
            marks = self.browser.js(
                "return [...document.querySelectorAll('del, ins')].map((e) => [e.localName, getComputedStyle(e).textDecorationLine]);"
            )
            for tag, line in marks:
                self.assertEqual(line, "line-through" if tag == "del" else "underline")


class OneSentence(Explained, BrowserTest):
    name = "sentence"

    def made(self):
        return sentence_page()

    def test_shows_the_edits_in_the_sentence(self):
        self.see()
        record = self.made().records[0]
        before = self.browser.js(
            "return [...document.querySelector('.words').childNodes]"
            ".filter((e) => e.localName !== 'ins').map((e) => e.textContent).join('');"
        )
        after = self.browser.js(
            "return [...document.querySelector('.words').childNodes]"
            ".filter((e) => e.localName !== 'del').map((e) => e.textContent).join('');"
        )
        words = lambda text: text.split()
        self.assertEqual(words(before), words(record["text"]["before"]))
        self.assertEqual(words(after), words(record["text"]["answer"]))
        self.assertTrue(record["text"]["edits"])

    def test_shows_the_edits_and_numbers_without_scripts(self):
        self.see()
        numbers, words = self.browser.js(VISIBLE_NUMBERS), self.browser.one(".words").text
        self.browser.scripts(False)
        self.see()
        self.assertEqual(self.browser.one(".words").text, words)
        self.assertEqual(self.browser.js(VISIBLE_NUMBERS), numbers)
        self.assertTrue(self.browser.one("main svg").is_displayed())
        self.browser.screenshot("sentence-without-scripts")

    def test_bars_have_signs(self):
        """What speaks the other way has another colour, and a minus too."""
        self.see()
        bars = self.browser.js(
            "return [...document.querySelectorAll('main svg rect')]"
            ".map((e) => [e.getAttribute('class'), e.nextElementSibling.textContent]);"
        )
        self.assertTrue(bars)
        for kind, number in bars:
            self.assertEqual(kind == "gone", number.startswith(("-", "\u2212")), (kind, number))

    def test_is_small(self):
        self.assertLess(len(self.made().text.encode()), 300_000)

    def test_has_no_address(self):
        self.assertNotRegex(self.made().text, r"(?i)https?://")

    def test_the_record_opens_by_keyboard(self):
        self.see()
        keys = browser.webdriver.common.keys.Keys
        summary = self.browser.one("article details summary")
        self.browser.js("arguments[0].focus();", summary)
        summary.send_keys(keys.ENTER)
        self.assertTrue(self.browser.one("article details pre").is_displayed())


class OneImage(Explained, BrowserTest):
    name = "image"

    def made(self):
        return image_page()

    def test_pictures_have_words(self):
        self.see()
        for alternative in self.browser.js("return [...document.images].map((i) => i.getAttribute('alt'));"):
            self.assertTrue(alternative and alternative.strip())

    def test_pictures_and_numbers_stay_without_scripts(self):
        self.browser.scripts(False)
        self.see()
        self.assertTrue(
            self.browser.js("return [...document.images].every((i) => i.checkVisibility() && i.complete && i.naturalWidth > 0);")
        )
        panels = self.browser.js("return [...document.querySelectorAll('.panels figure')].map((e) => e.textContent);")
        for name in ("input", "boundary", "answer"):
            self.assertTrue(any(panel.startswith(name) for panel in panels), panels)
        self.assertTrue(any("%" in text for text in self.browser.js(VISIBLE_NUMBERS)))
        shown = [e for e in self.browser.find("input, button") if e.is_displayed()]
        self.assertEqual(shown, [], "nothing that needs a script is offered")
        self.browser.screenshot("image-without-scripts")


class Slider(BrowserTest):
    """The way from a picture to its answer, moved by hand."""

    def setUp(self):
        super().setUp()
        self.browser.open(image_page().path)
        self.way = self.browser.one(".way")
        self.slider = self.browser.one("input[type=range]", self.way)
        self.keys = browser.webdriver.common.keys.Keys

    def value(self):
        return int(float(self.slider.get_property("value")))

    def says(self):
        return self.slider.get_attribute("aria-valuetext")

    def pictures(self):
        """What is seen of the pictures in it."""
        return [one.screenshot_as_base64 for one in self.browser.find("img, canvas", self.way) if one.is_displayed()]

    def move(self, value):
        self.browser.js(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', {bubbles: true}));"
            "arguments[0].dispatchEvent(new Event('change', {bubbles: true}));",
            self.slider,
            value,
        )

    def play(self):
        """The button that plays, whatever stands on it."""
        found = [b for b in self.browser.find("button", self.way) if re.search("play|pause|stop", self.name_of(b), re.I)]
        self.assertEqual(len(found), 1)
        return found[0]

    def name_of(self, button):
        return button.accessible_name or button.text

    def ends(self):
        return int(self.slider.get_attribute("min") or 0), int(self.slider.get_attribute("max"))

    def test_says_each_step_in_words(self):
        least, most = self.ends()
        self.assertGreater(most, least + 2)
        said = []
        for step in range(least, most + 1):
            self.move(step)
            said.append(self.says())
            self.assertRegex(
                said[-1],
                rf"^step {step - least + 1} of {most - least + 1}, (\w+, )?4: <?[\d.]+ ?%, 9: <?[\d.]+ ?%$".replace("<?", "[<>]? ?"),
            )
        self.assertTrue(self.slider.accessible_name)

    def test_moving_it_changes_the_picture(self):
        least, most = self.ends()
        seen = []
        for step in (least, (least + most) // 2, most):
            self.move(step)
            seen.append(tuple(self.pictures()))
        self.assertEqual(len(set(seen)), 3)
        self.move(least)
        self.assertEqual(tuple(self.pictures()), seen[0])

    def test_ends_are_the_input_and_the_answer(self):
        record = image_page().records[0]
        for end, moment in zip(self.ends(), ("before", "answer")):
            self.move(end)
            numbers = [float(n) for n in re.findall(r"([\d.]+) ?%", self.says())]
            for number, name in zip(numbers, ("4", "9")):
                self.assertAlmostEqual(number, 100 * record["probabilities"][moment][name], delta=1.0, msg=f"{moment}: {self.says()}")

    def test_keyboard_moves_it(self):
        least, most = self.ends()
        self.move(least)
        self.browser.js("arguments[0].focus();", self.slider)
        before, seen = self.says(), self.pictures()
        self.slider.send_keys(self.keys.ARROW_RIGHT)
        self.assertEqual(self.value(), least + 1)
        self.assertNotEqual(self.says(), before)
        self.slider.send_keys(self.keys.END)
        self.assertEqual(self.value(), most)
        self.assertNotEqual(self.pictures(), seen)
        self.slider.send_keys(self.keys.HOME)
        self.assertEqual(self.value(), least)

    def test_a_mouse_moves_it(self):
        before = self.says()
        box = self.slider.rect
        actions = browser.webdriver.ActionChains(self.browser.driver)
        actions.move_to_element_with_offset(self.slider, int(box["width"] * 0.3), 0).click().perform()
        self.assertNotEqual(self.says(), before)

    def test_plays_only_when_asked_and_can_be_paused(self):
        for preference in ("no-preference", "reduce"):
            self.browser.media(prefers_reduced_motion=preference)
            self.browser.driver.refresh()
            self.way = self.browser.one(".way")
            self.slider = self.browser.one("input[type=range]", self.way)
            least, _ = self.ends()
            time.sleep(1.2)
            self.assertEqual(self.value(), least, "it does not begin by itself")
            button = self.play()
            name = self.name_of(button) + str(button.get_attribute("aria-pressed"))
            button.click()
            browser.until(lambda: self.value() > least, "it plays")
            self.assertNotEqual(self.name_of(button) + str(button.get_attribute("aria-pressed")), name, "the button tells what it does now")
            button.click()
            stopped = self.value()
            time.sleep(1.2)
            self.assertEqual(self.value(), stopped, "it has been paused")
            self.assertEqual(self.name_of(button) + str(button.get_attribute("aria-pressed")), name)

    def test_moving_it_by_hand_pauses(self):
        self.play().click()
        least, _ = self.ends()
        browser.until(lambda: self.value() > least, "it plays")
        self.move(least + 2)
        time.sleep(1.2)
        self.assertEqual(self.value(), least + 2)

    def test_keeps_to_the_policy(self):
        self.play().click()
        browser.until(lambda: self.value() == self.ends()[1], "it comes to the end")
        self.assertEqual(self.browser.complaints(), [])
        self.browser.screenshot("slider-at-its-end")

    def test_paper_has_the_steps_as_pictures(self):
        self.browser.media("print")
        self.assertFalse(self.slider.is_displayed())
        self.assertGreater(len([i for i in self.browser.find("img", self.way) if i.is_displayed()]), 2)

    def test_a_list_has_it_too(self):
        names = [SAMPLES / f"{name}.png" for name in ("three", "four", "six", "seven", "nine", "zero")]
        copies = []
        for i in range(9):
            copies.append(SCRATCH / f"digit-{i}.png")
            shutil.copy(names[i % len(names)], copies[-1])
        self.browser.open(Made("list-of-images", *copies, codes=(0, 3)).path)
        self.browser.find("table.list button.open")[0].click()
        slider = browser.until(lambda: self.browser.find(".way input[type=range]"), "the answer with its slider")[0]
        self.assertTrue(slider.get_attribute("aria-valuetext").startswith("step 1 of"))
        self.browser.views("list-of-images")
        self.assertEqual(self.browser.complaints(), [])


class Listed(Page):
    """A page of more answers than stand in full."""

    count = 0

    def made(self):
        return list_page(self.count)

    def rows(self):
        """Of the list: number, what is sorted by, whether it is seen."""
        return self.browser.js(
            "return [...document.querySelectorAll('table.list > tbody > tr[data-status]')].map((r) => ({"
            "number: Number(r.cells[0].dataset.value), pair: r.dataset.pair, status: r.dataset.status,"
            "cells: [...r.cells].map((c) => c.dataset.value ?? c.textContent), text: r.textContent, seen: r.checkVisibility()}));"
        )

    def head(self, name):
        return next(b for b in self.browser.find("table.list thead button") if b.text == name)

    def assert_sorted(self, column, kind, down=False):
        cells = [row["cells"][column] for row in self.rows()]
        if kind is float:
            values = [float(c) for c in cells]
            self.assertEqual(values, sorted(values, reverse=down))
        else:
            # In the order of the reader's language, which the browser knows.
            self.assertEqual(
                cells, self.browser.js("return arguments[0].sort((a, b) => a.localeCompare(b) * (arguments[1] ? -1 : 1));", cells, down)
            )
        self.assertEqual(self.head_sorting(column), "descending" if down else "ascending")

    def head_sorting(self, column):
        sorting = self.browser.js("return [...document.querySelectorAll('table.list thead th')].map((t) => t.getAttribute('aria-sort'));")
        self.assertEqual(len([s for s in sorting if s]), 1, "one column says that it is sorted by")
        return sorting[column]

    def test_lists_every_answer(self):
        self.see()
        rows = self.rows()
        self.assertEqual([row["number"] for row in rows], list(range(1, self.count + 1)))
        self.assertTrue(all(row["seen"] for row in rows))
        self.assertIn(f"{self.count} of {self.count}", self.browser.one("[role=status]").text)

    def test_has_the_records(self):
        self.assertEqual([answer["record"] for answer in self.made().packed()], records_in(self.made().printed))

    def test_saves_the_records(self):
        self.see()
        button = next(b for b in self.browser.find("button") if "save the records" in b.text)
        _, content = self.browser.saved(button.click)
        self.assertEqual(len(content.decode().strip("\n").split("\n")), self.count)
        self.assertEqual(records_in(content), records_in(self.made().printed))
        self.assert_quiet([self.address])

    def test_saves_tables(self):
        self.see()
        records = records_in(self.made().printed)
        _, content = self.browser.saved(next(b for b in self.browser.find("button") if "CSV" in b.text).click)
        head, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
        self.assertEqual([row[head.index("input")] for row in rows], [record["question"]["input"] for record in records])
        self.assertEqual([row[head.index("foil")] for row in rows], [record["question"]["foil"] for record in records])
        _, content = self.browser.saved(next(b for b in self.browser.find("button") if "LaTeX" in b.text).click)
        self.assertEqual(content.decode("utf-8").count(" \\\\\n"), 1 + self.count)
        self.assert_quiet([self.address])

    def test_sorts_by_mouse_and_keyboard(self):
        keys = browser.webdriver.common.keys.Keys
        self.see()
        columns = [("no.", 0, float), ("fact", 1, str), ("status", 3, str), ("answer is foil", 4, float), ("answer", 5, str)]
        for name, column, kind in columns:
            if name != "no.":
                self.head(name).click()
                self.assert_sorted(column, kind)
            self.head(name).send_keys(keys.ENTER if name != "no." else keys.SPACE)
            self.assert_sorted(column, kind, down=name != "no.")
        self.head("no.").click()
        if self.head_sorting(0) == "descending":
            self.head("no.").click()
        self.assertEqual([row["number"] for row in self.rows()], list(range(1, self.count + 1)))

    def test_filters(self):
        self.see()
        pairs = self.browser.one("#pair")
        wanted = self.rows()[0]["pair"]
        self.browser.choose(pairs, wanted)
        seen = [row for row in self.rows() if row["seen"]]
        self.assertEqual([row["number"] for row in seen], [row["number"] for row in self.rows() if row["pair"] == wanted])
        self.assertIn(f"{len(seen)} of {self.count}", self.browser.one("[role=status]").text)
        self.browser.choose(pairs, "")
        self.assertTrue(all(row["seen"] for row in self.rows()))
        words = self.browser.one("input[type=search]")
        words.send_keys("SERVICE")
        seen = [row for row in self.rows() if row["seen"]]
        self.assertEqual([row["number"] for row in seen], [row["number"] for row in self.rows() if "service" in row["text"].lower()])
        self.assertTrue(0 < len(seen) < self.count)
        self.assertIn(f"{len(seen)} of {self.count}", self.browser.one("[role=status]").text)
        words.send_keys("no such word")
        self.assertFalse(any(row["seen"] for row in self.rows()))
        self.browser.screenshot(f"{self.name}-filtered-to-none")

    def test_opens_answers_by_mouse_and_keyboard(self):
        keys = browser.webdriver.common.keys.Keys
        self.see()
        answers = self.made().packed()
        buttons = self.browser.find("table.list tbody button.open")
        self.assertEqual(len(buttons), self.count)
        for index, press in (
            (0, lambda b: b.click()),
            (2, lambda b: b.send_keys(keys.ENTER)),
            (self.count - 1, lambda b: b.send_keys(keys.SPACE)),
        ):
            button = buttons[index]
            self.assertEqual(button.get_attribute("aria-expanded"), "false")
            press(button)
            browser.until(lambda: button.get_attribute("aria-expanded") == "true", "the answer opens")
            opened = self.browser.js("return arguments[0].closest('tr').nextElementSibling.textContent;", button)
            expected = self.browser.js(
                "const e = document.createElement('template'); e.innerHTML = arguments[0]; return e.content.textContent;",
                f"<h2>{answers[index]['title']}</h2>{answers[index]['article']}",
            )
            self.assertEqual(opened.strip(), expected.strip())
        # Sorted and filtered an open answer stays below its row.
        self.head("answer is foil").click()
        self.assertIn("gave way", self.browser.js("return arguments[0].closest('tr').nextElementSibling.textContent;", buttons[0]))
        self.browser.one("input[type=search]").send_keys("no such word")
        self.assertFalse(
            self.browser.js("return [...document.querySelectorAll('table.list > tbody > tr')].some((r) => r.checkVisibility());")
        )
        self.browser.one("input[type=search]").clear()
        self.browser.one("input[type=search]").send_keys(" ", keys.BACKSPACE)
        buttons[0].click()
        self.assertEqual(buttons[0].get_attribute("aria-expanded"), "false")
        self.assertFalse(self.browser.js("return arguments[0].closest('tr').nextElementSibling.checkVisibility();", buttons[0]))
        self.assert_quiet([self.address])

    def test_shows_the_answers_without_scripts(self):
        self.browser.scripts(False)
        self.see()
        self.assertEqual(len([row for row in self.rows() if row["seen"]]), self.count)
        shown = self.browser.js(
            "return [...document.querySelectorAll('select, input, button')].filter((e) => e.checkVisibility() && !e.closest('th')).length;"
        )
        self.assertEqual(shown, 0, "nothing that needs a script is offered")
        self.browser.screenshot(f"{self.name}-without-scripts")

    def test_prints_without_filters(self):
        self.see()
        self.browser.media("print")
        self.assertFalse(any(e.is_displayed() for e in self.browser.find("select, input, .filters")))
        self.assertTrue(all(row["seen"] for row in self.rows()))

    def test_meaning_is_not_in_colour_alone(self):
        self.see()
        self.assertTrue(
            self.browser.js(
                "return [...document.querySelectorAll('del')].every((e) => getComputedStyle(e).textDecorationLine === 'line-through');"
            )
        )
        self.assertTrue(
            self.browser.js(
                "return [...document.querySelectorAll('ins')].every((e) => getComputedStyle(e).textDecorationLine === 'underline');"
            )
        )


class ListOf20(Listed, BrowserTest):
    name, count = "list-20", 20

    def test_the_same_command_gives_the_same_bytes(self):
        before = self.made().text
        self.assertEqual(self.made().again(), before)


class LongList(Listed, BrowserTest):
    """200 answers; WHYNOT_LONG_LIST=1000 makes it as many as a page is meant for, which takes minutes."""

    name, count = "long-list", int(os.environ.get("WHYNOT_LONG_LIST", "200"))

    def test_how_long_it_takes(self):
        """Tells, and asserts nothing: machines differ."""
        began = time.monotonic()
        self.see()
        loaded = time.monotonic()
        self.browser.find("table.list tbody button.open")[0].click()
        browser.until(lambda: self.browser.find("button[aria-expanded=true]"), "the first answer opens")
        opened = time.monotonic()
        self.head("answer").click()
        self.head_sorting(5)
        done = time.monotonic()
        print(
            f"{self.count} answers: loaded in {loaded - began:.2f} s, first opened in {opened - loaded:.2f} s, "
            f"sorted in {done - opened:.2f} s"
        )


# --- strangers

SEEN_BY_MARKUP = """
const found = [];
for (const e of document.querySelectorAll('*')) {
  for (const a of e.attributes) if (a.name.startsWith('on')) found.push(e.outerHTML.slice(0, 100));
  const isOdd = ['iframe', 'object', 'embed', 'link', 'base', 'form', 'b'].includes(e.localName);
  if (isOdd && !e.closest('figcaption, .note')) found.push(e.outerHTML.slice(0, 100));
  if (e.localName === 'img' && !e.getAttribute('src').startsWith('data:image/')) found.push(e.outerHTML.slice(0, 100));
  if (e.localName === 'a' && !e.href.startsWith('data:application/json;')) found.push(e.outerHTML.slice(0, 100));
}
return found;
"""


class Hostile(BrowserTest):
    """Whatever somebody typed is shown, and does nothing."""

    def setUp(self):
        super().setUp()
        self.listener = Listener()
        self.addCleanup(self.listener.close)

    def assert_inert(self, address):
        time.sleep(0.3)  # for what would begin late
        self.assertEqual(
            self.browser.js(
                "return [typeof window.ran, document.querySelectorAll('script').length <= 2, document.querySelectorAll('style').length];"
            ),
            ["undefined", True, 1],
        )
        self.assertEqual(self.browser.js(SEEN_BY_MARKUP), [])
        self.assertEqual(self.listener.visits, [])
        self.assert_quiet([address])
        self.assertTrue(self.browser.one("footer").is_displayed())

    def open_everything(self):
        self.browser.js("document.querySelectorAll('details').forEach((d) => { d.open = true; });")
        for button in self.browser.find("table.list tbody button.open"):
            button.click()
            browser.until(lambda: button.get_attribute("aria-expanded") == "true", "the answer opens")

    def shown(self, selector):
        return self.browser.js("return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent);", selector)


class HostileSentences(Hostile):
    def test_in_full(self):
        """Eight at most stand in full."""
        asked = hostile(self.listener.port)
        for first in range(0, len(asked), 8):
            part = asked[first : first + 8]
            with self.subTest(sentences=first):
                made = Made(f"hostile-{first}", *part, codes=(0, 3))
                self.browser.forget()
                address = self.browser.open(made.path)
                self.open_everything()
                self.assert_inert(address)
                self.assert_no_overflow()
                records = [json.loads(text) for text in self.shown("article details pre")]
                self.assertEqual(records, made.records)
                for article, record, sentence in zip(self.shown_before_the_edits(), records, part):
                    self.assertEqual(record["question"]["input"], sentence)
                    # The model takes words and marks apart and puts them together with other spaces between.
                    text = (record.get("text") or {}).get("before") or sentence
                    if "-[" in text:
                        continue  # test_typed_marks_are_no_edits
                    self.assertIn("".join(self.as_shown(text).split()), "".join(article.split()))
                self.browser.narrow()
                self.assert_no_overflow()
                self.browser.screenshot(f"hostile-{first}")
                self.browser.forget()

    def test_typed_marks_are_no_edits(self):
        """Somebody may type what the program marks edits with."""
        made = Made("typed-marks", "the -[food]- was +[really]+ gross .")
        self.browser.open(made.path)
        edits = made.records[0]["text"]["edits"]
        for selector, side in (("article .words del", "from"), ("article .words ins", "to")):
            self.assertEqual([text.strip() for text in self.shown(selector)], [edit[side] for edit in edits if edit[side]])
        before = self.browser.js(
            "const copy = document.querySelector('article .words').cloneNode(true);"
            "copy.querySelectorAll('ins').forEach((i) => i.remove()); return copy.textContent;"
        )
        self.assertEqual("".join(before.split()), "".join(made.records[0]["text"]["before"].split()))

    def test_in_a_list(self):
        # A line cannot hold an end of line, nor is one a line's end that a terminal does not know.
        asked = [sentence for sentence in hostile(self.listener.port) if "\n" not in sentence]
        made = Made("hostile-list", "--lines", "--json", given="".join(s + "\n" for s in asked).encode("utf-8"), codes=(0, 3))
        address = self.browser.open(made.path)
        self.open_everything()
        self.assert_inert(address)
        records = records_in(made.printed)
        self.assertEqual(len(records), len(asked))
        for row, record, sentence in zip(self.shown("table.list > tbody > tr[data-status] td.text"), records, asked):
            self.assertEqual(record["question"]["input"], sentence)
            if not (record.get("text") or {}).get("edits"):
                self.assertEqual(row.strip(), self.as_shown(record["question"]["input"]).strip())
        self.browser.narrow()
        self.assert_no_overflow()
        self.browser.screenshot("hostile-list")
        self.browser.forget()
        _, content = self.browser.saved(next(b for b in self.browser.find("button") if "save the records" in b.text).click)
        self.assertEqual(records_in(content), records)

    def shown_before_the_edits(self):
        return self.browser.js(
            "return [...document.querySelectorAll('article')].map((e) => {"
            "const copy = e.cloneNode(true); copy.querySelectorAll('ins, details').forEach((i) => i.remove()); return copy.textContent; });"
        )

    @staticmethod
    def as_shown(text):
        """Control characters are written out, since a page cannot hold them."""
        return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", lambda c: f"\\u{ord(c.group()):04x}", text)

    def test_what_is_not_utf_8_is_refused_and_shown_harmlessly(self):
        lines = [b"the food was gross .", b"the food was \xed\xa0\x80 gross .", b"the food was \xff\xfe<script>window.ran=1</script> ."]
        made = Made("not-utf-8", "--lines", "--json", given=b"\n".join(lines) + b"\n", codes=(0, 3))
        address = self.browser.open(made.path)
        self.open_everything()
        self.assert_inert(address)
        records = records_in(made.printed)
        self.assertEqual(len(records), 3)
        self.assertEqual(records[0]["status"], "found")
        for record in records[1:]:
            self.assertNotEqual(record["status"], "found")
            self.assertTrue(record["reason"])


class HostileFiles(Hostile):
    NAMES = [
        '"><img src=x onerror=window.ran=1>.png',
        "a'b\"c`d.png",
        "x<svg onload=window.ran=1>.png",
        "\u202egnp.four",
        "four --> <!-- .png",
        "]]>.png",
        "line\nbreak.png",
        "&lt;b&gt;.png",
        "\u2028\u2029.png",
        "-->--html.png",
        "%3Cscript%3E.png",
        "..png",
    ]

    def pictures(self, names):
        folder = SCRATCH / "hostile-files"
        folder.mkdir(exist_ok=True)
        for name in names:
            shutil.copy(SAMPLES / "four.png", os.path.join(os.fsencode(folder), name if isinstance(name, bytes) else name.encode()))
        return folder

    def test_names_in_full(self):
        for first in (0, 6):
            part = self.NAMES[first : first + 6]
            made = Made(f"files-{first}", "--pack", "mnist", "--foil", "9", "--", *part, folder=self.pictures(part), codes=(0, 3))
            address = self.browser.open(made.path)
            self.open_everything()
            self.assert_inert(address)
            records = [json.loads(text) for text in self.shown("article details pre")]
            self.assertEqual([record["question"]["input"]["path"] for record in records], part)
            for article, name in zip(self.shown("article"), part):
                self.assertIn(HostileSentences.as_shown(name).replace("\n", ""), article.replace("\n", ""))
            self.assert_no_overflow()
            self.browser.screenshot(f"files-{first}")
            self.browser.forget()

    def test_names_in_a_list(self):
        made = Made("files-list", "--pack", "mnist", "--foil", "9", "--", *self.NAMES, folder=self.pictures(self.NAMES), codes=(0, 3))
        address = self.browser.open(made.path)
        self.open_everything()
        self.assert_inert(address)
        for text, name in zip(self.shown("table.list > tbody > tr[data-status] td.text"), self.NAMES):
            self.assertEqual(text.strip(" "), HostileSentences.as_shown(name))
        self.browser.views("files-list")

    def test_a_name_that_is_not_utf_8(self):
        name = b"four\xff<img src=x onerror=window.ran=1>.png"
        made = Made("file-not-utf-8", "--pack", "mnist", "--foil", "9", "--", name, folder=self.pictures([name]), codes=(0, 1, 3))
        address = self.browser.open(made.path)
        self.open_everything()
        self.assert_inert(address)

    def test_a_command_that_is_hostile_stands_in_the_foot(self):
        """The page's own name is part of the command that it shows."""
        path = SCRATCH / 'x"><script>window.ran=1<'  # a name of a file has no slash, so this script never ends
        run("explain", SENTENCE, "--html", path)
        copy = SCRATCH / "foot.html"
        shutil.copy(path, copy)
        address = self.browser.open(copy)
        self.assert_inert(address)
        self.assertIn("<script>window.ran=1<", self.browser.find("footer code")[0].text)


# --- experiments


class Experiment(Page, BrowserTest):
    """The page of an experiment, the quickest one."""

    name = "experiment"

    @staticmethod
    @functools.lru_cache(None)
    def result():
        if not os.environ.get("WHYNOT_CORPORA"):
            browser.skip("WHYNOT_CORPORA is not set, and the quickest experiment needs the corpus yelp")
        path = SCRATCH / "experiment.html"
        run("experiment", "run", "text/word-images", "--quick", "--out", SCRATCH / "experiment", "--html", path)
        return types.SimpleNamespace(path=path, text=path.read_bytes().decode())

    def made(self):
        return self.result()


# --- axe


class Accessible(BrowserTest):
    """axe has no serious finding."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.axe = browser.axe_source()

    def test_sentence(self):
        self.browser.open(sentence_page().path)
        self.browser.js("document.querySelectorAll('details').forEach((d) => { d.open = true; });")
        self.assert_accessible(self.axe, "sentence")

    def test_image(self):
        self.browser.open(image_page().path)
        self.browser.js("document.querySelectorAll('details').forEach((d) => { d.open = true; });")
        self.assert_accessible(self.axe, "image")

    def test_list(self):
        self.browser.open(list_page(20).path)
        for button in self.browser.find("table.list tbody button.open")[:2]:
            button.click()
            browser.until(lambda: button.get_attribute("aria-expanded") == "true", "the answer opens")
        self.assert_accessible(self.axe, "list")

    def test_refusals(self):
        self.browser.open(Made("refused", "xqzt", "", SENTENCE, codes=(0, 3)).path)
        self.assert_accessible(self.axe, "refused")


if __name__ == "__main__":
    browser.main()
