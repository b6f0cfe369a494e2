#!/usr/bin/env python3
"""What the Python client (tools/python/whynot.py) promises.

    WHYNOT_PROGRAM=build/bin/whynot python3 client_test.py

Without WHYNOT_PROGRAM, only what needs no program: the client against a small server in here.
"""
import base64
import http.server
import itertools
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

root = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(root / "tools" / "python"))
import whynot  # noqa: E402

PROGRAM = os.environ.get("WHYNOT_PROGRAM")
SENTENCES = ["the food was gross .", "i love this place !", "the staff was rude and slow .", "great service and lovely people .",
             "it was very bad .", "the soup was cold .", "we had a wonderful evening .", "never again ."]
HOSTILE = 'the food was gross . <script>alert(1)</script> "><img src=x onerror=alert(1)> </iframe>'


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def bare(record):
    """A record without what may differ from run to run."""
    record = {key: value for key, value in record.items() if key != "cost"}
    record["solver"] = {key: value for key, value in record["solver"].items() if key != "threads"}
    return record


class Endless:
    """Sentences without end, which counts how many were taken."""

    def __init__(self, texts):
        self.taken, self.texts = 0, itertools.cycle(texts)

    def __iter__(self):
        return self

    def __next__(self):
        self.taken += 1
        return next(self.texts)


class Scratch(unittest.TestCase):
    @staticmethod
    def interrupt_soon(seconds=.3):
        """As Ctrl-C does."""
        threading.Timer(seconds, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)


