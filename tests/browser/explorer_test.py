"""The explorer of `whynot serve` as a person uses it, and as others would like to use it (docs/serve.md)."""
import base64
import csv
import http.server
import io
import json
import re
import shutil
import threading
import time
import xml.etree.ElementTree

import browser
from browser import SAMPLES, SCRATCH, BrowserTest, Listener, hostile, until
from serving import Server

SENTENCE = "the food was gross ."
LONG = " and ".join(
    f"the {noun} was really {says}"
    for noun, says in zip(
        ["food", "service", "staff", "place", "pizza", "coffee", "music", "waiter"],
        ["gross", "slow", "rude", "dirty", "cold", "bitter", "loud", "late"],
    )
)


class ExplorerTest(BrowserTest):
    """Tests of one class share a server and a browser; each begins with the page as it is opened."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = Server("--port", "0", as_json=False)
        cls.addClassCleanup(cls.server.kill)
        cls.origin = re.match(r"http://[^/]+", cls.server.url).group(0)
        cls.keys = browser.webdriver.common.keys.Keys

    def setUp(self):
        super().setUp()
        self.enter()

    def enter(self, address=None):
        self.browser.driver.get(address or self.server.url)
        until(lambda: self.browser.find("option", self.field("Pack")), "the packs are there")

    def ready(self):
        """What the page does by itself when it opens is done."""
        until(lambda: self.browser.find("button", self.group("Begin with one of these")), "samples are there", 120)

    # Finding by what a person reads.

    def by_path(self, path, within=None):
        return (within or self.browser.driver).find_elements("xpath", path)

    def field(self, label, within=None):
        found = self.by_path(
            f".//label[contains(normalize-space(.), {json.dumps(label)})]//*[self::input or self::select or self::textarea]", within
        )
        if len(found) != 1:
            raise AssertionError(f"expected one field {label!r}, found {len(found)}")
        return found[0]

    def button(self, text, within=None):
        # In one step: the page may change between two.
        found = self.browser.js(
            "return [...(arguments[1] ?? document).querySelectorAll('button')]"
            ".find((b) => b.checkVisibility() && (b.ariaLabel ?? b.textContent).includes(arguments[0])) ?? null;",
            text,
            within,
        )
        if found is None:
            raise AssertionError(f"no button {text!r}")
        return found

    def group(self, name):
        return self.by_path(f"//*[@aria-labelledby=//*[normalize-space(.)={json.dumps(name)}]/@id]")[0]

    def says(self):
        return self.group("What the classifier says")

    def cards(self):
        return [c for c in self.browser.find("#results > *, [aria-label=answers] > *") if c.is_displayed()]

    def alerts(self):
        return [a.text for a in self.browser.find("[role=alert]") if a.is_displayed()]

    def status(self):
        return " ".join(s.text for s in self.browser.find("form [role=status]"))

    # Doing what a person does.

    def type(self, text):
        area = self.field("A sentence")
        area.clear()
        if len(text) < 300 and all(ord(c) < 0xFFFF and c.isprintable() for c in text):
            area.send_keys(text)
        else:  # what nobody types is pasted
            self.browser.js(
                "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', {bubbles: true}));", area, text
            )

    def answered(self, before):
        """The newest answer, once there is one that was not there."""

        def new():
            if self.alerts():
                raise AssertionError(self.alerts())
            return [card for card in self.cards() if card.id not in before]

        return until(new, "an answer", 180)[0]

    def ask(self, text=None):
        if text is not None:
            self.type(text)
        before = {card.id for card in self.cards()}
        self.button("Ask about").click()
        return self.answered(before)

    def record_of(self, card):
        _, content = self.browser.saved(self.button("Save record", card).click)
        return json.loads(content)

    def choose_picture(self, path=SAMPLES / "four.png"):
        self.field("Or a picture").send_keys(str(path))
        until(lambda: self.browser.find("#picture canvas")[0].is_displayed(), "the picture is shown")

    def assert_asks_only_itself(self):
        for url in self.browser.requests():
            self.assertTrue(url.startswith(self.origin + "/") or url == "about:blank", url)


class Opening(ExplorerTest):
    def test_is_let_in_and_leaves_no_token_behind(self):
        self.browser.cdp("Network.clearBrowserCookies")
        self.enter()
        self.ready()
        self.assertEqual(self.browser.js("return [location.href, document.referrer, document.cookie];"), [self.origin + "/", "", ""])
        self.assertNotIn(
            self.server.token,
            self.browser.js("return document.documentElement.outerHTML + JSON.stringify({...localStorage, ...sessionStorage});"),
        )
        cookies = self.browser.cdp("Network.getAllCookies")["cookies"]
        self.assertEqual(len(cookies), 1)
        self.assertEqual((cookies[0]["httpOnly"], cookies[0]["sameSite"], cookies[0]["session"]), (True, "Strict", True))

    def test_asks_only_itself_and_breaks_no_policy(self):
        self.ready()
        self.assert_asks_only_itself()
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual([answer for answer in self.browser.answers() if answer[0] >= 400], [])
        self.browser.views("explorer-opened")

    def test_without_a_token_it_says_what_to_do(self):
        self.browser.cdp("Network.clearBrowserCookies")
        self.browser.driver.get(self.origin + "/")
        self.assertIn("whynot serve", self.browser.js("return document.documentElement.textContent;"))
        self.assertNotIn(self.server.token, self.browser.driver.page_source)

    def test_a_page_whose_program_was_started_again_says_so(self):
        self.ready()
        self.browser.cdp("Network.clearBrowserCookies")
        self.type(SENTENCE)
        self.button("Ask about").click()
        until(self.alerts, "it says so")
        self.assertIn("whynot serve", " ".join(self.alerts()))
        self.browser.views("explorer-token-gone")

    def test_a_program_that_has_ended(self):
        other = Server("--port", "0", as_json=False)
        self.addCleanup(other.kill)
        self.enter(other.url)
        self.ready()
        other.interrupt()
        other.ended()
        self.type(SENTENCE)
        self.button("Ask about").click()
        until(self.alerts, "it says so")
        self.assertIn("whynot serve", " ".join(self.alerts()))
        self.browser.screenshot("explorer-program-ended")

    def test_fits_a_narrow_window(self):
        self.browser.narrow()
        self.ready()
        self.assert_no_overflow()
        self.ask(SENTENCE)
        self.assert_no_overflow()
        self.choose_picture()
        self.button("Draw on it").click()
        self.ask()
        self.assert_no_overflow()
        self.browser.screenshot("explorer-drawing-narrow")

    def test_nothing_moves_by_itself(self):
        self.ready()
        self.browser.media(prefers_reduced_motion="reduce")
        self.choose_picture()
        card = self.ask()
        value = lambda: self.browser.js(
            "return [arguments[0].querySelector('input[type=range]').value, document.getAnimations().length];", card
        )
        before = value()
        time.sleep(1.2)
        self.assertEqual(value(), before)
        self.assertEqual(before[1], 0)
        self.assertEqual(self.browser.js("return getComputedStyle(document.documentElement).scrollBehavior;"), "auto")


class Sentences(ExplorerTest):
    def test_type_ask_and_see(self):
        card = self.ask(SENTENCE)
        self.assertEqual([e.text for e in self.browser.find("del", card)], ["gross"])
        self.assertEqual(len(self.browser.find("ins", card)), 1)
        self.assertIn("negative", card.text)
        record = self.record_of(card)
        printed = browser.records_in(browser.run("explain", "--json", SENTENCE).out)[0]
        for part in ("schema", "id", "question", "pack", "status", "text", "answer"):
            self.assertEqual(record[part], printed[part], part)
        until(self.status, "the answer is announced")
        self.assert_asks_only_itself()
        self.assertEqual(self.browser.complaints(), [])
        self.browser.views("explorer-answer")

    def test_by_keyboard_alone(self):
        self.ready()
        for _ in range(60):
            active = self.browser.driver.switch_to.active_element
            if active.tag_name == "textarea":
                break
            active.send_keys(self.keys.TAB)
        self.assertEqual(self.browser.driver.switch_to.active_element.tag_name, "textarea")
        before = {card.id for card in self.cards()}
        self.browser.driver.switch_to.active_element.send_keys(SENTENCE + self.keys.CONTROL + self.keys.ENTER)
        self.answered(before)

    def test_every_field_and_button_has_a_name(self):
        self.ready()
        self.ask(SENTENCE)
        self.browser.one("form details summary").click()
        for control in self.browser.js(
            "return [...document.querySelectorAll('button, input, select, textarea, canvas')].filter((e) => e.checkVisibility());"
        ):
            self.assertTrue(control.accessible_name, control.get_attribute("outerHTML")[:200])

    def test_samples(self):
        self.ready()
        sample = self.browser.find("button", self.group("Begin with one of these"))[0]
        text = sample.text
        sample.click()
        until(lambda: self.field("A sentence").get_property("value"), "the sample is filled in")
        self.assertEqual(self.field("A sentence").get_property("value").split(), text.split())
        self.ask()

    def test_what_the_classifier_says_follows_the_typing(self):
        self.type(SENTENCE)
        bars = until(lambda: self.browser.find("button", self.says()), "bars")
        self.assertTrue(bars[0].text.startswith("negative"))
        self.assertIn("%", bars[0].text)
        self.type("the food was delicious .")
        until(lambda: self.browser.find("button", self.says())[0].text.startswith("positive"), "bars follow")

    def test_ask_without_a_word(self):
        card = self.ask("the food was gross and slow .")
        before = {c.id for c in self.cards()}
        self.button("ask without gross", card).click()
        record = self.record_of(self.answered(before))
        self.assertEqual(record["question"]["input"].split(), "the food was and slow .".split())

    def test_pin_one_answer_beside_another(self):
        pinned = self.ask(SENTENCE)
        self.button("Pin", pinned).click()
        second = self.ask("the staff was rude .")
        self.assertEqual({c.id for c in self.cards()}, {pinned.id, second.id})
        self.browser.views("explorer-pinned")
        third = self.ask("the coffee was cold .")
        self.assertEqual({c.id for c in self.cards()}, {pinned.id, third.id})
        self.button("Unpin", pinned).click()
        fourth = self.ask(SENTENCE)
        self.assertEqual({c.id for c in self.cards()}, {fourth.id})

    def test_earlier_answers_come_back(self):
        self.ask(SENTENCE)
        self.ask("the staff was rude .")
        before = {c.id for c in self.cards()}
        self.browser.find("button", self.by_path("//section[.//h2[normalize-space(.)='Earlier answers']]")[0])[-1].click()
        card = until(lambda: [c for c in self.cards() if c.id not in before], "the earlier answer")[0]
        self.assertEqual([e.text for e in self.browser.find("del", card)], ["gross"])
        until(lambda: self.field("A sentence").get_property("value") == SENTENCE, "its question is filled in")

    def test_one_question_to_two_packs(self):
        card = self.ask(SENTENCE)
        choice = self.field("nother pack", card)
        self.browser.choose(choice, "yelp-sum")
        before = {c.id for c in self.cards()}
        self.button("Ask it", card).click()
        beside = self.answered(before)
        self.assertEqual(self.record_of(beside)["pack"]["id"], "yelp-sum")
        self.assertIn(card.id, {c.id for c in self.cards()}, "the first stays beside it")

    def test_where_it_looks(self):
        card = self.ask(SENTENCE)
        self.button("Where does it look", card).click()
        until(lambda: self.by_path(".//label[contains(., 'Method')]//select", card), "methods")
        before = {c.id for c in self.cards()}
        self.button("Show the map", card).click()
        self.assertTrue(self.answered(before).text)
        self.browser.screenshot("explorer-map")

    def test_options_are_used(self):
        self.browser.one("form details summary").click()
        keep = self.field("Words to keep")
        keep.send_keys("gross")
        self.browser.choose(self.field("Pack"), "yelp-sum")
        record = self.record_of(self.ask("the food was gross and slow ."))
        self.assertEqual(record["pack"]["id"], "yelp-sum")
        self.assertNotIn("gross", [edit["from"] for edit in record["text"]["edits"]])

    def test_nothing_typed(self):
        self.type("")
        self.button("Ask about").click()
        until(self.alerts, "it says what is missing")
        self.browser.find("[role=alert] button")[-1].click()
        self.assertEqual(self.alerts(), [])

    def test_a_refusal_is_an_answer(self):
        card = self.ask("xqzt")
        self.assertNotIn("found", self.record_of(card)["status"])
        self.assertIn(self.record_of(card)["reason"], card.text)

    def test_save_page_and_figure(self):
        card = self.ask(SENTENCE)
        name, content = self.browser.saved(self.button("Save page", card).click)
        self.assertTrue(name.endswith(".html"))
        path = SCRATCH / "saved.html"
        path.write_bytes(content)
        name, figure = self.browser.saved(self.button("Save figure", card).click)
        self.assertTrue(name.endswith(".svg"))
        root = xml.etree.ElementTree.fromstring(figure)
        self.assertTrue(root.tag.endswith("svg"))
        self.assertNotIn("script", {e.tag.rsplit("}", 1)[-1] for e in root.iter()})
        self.browser.forget()
        address = self.browser.open(path)
        self.assert_quiet([address])

    def test_cancel(self):
        self.ready()
        self.type(" , ".join([LONG] * 4))
        self.browser.one("form details summary").click()
        many = self.field("Number of answers")
        many.clear()
        many.send_keys("5")
        self.browser.forget()
        self.button("Ask about").click()
        cancel = (
            "return [...document.querySelectorAll('form button')].find((b) => b.textContent === 'Cancel' && b.checkVisibility()) ?? null;"
        )
        until(lambda: self.browser.js(cancel), "it can be cancelled").click()
        until(lambda: self.browser.js(cancel) is None, "it is over")
        self.assertEqual((self.cards(), self.alerts()), ([], []))
        until(lambda: "DELETE" in [method for method, _ in self.browser.asked()], "the program is told")


class Pictures(ExplorerTest):
    def setUp(self):
        super().setUp()
        self.ready()
        self.choose_picture()

    def bars(self):
        return until(lambda: [b for b in self.browser.find("button", self.says()) if "%" in b.text], "bars")

    def canvas(self):
        return self.browser.js("return document.querySelector('#picture canvas').toDataURL();")

    def test_a_class_that_is_pressed_is_the_foil(self):
        self.bars()
        for closed in self.browser.find("details:not([open]) > summary", self.says()):
            closed.click()  # classes that are unlikely
        bar = next(b for b in self.browser.find("button", self.says()) if b.get_property("textContent").strip().startswith("9"))
        bar.click()
        self.assertEqual(self.field("and not").get_property("value"), "9")
        self.assertEqual(bar.get_attribute("aria-pressed"), "true")
        record = self.record_of(self.ask())
        self.assertEqual((record["question"]["fact"], record["question"]["foil"]), ("4", "9"))

    def test_the_answer_has_its_way(self):
        card = self.ask()
        slider = self.browser.one("input[type=range]", card)
        self.assertRegex(slider.get_attribute("aria-valuetext"), r"^step 1 of \d+")
        self.browser.js("arguments[0].focus();", slider)
        slider.send_keys(self.keys.END)
        self.assertRegex(slider.get_attribute("aria-valuetext"), r"^step (\d+) of \1")
        self.browser.views("explorer-picture")
        self.assertEqual(self.browser.complaints(), [])

    def test_draw_and_ask_again(self):
        first = self.record_of(self.ask())
        self.button("Draw on it", self.browser.one("#picture")).click()
        canvas, before = self.browser.one("#picture canvas"), self.canvas()
        actions = browser.webdriver.ActionChains(self.browser.driver)
        actions.move_to_element_with_offset(canvas, -60, -110).click_and_hold().move_by_offset(60, 0).move_by_offset(
            60, 0
        ).release().perform()
        self.assertFalse(self.canvas() == before)
        second = self.record_of(self.ask())
        self.assertNotEqual(second["question"]["input"]["sha256"], first["question"]["input"]["sha256"])
        self.browser.screenshot("explorer-drawn")
        self.button("Undo").click()
        until(lambda: self.canvas() == before, "the stroke is taken back")

    def test_a_click_paints_a_dot(self):
        self.button("Draw on it", self.browser.one("#picture")).click()
        canvas, before = self.browser.one("#picture canvas"), self.canvas()
        for brush in [option.get_property("value") for option in self.browser.find("option", self.field("Brush"))]:
            self.browser.choose(self.field("Brush"), brush)
            canvas.click()
        self.assertFalse(self.canvas() == before)

    def test_draw_by_keyboard(self):
        self.button("Draw on it", self.browser.one("#picture")).click()
        canvas, before = self.browser.one("#picture canvas"), self.canvas()
        for brush in [option.get_property("value") for option in self.browser.find("option", self.field("Brush"))]:
            self.browser.choose(self.field("Brush"), brush)  # a dark one shows on what is light, a light one on what is dark
            canvas.send_keys(self.keys.ARROW_LEFT * 3 + self.keys.SPACE)
        self.assertFalse(self.canvas() == before)
        self.button("Back to the original").click()
        until(lambda: self.canvas() == before, "all is taken back")

    def test_dropped_and_pasted(self):
        content = base64.b64encode((SAMPLES / "nine.png").read_bytes()).decode()
        four = self.canvas()
        script = (
            "const bytes = Uint8Array.from(atob(arguments[0]), (c) => c.charCodeAt(0)); const data = new DataTransfer();"
            "data.items.add(new File([bytes], 'nine.png', {type: 'image/png'}));"
            "const event = arguments[1] === 'drop' ? new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})"
            " : new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true});"
            "document.body.dispatchEvent(event);"
        )
        self.browser.js(script, content, "drop")
        until(lambda: self.canvas() != four, "the dropped picture")
        nine = self.canvas()
        self.field("Or a picture").send_keys(str(SAMPLES / "six.png"))
        until(lambda: self.canvas() not in (four, nine), "the chosen picture")
        self.browser.js(script, content, "paste")
        until(lambda: self.canvas() == nine, "the pasted picture")
        self.assertEqual(self.alerts(), [])

    def test_what_is_no_picture(self):
        wrong = SCRATCH / "wrong.png"
        wrong.write_bytes(b"no picture")
        self.field("Or a picture").send_keys(str(wrong))
        until(self.alerts, "it says so")
        self.assertIn("wrong.png", " ".join(self.alerts()))


class Links(ExplorerTest):
    """A link fills in the fields and runs nothing."""

    def link(self):
        self.button("Copy link").click()
        until(lambda: "#" in self.browser.js("return location.href;"), "the link is in the address bar")
        return self.browser.js("return location.href;")

    def follow(self, address):
        self.browser.driver.get("about:blank")
        self.browser.forget()
        self.enter(address)
        time.sleep(2)  # for what would run late

    def assert_nothing_ran(self):
        self.assertEqual([one for one in self.browser.asked() if one[0] != "GET"], [])
        self.assertEqual([url for url in self.browser.requests() if "/api/jobs" in url], [])
        self.assertEqual(self.cards(), [])

    @staticmethod
    def made_of(**changes):
        state = {
            "pack": "yelp",
            "text": SENTENCE,
            "fact": "",
            "foil": "",
            "decode": "",
            "confidence": "",
            "many": "1",
            "keep": "",
            "seed": "1",
            **changes,
        }
        return "#state=" + base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("=")

    def test_restores_the_state_and_waits_for_the_button(self):
        self.ready()
        self.type(SENTENCE)
        self.browser.choose(self.field("Pack"), "yelp-sum")
        self.browser.one("form details summary").click()
        self.field("Words to keep").send_keys("food")
        address = self.link()
        self.assertNotIn(self.server.token, address)
        self.follow(address)
        self.assertEqual(self.field("A sentence").get_property("value"), SENTENCE)
        self.assertEqual(self.field("Pack").get_property("value"), "yelp-sum")
        self.assertEqual(self.field("Words to keep").get_property("value"), "food")
        self.assert_nothing_ran()
        self.browser.screenshot("explorer-from-a-link")
        card = self.ask()
        self.assertIn("POST", [method for method, _ in self.browser.asked()])
        self.assertEqual(self.record_of(card)["pack"]["id"], "yelp-sum")

    def test_a_picture_comes_with_it(self):
        self.ready()
        self.choose_picture()
        shown = self.browser.js("return document.querySelector('#picture canvas').toDataURL();")
        self.follow(self.link())
        until(lambda: self.browser.find("#picture canvas")[0].is_displayed(), "the picture is shown")
        self.assertEqual(self.browser.js("return document.querySelector('#picture canvas').toDataURL();"), shown)
        self.assert_nothing_ran()

    def test_hostile_ones(self):
        listener = Listener()
        self.addCleanup(listener.close)
        texts = hostile(listener.port)
        links = [self.made_of(text=text) for text in texts[:4]]
        links += [
            self.made_of(pack=f"<img src=x onerror=window.ran=1>"),
            self.made_of(fact="<script>window.ran=1</script>"),
            self.made_of(keep=texts[0]),
            self.made_of(picture={"name": "<img src=x onerror=window.ran=1>", "base64": "AAAA"}),
            self.made_of(picture={"name": "x", "base64": f"http://127.0.0.1:{listener.port}/"}),
            "#state=",
            "#state=%%%",
            "#state=e30",
            "#state=" + "A" * 100_000,
            "#<script>window.ran=1</script>",
            "?q=x&run=1&input=" + SENTENCE.replace(" ", "+"),
        ]
        for link in links:
            with self.subTest(link=link[:80]):
                self.browser.driver.get("about:blank")
                self.browser.forget()
                self.enter(self.origin + "/" + link)
                time.sleep(0.5)
                self.assertEqual(self.browser.js("return typeof window.ran;"), "undefined")
                if link.startswith("#state=ey"):
                    self.assert_nothing_ran()
                self.assertEqual([one for one in self.browser.asked() if one[0] == "POST" and "state=ey" in link], [])
        self.assertEqual(listener.visits, [])

    def test_one_that_is_followed_in_an_open_page(self):
        self.ready()
        self.browser.forget()
        self.browser.js("location.hash = arguments[0];", self.made_of(text="the staff was rude ."))
        until(lambda: self.field("A sentence").get_property("value") == "the staff was rude .", "it is filled in")
        time.sleep(1)
        self.assertEqual([one for one in self.browser.asked() if one[0] == "POST"], [])
        self.assertEqual(self.cards(), [])


class Hostile(ExplorerTest):
    """Whatever somebody types or brings is shown, and does nothing."""

    def setUp(self):
        super().setUp()
        self.ready()
        self.listener = Listener()
        self.addCleanup(self.listener.close)

    def assert_inert(self):
        self.assertEqual(self.browser.js("return typeof window.ran;"), "undefined")
        found = self.browser.js(
            "return [...document.querySelectorAll('main *')].filter((e) => [...e.attributes].some((a) => a.name.startsWith('on'))"
            " || ['iframe', 'object', 'embed', 'base', 'link', 'style'].includes(e.localName)"
            " || (e.localName === 'img' && !/^(data:image|blob:)/.test(e.src))).map((e) => e.outerHTML.slice(0, 200));"
        )
        self.assertEqual(found, [])
        self.assertEqual(self.listener.visits, [])
        self.assert_asks_only_itself()
        self.assertEqual(self.browser.complaints(), [])

    def test_sentences(self):
        for text in hostile(self.listener.port):
            if "\x1b" in text:
                continue  # a field of text drops control characters
            with self.subTest(sentence=text[:80]):
                card = self.ask(text)
                self.assertEqual(self.record_of(card)["question"]["input"], text)
                self.assert_inert()
        self.browser.screenshot("explorer-hostile")
        self.browser.narrow()
        self.assert_no_overflow()

    def test_names_of_files(self):
        for name in ('"><img src=x onerror=window.ran=1>.png', "<svg onload=window.ran=1>.png", "\u202egnp.png", "a'b&lt;.png"):
            path = SCRATCH / name
            shutil.copy(SAMPLES / "four.png", path)
            with self.subTest(name=name):
                self.choose_picture(path)
                card = self.ask()
                self.assertIn(name, self.browser.js("return arguments[0].textContent + document.getElementById('past').textContent;", card))
                self.assert_inert()
        self.browser.screenshot("explorer-hostile-names")

    def test_a_whole_file(self):
        path = SCRATCH / "hostile.csv"
        rows = [text for text in hostile(self.listener.port) if "\x1b" not in text and len(text) < 500]
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["<img src=x onerror=window.ran=1>", "sentence"])
            for text in rows:
                writer.writerow(["x", text])
        self.field("A .txt file").send_keys(str(path))
        self.browser.choose(
            until(lambda: [s for s in self.by_path("//label[contains(., 'Column')]//select") if s.is_displayed()], "columns")[0], "1"
        )
        self.button("Ask them all").click()
        until(
            lambda: any(f"{len(rows)} of {len(rows)} are answered" in said.text for said in self.browser.find("[role=status]")),
            "all are answered",
            300,
        )
        for button in self.browser.find("table.list tbody button.open"):
            button.click()
        self.assert_inert()
        _, table = self.browser.saved(self.button("save as CSV").click)
        for row in csv.reader(io.StringIO(table.decode("utf-8"), newline="")):
            for cell in row:
                self.assertNotRegex(cell, r"^[=+@\t\r]", "a spreadsheet would take it for a formula")
        _, table = self.browser.saved(self.button("save as LaTeX").click)
        self.assertIn(b"\\begin{tabular}", table)
        self.browser.screenshot("explorer-hostile-file")


class WholeFiles(ExplorerTest):
    def test_a_file_of_sentences(self):
        path = SCRATCH / "sentences.txt"
        path.write_text(
            "".join(
                f"the {noun} was gross .\n"
                for noun in ("food", "pizza", "coffee", "place", "staff", "music", "soup", "service", "waiter", "bread")
            )
            * 2
        )
        self.ready()
        self.field("A .txt file").send_keys(str(path))
        self.button("Ask them all").click()
        rows = until(
            lambda: (lambda found: len(found) == 20 and found)(self.browser.find("table.list tbody tr[data-status]")), "twenty answers", 300
        )
        self.assertEqual([row.find_element("css selector", "td").text.split()[0] for row in rows], [str(i) for i in range(1, 21)])
        until(lambda: self.browser.find("input[type=search]"), "the list can be filtered")
        self.browser.one("input[type=search]").send_keys("pizza")
        self.assertEqual(len([row for row in rows if row.is_displayed()]), 2)
        _, content = self.browser.saved(self.button("save the records").click)
        self.assertEqual(len(browser.records_in(content)), 20)
        self.browser.views("explorer-whole-file")

    def test_cancelling_leaves_what_is_done(self):
        path = SCRATCH / "many.txt"
        path.write_text("".join(f"{LONG} , item {i} .\n" for i in range(300)))
        self.ready()
        self.field("A .txt file").send_keys(str(path))
        self.button("Ask them all").click()
        until(lambda: self.browser.find("table.list tbody tr[data-status]"), "the first are answered", 300)
        self.button("Cancel").click()
        until(lambda: self.button("Ask them all").is_enabled(), "it ends")
        self.assertLess(len(self.browser.find("table.list tbody tr[data-status]")), 300)


class Closing(ExplorerTest):
    def test_closing_the_tab_ends_its_work(self):
        self.ready()
        path = SCRATCH / "work.txt"
        path.write_text("".join(f"{LONG} , {LONG} , item {i} .\n" for i in range(300)))
        first = self.browser.driver.current_window_handle
        self.browser.driver.switch_to.new_window("tab")
        self.addCleanup(lambda: self.browser.driver.switch_to.window(first))
        self.enter()
        self.ready()
        self.browser.forget()
        self.field("A .txt file").send_keys(str(path))
        self.button("Ask them all").click()
        jobs = until(
            lambda: [m.group(1) for m in (re.search(r"/api/jobs/(\w+)\?wait", url) for url in self.browser.requests()) if m], "a job"
        )
        until(lambda: self.server.state(jobs[-1]) == "working", "it is at work", 120)
        self.browser.driver.close()
        time.sleep(1.5)
        if self.server.state(jobs[-1]) in ("waiting", "loading", "working"):
            time.sleep(25)  # where the tab could not say so, it is noticed that nobody asks
        self.assertEqual(self.server.state(jobs[-1]), "cancelled")


ATTACK = """<!DOCTYPE html><title>another site</title><body><script>
const there = location.hash.slice(1), body = JSON.stringify({inputs: ["the food was gross ."]});
const sent = {method: "POST", mode: "no-cors", credentials: "include", headers: {"Content-Type": "text/plain"}, body};
fetch(there + "/api/jobs", sent).catch(() => {});
fetch(there + "/api/packs", {credentials: "include"}).then((r) => r.text()).then((t) => { window.read = t; }, () => {});
for (const [name, path] of [["img", "/api/packs"], ["script", "/page.js"], ["iframe", "/"]]) {
  const e = document.createElement(name);
  e.src = there + path;
  document.body.append(e);
}
const form = document.createElement("form");
Object.assign(form, {method: "POST", action: there + "/api/jobs", enctype: "text/plain", target: "inside"});
form.append(Object.assign(document.createElement("input"), {name: body}));
const frame = Object.assign(document.createElement("iframe"), {name: "inside"});
document.body.append(frame, form);
form.submit();
</script>"""


class AnotherSite(ExplorerTest):
    """A page on another port of this machine is of the same site, so that cookies go with what it asks: the program must refuse it."""

    def test_it_can_neither_ask_nor_read(self):
        self.ready()

        class Site(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(ATTACK.encode())

            def log_message(self, *_):
                pass

        site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
        threading.Thread(target=site.serve_forever, daemon=True).start()
        self.addCleanup(site.server_close)
        self.addCleanup(site.shutdown)
        self.browser.forget()
        self.browser.driver.get(f"http://127.0.0.1:{site.server_port}/#{self.origin}")
        time.sleep(3)
        answers = [answer for answer in self.browser.answers() if answer[1].startswith(self.origin)]
        self.assertTrue([one for one in self.browser.asked() if one[0] == "POST" and one[1].startswith(self.origin)], "it did try")
        self.assertEqual([answer for answer in answers if answer[0] < 400], [])
        self.assertIsNone(self.browser.js("return window.read ?? null;"))


class ExplorerAccessible(ExplorerTest):
    """axe has no serious finding."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.axe = browser.axe_source()

    def test_opened(self):
        self.ready()
        self.browser.one("form details summary").click()
        self.assert_accessible(self.axe, "opened")

    def test_answer(self):
        self.ready()
        self.button("Pin", self.ask(SENTENCE)).click()
        self.ask("xqzt")
        self.assert_accessible(self.axe, "answers")

    def test_picture(self):
        self.ready()
        self.choose_picture()
        until(lambda: [b for b in self.browser.find("button", self.says()) if "%" in b.text], "bars")
        self.button("Draw on it").click()
        self.ask()
        self.assert_accessible(self.axe, "picture")

    def test_error_and_whole_file(self):
        self.ready()
        path = SCRATCH / "few.txt"
        path.write_text("".join(f"the {noun} was gross .\n" for noun in ("food", "pizza", "coffee")))
        self.field("A .txt file").send_keys(str(path))
        self.button("Ask them all").click()
        until(lambda: self.browser.find("input[type=search]"), "the list", 120)
        self.type("")
        self.button("Ask about").click()
        until(self.alerts, "an error")
        self.assert_accessible(self.axe, "error and list")


if __name__ == "__main__":
    browser.main()