@unittest.skipUnless(PROGRAM, "WHYNOT_PROGRAM does not say where the program is")
class WithProgram(Scratch):
    @classmethod
    def setUpClass(cls):
        cls.program = os.path.abspath(PROGRAM)
        cls.client = whynot.Client(program=cls.program)
        cls.addClassCleanup(cls.client.close)

    def printed(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], stdout=subprocess.PIPE, check=False)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_a_record_is_that_of_the_command_line(self):
        for text, options in ((SENTENCES[0], {}), (SENTENCES[5], {"keep": ["soup"]}), (SENTENCES[1], {"foil": "negative", "confidence": .8, "seed": 7})):
            with self.subTest(text):
                arguments = [f"--{name}={one}" for name, value in options.items() for one in (value if isinstance(value, list) else [value])]
                self.assertEqual(bare(self.client.explain(text, **options).record), bare(self.printed("explain", "--json", *arguments, text)[0]))

    def test_the_properties_are_those_of_the_record(self):
        answer = self.client.explain(SENTENCES[0])
        self.assertEqual((answer.status, answer.reason, answer.found, answer.fact, answer.foil), ("found", None, True, "negative", "positive"))
        self.assertEqual(answer.text, answer.record["text"]["answer"])
        self.assertEqual(answer.probabilities, answer.record["probabilities"])
        self.assertGreater(answer.probabilities["answer"]["positive"], .5)
        self.assertIn("-[gross]-", str(answer))
        self.assertIn("negative", str(answer))
        self.assertIn("positive", str(answer))

    def test_a_batch_equals_its_questions(self):
        together = list(self.client.explain_all(SENTENCES))
        alone = [self.client.explain(text) for text in SENTENCES]
        self.assertEqual([answer.status for answer in together], [answer.status for answer in alone])
        self.assertEqual([answer.text for answer in together], [answer.text for answer in alone])
        self.assertEqual([answer.record.get("text", {}).get("edits") for answer in together],
                         [answer.record.get("text", {}).get("edits") for answer in alone])

    def test_answers_come_in_order(self):
        answers = list(self.client.explain_all(SENTENCES, batch=3))
        self.assertEqual([answer.input for answer in answers], SENTENCES)
        self.assertEqual([answer.record["question"]["input"] for answer in answers], SENTENCES)

    def test_a_generator_without_end_is_read_as_answers_are_wanted(self):
        endless = Endless(SENTENCES)
        answers = self.client.explain_all(endless, batch=2)
        self.assertEqual(endless.taken, 0)
        for wanted in range(1, 6):
            self.assertEqual(next(answers).record["question"]["input"], SENTENCES[wanted - 1])
            self.assertLessEqual(endless.taken, wanted + 2 * 2)

    def test_a_refused_question_stops_no_other(self):
        inputs = [SENTENCES[0], "", SENTENCES[1], {"text": SENTENCES[2], "foil": "neutral"}, SENTENCES[3]]
        answers = list(self.client.explain_all(inputs, batch=5))
        self.assertEqual([answer.status == "refused" for answer in answers], [False, True, False, True, False])
        self.assertIn("neutral", answers[3].reason)
        self.assertIn("neutral", str(answers[3]))

    def test_files_that_are_no_pictures_stop_no_other(self):
        (self.folder / "no.png").write_bytes(b"this is no picture")
        four = root / "corpora" / "samples" / "four.png"
        answers = list(self.client.explain_all([four, self.folder / "no.png", self.folder / "absent.png", four], foil="9"))
        self.assertEqual([answer.status for answer in answers], ["found", "refused", "refused", "found"])
        self.assertIn("absent.png", answers[2].reason)

    def test_classification(self):
        said = self.client.classify(SENTENCES[0])
        self.assertEqual(said["class"], "negative")
        self.assertAlmostEqual(sum(said["probabilities"].values()), 1, 5)
        all_said = list(self.client.classify_all(iter(SENTENCES), batch=3))
        self.assertEqual([one["input"] for one in all_said], SENTENCES)
        self.assertEqual(all_said[0]["class"], "negative")

    def test_an_image_is_the_same_as_bytes_and_as_a_file(self):
        path = root / "corpora" / "samples" / "four.png"
        of_path, of_bytes = (self.client.explain(one, foil="9") for one in (path, path.read_bytes()))
        for answer in (of_path, of_bytes):
            self.assertEqual((answer.status, answer.fact, answer.foil, answer.text), ("found", "4", "9", None))
        self.assertEqual(of_path.record["question"]["input"]["sha256"], of_bytes.record["question"]["input"]["sha256"])
        for key in ("status", "gap", "distance", "probabilities", "answer", "warnings", "pack"):
            self.assertEqual(of_path.record[key], of_bytes.record[key], key)
        self.assertEqual(self.client.classify(path)["probabilities"], self.client.classify(path.read_bytes())["probabilities"])

    def test_packs_samples_and_methods(self):
        packs = {pack["id"]: pack for pack in self.client.packs()}
        self.assertEqual(sorted(packs["yelp"]["classes"]), ["negative", "positive"])
        for pack in ("yelp", "mnist"):
            samples = self.client.samples(pack)
            self.assertTrue(samples)
            self.assertNotEqual(self.client.explain(samples[0], pack=pack).status, "refused")
            self.assertIn("integrated-gradients", [method["name"] for method in self.client.methods(pack)])
        self.assertIn("integrated-gradients", [method["name"] for method in self.client.methods()])

    def test_attribution(self):
        for method in (None, "occlusion"):
            answer = self.client.attribute(SENTENCES[0], method)
            self.assertTrue(answer.found)
            self.assertEqual(answer.record["schema"], "whynot.attribution-record/1")
            self.assertIn("gross", answer.record["map"]["parts"])
            self.assertIn("gross", answer._repr_html_())

    def test_errors_name_what_is_wrong(self):
        with self.assertRaisesRegex(whynot.Error, "no-such-pack"):
            self.client.explain(SENTENCES[0], pack="no-such-pack")
        with self.assertRaisesRegex(whynot.Error, "no-such-way"):
            self.client.explain(SENTENCES[0], decode="no-such-way")
        self.assertTrue(self.client.explain(SENTENCES[0]).found)  # it goes on
        with self.assertRaises(whynot.Error) as caught:
            whynot.Client(self.client._url, token="wrong")
        self.assertEqual(caught.exception.status, 401)

    def test_an_interrupt_cancels_what_is_asked(self):
        self.client.explain(SENTENCES[0])  # its pack is open then
        texts = [f"the {word} was gross and the staff was rude ." for word in ("food", "soup", "place", "pizza")] * 16
        self.interrupt_soon(.5)
        with self.assertRaises(KeyboardInterrupt):
            list(self.client.explain_all(texts, batch=64))
        began = time.monotonic()
        self.assertTrue(self.client.explain(SENTENCES[0]).found)
        self.assertLess(time.monotonic() - began, 5)

    def test_another_client_may_share_the_server(self):
        token = self.client._headers["Authorization"].split()[1]
        with whynot.Client(self.client._url, token=token) as other:
            self.assertEqual(other.explain(SENTENCES[0]).text, self.client.explain(SENTENCES[0]).text)
        self.assertTrue(self.client.packs())  # closing the other ends nothing

    def test_closing_ends_the_program(self):
        with whynot.Client(program=self.program) as client:
            pid = client._program[0].pid
            self.assertTrue(alive(pid))
        self.assertFalse(alive(pid))
        with self.assertRaisesRegex(whynot.Error, "closed"):
            client.packs()

    def test_a_program_that_ends_is_told(self):
        with whynot.Client(program=self.program) as client:
            client._program[0].kill()
            client._program[0].wait()
            with self.assertRaisesRegex(whynot.Error, "ended"):
                client.explain(SENTENCES[0])

    def test_what_is_typed_is_no_markup(self):
        answer = self.client.explain(HOSTILE)
        shown = answer._repr_html_()
        self.assertNotIn("<script", shown)
        self.assertNotIn("&lt;script", shown)  # of the frame's document
        self.assertEqual(shown.count("<"), 2)
        self.assertNotIn("<script", answer.article)

    def test_pages_and_figures(self):
        answers = [self.client.explain(SENTENCES[0]), *self.client.explain_all(SENTENCES[:2])]
        for answer in answers:
            answer.save_page(self.folder / "answer.html")
            self.assertIn(answer.record["id"], (self.folder / "answer.html").read_text())
            answer.save_figure(self.folder / "answer.svg")
            figure = (self.folder / "answer.svg").read_text()
            self.assertIn("<svg", figure)
        self.assertIn("love", figure)  # the second of its batch


class Fake(http.server.BaseHTTPRequestHandler):
    """As much of the API as the client's own properties need. What it is asked, it notes in its server."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *ignored):
        pass

    def reply(self, status, body):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        self.close_connection = self.server.drops  # without a word

    def handle_any(self):
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urllib.parse.urlsplit(self.path).path
        self.server.asked.append((self.command, self.path))
        if self.headers["Authorization"] != "Bearer secret":
            return self.reply(401, {"error": {"code": "denied", "message": "no such token"}})
        if path == "/api/version":
            return self.reply(200, {"whynot": "0", "limits": {"body": 1 << 20, "inputs": 4}})
        if path == "/page.css":
            return self.reply(200, b"p { margin: 0 }")
        if self.command == "POST":
            return self.post(json.loads(content))
        return self.job(path)

    def post(self, job):
        if self.server.busy:
            return self.reply(503, {"error": {"code": "busy", "message": "32 jobs wait already"}})
        if self.server.holds_first:
            self.server.released.wait(2)
        self.server.jobs.append(job)
        return self.reply(202, {"job": str(len(self.server.jobs) - 1), "state": "waiting"})

    def job(self, path):
        name, _, what = path[len("/api/jobs/"):].partition("/")
        if self.command == "DELETE":
            self.server.released.set()
            return self.reply(200, {"job": name, "state": "cancelled"})
        if what:
            return self.reply(200, f"the {what} of {name}, {self.path}".encode())
        if self.server.vanishes:
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        if self.server.holds:
            self.server.released.wait(20)
        if self.server.turns > 0:
            self.server.turns -= 1
            return self.reply(200, {"job": name, "state": "working"})
        job = self.server.jobs[int(name)]
        if job.get("pack") == "absent":
            return self.reply(200, {"job": name, "state": "failed", "error": {"code": "not-found", "message": "there is no pack 'absent'"}})
        return self.reply(200, {"job": name, "state": "done", "answers": [self.answer(one) for one in job["inputs"]],
                                "classifications": [{"input": one, "class": "a"} for one in job["inputs"]]})

    @staticmethod
    def answer(input):
        text = input if isinstance(input, str) else input.get("text", "a picture")
        refused = text == "refuse me"
        record = {"id": "1", "question": {"modality": "text", "input": text, "fact": "a", "foil": "<b>"}, "status": "refused" if refused else "found",
                  "reason": "it was refused" if refused else None, "probabilities": {"before": {"a": 1}, "boundary": None, "answer": None}}
        if not refused:
            record["text"] = {"answer": text + "!"}
        return {"record": record, "terminal": f"    {text}!\n", "article": "<p>" + text.replace("<", "&lt;") + "</p>"}

    do_GET = do_POST = do_DELETE = handle_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Fake)
        self.asked, self.jobs, self.turns = [], [], 0
        self.drops = self.busy = self.holds = self.holds_first = self.vanishes = False
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, args=(.05,), daemon=True).start()

    def handle_error(self, *ignored):
        pass

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/"


class WithoutProgram(Scratch):
    def setUp(self):
        super().setUp()
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def connected(self):
        client = whynot.Client(self.server.url, token="secret")
        self.addCleanup(client.close)
        return client

    def program(self, script):
        """A program that is no whynot."""
        path = self.folder / "program"
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)
        return path

    def serving(self):
        return self.program(f"echo '{{\"url\": \"{self.server.url}\", \"port\": 1, \"token\": \"secret\"}}'\nexec sleep 1000\n")

    def test_a_job_is_waited_for(self):
        self.server.turns = 2
        answer = self.connected().explain("good\n", keep="good", foil="<b>")
        self.assertEqual((answer.text, answer.found, answer.input), ("good!", True, "good\n"))
        self.assertEqual(str(answer), "why a and not <b>?\n\n    good!")
        self.assertEqual(self.server.jobs, [{"do": "explain", "inputs": ["good"], "foil": "<b>", "keep": ["good"], "answers": 1, "seed": 1}])
        self.assertEqual(self.server.asked.count(("GET", "/api/jobs/0?wait=30")), 3)

    def test_a_dropped_connection_is_opened_again(self):
        self.server.drops = True
        client = self.connected()
        for _ in range(3):
            self.assertTrue(client.explain("good").found)

    def test_one_connection_is_kept(self):
        client = self.connected()
        client.explain("good")
        before = client._connection.sock
        client.explain("good")
        self.assertIs(client._connection.sock, before)

    def test_what_the_server_says_is_the_error(self):
        client = self.connected()
        self.server.busy = True
        with self.assertRaises(whynot.Error) as caught:
            client.explain("good")
        self.assertEqual((caught.exception.code, str(caught.exception), caught.exception.status), ("busy", "32 jobs wait already", 503))
        self.server.busy = False
        with self.assertRaisesRegex(whynot.Error, "'absent'"):
            client.explain("good", pack="absent")
        with self.assertRaisesRegex(whynot.Error, "no such token"):
            whynot.Client(self.server.url, token="wrong")

    def test_a_server_that_vanishes_is_told(self):
        client = self.connected()
        self.server.vanishes = True
        with self.assertRaisesRegex(whynot.Error, "ended") as caught:
            client.explain("good")
        self.assertEqual(caught.exception.code, "unavailable")
        unused = Server()
        unused.shutdown()
        unused.server_close()
        with self.assertRaisesRegex(whynot.Error, "no answer from"):
            whynot.Client(unused.url, token="secret")

    def test_an_interrupt_cancels_the_job(self):
        client = self.connected()
        self.server.holds = True
        self.interrupt_soon()
        with self.assertRaises(KeyboardInterrupt):
            client.explain("good")
        self.assertEqual(self.server.asked[-1], ("DELETE", "/api/jobs/0"))
        self.server.holds = False
        self.assertTrue(client.explain("good").found)

    def test_an_interrupt_of_the_first_wait_hangs_up(self):
        client = self.connected()
        self.server.holds_first = True
        self.interrupt_soon()
        with self.assertRaises(KeyboardInterrupt):
            client.explain("good")
        self.assertIsNone(client._connection.sock)  # by which the server knows
        self.server.holds_first = False
        self.assertTrue(client.explain("good").found)

    def test_proxies_are_not_asked(self):
        kept = dict(os.environ)
        self.addCleanup(lambda: (os.environ.clear(), os.environ.update(kept)))
        os.environ.update(dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy"), "http://127.0.0.1:9/"))
        self.assertTrue(self.connected().explain("good").found)

    def test_many_are_asked_lazily_and_in_order(self):
        client = self.connected()
        endless = Endless("abcdefg")
        answers = client.explain_all(endless, batch=3)
        self.assertEqual(endless.taken, 0)
        for wanted in range(1, 8):
            self.assertEqual(next(answers).text, "abcdefg"[wanted - 1] + "!")
            self.assertLessEqual(endless.taken, (wanted + 2) // 3 * 3)
        self.assertEqual(len(list(client.explain_all(["x"] * 9, batch=1000))), 9)
        self.assertLessEqual(max(len(job["inputs"]) for job in self.server.jobs), 4)  # what the server takes
        self.assertEqual(list(client.explain_all([])), [])
        with self.assertRaises(TypeError):
            client.explain_all("a sentence")
        with self.assertRaises(TypeError):
            client.explain(4)

    def test_what_cannot_be_sent_stops_no_other(self):
        client = self.connected()
        large = self.folder / "large.png"
        large.write_bytes(b"x" * (1 << 20))
        inputs = ["a", self.folder / "absent.png", "refuse me", "\udc80", large, b"", "b"]
        answers = list(client.explain_all(inputs))
        self.assertEqual([answer.status == "refused" for answer in answers], [False, True, True, True, True, True, False])
        self.assertEqual([answer.input for answer in answers], inputs)
        for answer, said in ((answers[1], "absent.png"), (answers[4], "too large")):
            self.assertIn(said, answer.reason)
            self.assertIn(said, str(answer))
            self.assertIn(said, answer._repr_html_())
            self.assertIsNone(answer.text)
            with self.assertRaisesRegex(whynot.Error, said):
                answer.save_page(self.folder / "page.html")
            with self.assertRaisesRegex(whynot.Error, said):
                client.explain(answer.input)
        said = list(client.classify_all(["a", self.folder / "absent.png"]))
        self.assertEqual([one["class"] for one in said], ["a", None])

    def test_a_job_has_one_kind_of_input_and_fits(self):
        client = self.connected()
        list(client.explain_all(["a", "b", b"picture", "c"]))
        self.assertEqual([len(job["inputs"]) for job in self.server.jobs], [2, 1, 1])
        del self.server.jobs[:]
        list(client.explain_all([bytes(300_000)] * 4))
        self.assertEqual([len(job["inputs"]) for job in self.server.jobs], [2, 2])

    def test_images_are_sent_as_they_are(self):
        client = self.connected()
        (self.folder / "four.png").write_bytes(b"bytes of a picture")
        client.explain(self.folder / "four.png")
        client.explain(b"bytes of a picture")
        self.assertEqual(self.server.jobs[0]["inputs"], [{"image_base64": base64.b64encode(b"bytes of a picture").decode(), "name": "four.png"}])
        self.assertEqual(self.server.jobs[1]["inputs"][0]["image_base64"], self.server.jobs[0]["inputs"][0]["image_base64"])

    def test_what_is_typed_is_no_markup(self):
        shown = self.connected().explain(HOSTILE)._repr_html_()
        self.assertEqual((shown.count("<"), shown.count(">")), (2, 2))  # the frame, and its end
        self.assertNotIn("&lt;script", shown)
        self.assertNotIn("&lt;b&gt;", shown)  # a name of a class
        self.assertIn('sandbox=""', shown)

    def test_pages_and_figures(self):
        client = self.connected()
        first, second = client.explain_all(["a", "b"])
        second.save_page(self.folder / "page.html")
        second.save_figure(self.folder / "figure.svg")
        self.assertEqual((self.folder / "page.html").read_text(), "the page of 0, /api/jobs/0/page?answer=1")
        self.assertEqual((self.folder / "figure.svg").read_text(), "the figure of 0, /api/jobs/0/figure?answer=1")

    def test_a_program_that_is_not_there(self):
        with self.assertRaisesRegex(whynot.Error, "install whynot.*program="):
            whynot.Client(program="no-such-program")

    def test_a_program_that_does_not_start(self):
        with self.assertRaisesRegex(whynot.Error, "(?s)exit code 3.*no packs here"):
            whynot.Client(program=self.program("echo no packs here >&2; exit 3\n"))
        with self.assertRaisesRegex(whynot.Error, "hello"):
            whynot.Client(program=self.program("echo hello\n"))

    def test_an_address_without_a_token(self):
        with self.assertRaisesRegex(TypeError, "token"):
            whynot.Client(self.server.url)
        with self.assertRaisesRegex(ValueError, "https://localhost"):
            whynot.Client("https://localhost/", token="secret")

    def test_the_program_ends_with_the_client(self):
        with whynot.Client(program=self.serving()) as client:
            pid = client._program[0].pid
            self.assertTrue(alive(pid))
            self.assertTrue(client.explain("good").found)
        self.assertFalse(alive(pid))
        client = whynot.Client(program=self.serving())
        pid = client._program[0].pid
        client._connection.close()
        del client  # nobody has it any more
        self.assertFalse(alive(pid))

    def test_the_program_ends_with_the_interpreter(self):
        script = "import whynot, sys; client = whynot.Client(program=sys.argv[1]); print(client._program[0].pid)"
        done = subprocess.run([sys.executable, "-c", script, str(self.serving())], stdout=subprocess.PIPE, check=True, timeout=60,
                              env={**os.environ, "PYTHONPATH": str(root / "tools" / "python")})
        for _ in range(50):
            if not alive(int(done.stdout)):
                return
            time.sleep(.1)
        self.fail("it is still there")


if __name__ == "__main__":
    unittest.main()
