"""`whynot serve` at its socket: whom it answers, what it refuses, what it lives through (docs/serve.md). Needs no browser."""
import base64
import json
import os
import socket
import struct
import threading
import time
import unittest
import zlib

import browser
from browser import SAMPLES
from serving import Server, answer_on, listening, long_job, send_on

SENTENCE = "the food was gross ."


class Serving(unittest.TestCase):
    """Tests of one class share a server, and it is still there after each of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = Server("--port", "0")
        cls.addClassCleanup(cls.server.kill)

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), self.server.errors())
        self.assertEqual(self.server.ask().status, 200)

    def assert_refused(self, answer, status, code=None):
        """With the status, and a reason that a program and a person can read."""
        self.assertIn(answer.status, status if isinstance(status, tuple) else (status,), answer)
        error = answer.json()["error"]
        self.assertTrue(error["message"])
        self.assertRegex(error["code"], r"^[a-z]+([-_][a-z]+)*$")
        if code:
            self.assertEqual(error["code"], code)


# --- who may ask


class Hosts(Serving):
    def test_listens_on_the_loopback_only(self):
        addresses = listening(self.server.port)
        self.assertTrue(addresses)
        for address in addresses:
            self.assertIn(address, ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"))

    def test_its_own_names(self):
        port = self.server.port
        for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
            with self.subTest(host=host):
                self.assertEqual(self.server.ask(host=host).status, 200)

    def test_its_name_with_the_dot_of_the_root(self):
        self.assertEqual(self.server.ask(host=f"localhost.:{self.server.port}").status, 200)

    def test_other_names(self):
        port = self.server.port
        for host in (
            "evil.test",
            f"evil.test:{port}",
            f"localhost.evil.com:{port}",
            f"127.0.0.1.nip.io:{port}",
            f"localhost:{port}.evil.com",
            f"evil.test:{port}#localhost:{port}",
            f"localhost:{port}@evil.test",
            f"user@localhost:{port}",
            f"[::1].evil.com:{port}",
            f"[::2]:{port}",
            f"0.0.0.0:{port}",
            f"127.0.0.2:{port}",
            f"127.1:{port}",
            f"2130706433:{port}",
            "localhost",
            "localhost:1",
            f"localhost:{port}0",
            f"localhost:0{port}x",
            f"localhost:{port}, evil.test",
            f"xlocalhost:{port}",
            "",
            ":",
            f":{port}",
            f"loc\u0430lhost:{port}",
        ):
            with self.subTest(host=host):
                self.assertIn(self.server.ask(host=host).status, (400, 403))

    def test_none_and_two(self):
        own = f"localhost:{self.server.port}"
        self.assertIn(self.server.ask(host=[]).status, (400, 403))
        self.assertIn(self.server.ask(host=[own, "evil.test"]).status, (400, 403))
        self.assertIn(self.server.ask(host=["evil.test", own]).status, (400, 403))
        self.assertIn(self.server.ask(host=[own, own]).status, (400, 403))

    def test_a_request_to_a_whole_address(self):
        """What stands in the first line counts before Host, so it must not be another's."""
        answer = self.server.ask(path="http://evil.test/api/version", host=f"localhost:{self.server.port}")
        self.assertIn(answer.status, (400, 403, 404))

    def test_http_1_0_without_a_host(self):
        answer = self.server.send(f"GET /api/version HTTP/1.0\r\nAuthorization: Bearer {self.server.token}\r\n\r\n".encode())
        self.assertIn(answer.status, (400, 403, 505))

    def test_a_foreign_name_learns_nothing_with_the_token(self):
        answer = self.server.ask(path="/", host="evil.test")
        self.assertIn(answer.status, (400, 403))
        self.assertNotIn(self.server.token.encode(), answer.body)
        self.assertNotIn("Set-Cookie", answer.headers)


class Origins(Serving):
    def test_own(self):
        port = self.server.port
        for headers in (
            [f"Origin: http://127.0.0.1:{port}", "Sec-Fetch-Site: same-origin"],
            ["Sec-Fetch-Site: none"],
            [f"Origin: http://127.0.0.1:{port}"],
        ):
            with self.subTest(headers=headers):
                self.assertEqual(self.server.ask(headers=headers).status, 200)
                self.assertEqual(self.server.ask("POST", "/api/jobs?wait=60", headers, {"do": "samples"}).status, 200)
        self.assertEqual(self.server.ask(host=f"localhost:{port}", headers=[f"Origin: http://localhost:{port}"]).status, 200)

    def test_foreign(self):
        port = self.server.port
        for header in (
            "Origin: http://evil.test",
            "Origin: null",
            f"Origin: http://127.0.0.1:{port}.evil.test",
            f"Origin: http://evil.test:{port}",
            f"Origin: https://127.0.0.1:{port}",
            "Origin: http://127.0.0.1",
            f"Origin: http://localhost.evil.com:{port}",
            "Origin: http://localhost:1",
            "Origin: file://",
            "Origin: chrome-extension://x",
            f"Origin: http://127.0.0.1:{port}/",
            "Origin:",
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Site: same-site",
            "Sec-Fetch-Site: whatever",
        ):
            for method, path, body in (
                ("GET", "/api/packs", None),
                ("GET", "/", None),
                ("POST", "/api/jobs", {"inputs": [SENTENCE]}),
                ("DELETE", "/api/jobs/x", None),
            ):
                with self.subTest(header=header, method=method, path=path):
                    self.assertEqual(self.server.ask(method, path, [header], body).status, 403)

    def test_two_of_which_one_is_foreign(self):
        own = f"Origin: http://127.0.0.1:{self.server.port}"
        for headers in ([own, "Origin: http://evil.test"], ["Origin: http://evil.test", own]):
            self.assertIn(self.server.ask(headers=headers).status, (400, 403))

    def test_is_not_compared_with_the_host_of_the_same_request(self):
        port = self.server.port
        answer = self.server.ask(host=f"evil.test:{port}", headers=[f"Origin: http://evil.test:{port}"])
        self.assertIn(answer.status, (400, 403))

    def test_nobody_else_may_read(self):
        for method in ("GET", "OPTIONS"):
            for headers in (
                ["Origin: http://evil.test", "Access-Control-Request-Method: POST"],
                [f"Origin: http://127.0.0.1:{self.server.port}"],
                [],
            ):
                answer = self.server.ask(method, "/api/packs", headers)
                for header in ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"):
                    self.assertNotIn(header, answer.headers)


class Tokens(Serving):
    EVERYTHING = [
        ("GET", "/api/version", None),
        ("GET", "/api/packs", None),
        ("POST", "/api/jobs", {"inputs": [SENTENCE]}),
        ("GET", "/api/jobs/x", None),
        ("DELETE", "/api/jobs/x", None),
        ("GET", "/api/jobs/x/page", None),
        ("GET", "/api/jobs/x/records", None),
        ("GET", "/nowhere", None),
    ]

    def test_without(self):
        for method, path, body in self.EVERYTHING:
            with self.subTest(method=method, path=path):
                answer = self.server.ask(method, path, body=body, token=False)
                if path.startswith("/api/"):
                    self.assert_refused(answer, 401)
                self.assertEqual(answer.status, 401)
                self.assertNotIn(self.server.token.encode(), answer.body)
                self.assertNotIn("Set-Cookie", answer.headers)

    def test_the_first_page_says_what_to_do(self):
        answer = self.server.ask(path="/", token=False)
        self.assertEqual(answer.status, 401)
        self.assertIn(b"whynot serve", answer.body)
        self.assertNotIn(self.server.token.encode(), answer.body)

    def test_wrong_ones(self):
        token = self.server.token
        flipped = token[:-1] + ("0" if token[-1] != "0" else "1")
        for wrong in (
            "x",
            token[:-1],
            token + "0",
            flipped,
            token.swapcase() if token.swapcase() != token else "x",
            "*",
            "\u0000",
            token[:1] * len(token),
        ):
            with self.subTest(token=wrong):
                self.assertIn(self.server.ask(token=wrong).status, (400, 401))
        for header in (
            "Authorization: Bearer",
            f"Authorization: Basic {token}",
            f"Authorization: {token}",
            f"Cookie: x={token}",
            f"X-Token: {token}",
        ):
            with self.subTest(header=header):
                self.assertEqual(self.server.ask(headers=[header], token=False).status, 401)

    def test_the_address_gives_a_cookie_and_goes(self):
        answer = self.server.ask(path=f"/?token={self.server.token}", token=False)
        self.assertIn(answer.status, (302, 303), answer)
        self.assertNotIn(self.server.token, answer.headers["Location"], "so that it is in no history and no Referer")
        cookie, *rules = [part.strip() for part in answer.headers["Set-Cookie"].split(";")]
        self.assertIn("httponly", [rule.lower() for rule in rules])
        self.assertIn("samesite=strict", [rule.lower() for rule in rules])
        self.assertFalse([rule for rule in rules if rule.lower().startswith("domain")])
        self.assertEqual(self.server.ask(headers=[f"Cookie: {cookie}"], token=False).status, 200)
        self.assertEqual(self.server.ask(headers=[f"Cookie: a=b; {cookie}; c=d"], token=False).status, 200)
        self.assertEqual(self.server.ask(headers=[f"Cookie: {cookie}x"], token=False).status, 401)
        self.assertEqual(self.server.ask(path="/?token=x", token=False).status, 401)
        self.assertIn(
            self.server.ask("POST", f"/api/jobs?token={self.server.token}", body={"inputs": [SENTENCE]}, token=False).status, (401,)
        )

    def test_is_long_and_new_each_time(self):
        self.assertGreaterEqual(len(set(self.server.token)), 8)
        self.assertGreaterEqual(len(self.server.token), 22)  # 128 bits, however they are written
        other = Server("--port", "0")
        self.addCleanup(other.kill)
        self.assertNotEqual(other.token, self.server.token)
        self.assertEqual(other.ask(token=self.server.token).status, 401)


# --- what is asked


class Requests(Serving):
    def test_headers_that_protect(self):
        for path in ("/", "/api/version"):
            answer = self.server.ask(path=path)
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.headers.get("X-Content-Type-Options"), "nosniff")
            self.assertEqual(answer.headers.get("Referrer-Policy", "no-referrer"), "no-referrer")
        policy = self.server.ask(path="/").headers.get("Content-Security-Policy", "")
        self.assertIn("default-src 'none'", policy)
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertNotIn("unsafe-eval", policy)
        self.assertNotRegex(policy, r"script-src[^;]*unsafe-inline")

    def test_get_changes_nothing(self):
        job = self.server.job(wait=60, inputs=[SENTENCE]).json()
        body = json.dumps({"inputs": [SENTENCE]}).encode()
        for method in ("GET", "HEAD"):
            for path in ("/api/jobs", "/api/jobs?do=explain&inputs=x", "/api/jobs?method=POST", "/api/jobs?wait=1"):
                for headers in ([], ["X-HTTP-Method-Override: POST"]):
                    with self.subTest(method=method, path=path, headers=headers):
                        answer = self.server.ask(method, path, headers, body if method == "GET" else None)
                        self.assertIn(answer.status, (400, 404, 405))
        for path in ("", "?delete", "/delete", "?_method=DELETE"):
            self.server.ask(path=f"/api/jobs/{job['job']}{path}", headers=["X-HTTP-Method-Override: DELETE"])
        self.assertEqual(self.server.state(job["job"]), "done")
        self.assertEqual(self.server.ask(path=f"/?do=explain&input={SENTENCE.replace(' ', '+')}&run=1").status, 200)

    def test_the_first_page_is_the_same_whatever_the_link_says(self):
        """So it cannot carry what a link has into the page as markup."""
        plain = self.server.ask(path="/").body
        self.assertEqual(self.server.ask(path="/?input=%3Cscript%3Ealert(1)%3C/script%3E").body, plain)

    def test_paths_that_are_none(self):
        for path in (
            "/../../../../etc/passwd",
            "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
            "//etc/passwd",
            "/etc/passwd",
            "/..%2f..%2fetc%2fpasswd",
            "/page.css/../../etc/passwd",
            "/api/jobs/../../../etc/passwd",
            "/api/jobs/%00",
            "/api/jobs/..",
            "/\\..\\..\\etc\\passwd",
            "/page.css%00.html",
            "/api/jobs/" + "x" * 4000,
            "/api//version/",
            "/%",
        ):
            with self.subTest(path=path):
                answer = self.server.ask(path=path)
                self.assertIn(answer.status, (400, 403, 404), answer)
                self.assertNotIn(b"root:", answer.body)

    def test_no_input_names_a_file(self):
        four = str(SAMPLES / "four.png")
        for wrong in (
            {"path": four},
            {"image_path": four},
            {"file": four},
            {"image_base64": four},
            {"name": four},
            {"text": "x", "path": four},
            [four],
            7,
            None,
        ):
            with self.subTest(input=wrong):
                answer = self.server.job(wait=60, inputs=[wrong])
                if answer.status == 200:  # a question that has no answer is refused in its record
                    self.assertNotEqual(answer.json()["answers"][0]["record"]["status"], "found")
                else:
                    self.assert_refused(answer, (400, 422))
        job = self.server.job(wait=60, inputs=[four]).json()
        self.assertEqual(job["answers"][0]["record"]["question"]["modality"], "text", "a path is a text like any other")
        content = base64.b64encode((SAMPLES / "four.png").read_bytes()).decode()
        job = self.server.job(wait=60, inputs=[{"image_base64": content, "name": "../../../etc/passwd"}]).json()
        self.assertNotIn("root:", json.dumps(job))
        self.assertEqual(os.listdir(self.server.folder), [])

    def test_no_pack_is_named_by_its_folder(self):
        packs = self.server.ask(path="/api/packs").json()["packs"]
        built = os.path.join(os.path.dirname(os.path.dirname(browser.program())), "share", "whynot", "packs")
        for wrong in (os.path.join(built, "yelp"), "../../etc", "/", ".", "./yelp", "yelp/", "no-such-pack", "yelp\u0000"):
            with self.subTest(pack=wrong):
                answer = self.server.job(wait=60, pack=wrong, inputs=[SENTENCE])
                if answer.status in (200, 202):
                    self.assertEqual(answer.json()["state"], "failed", answer)
                else:
                    self.assert_refused(answer, (400, 404, 422))
        for pack in packs:
            self.assertNotIn("/", pack["id"])

    def test_jobs_that_are_none(self):
        for wrong in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'"x"',
            b"{}",
            b'{"inputs": []}',
            b'{"inputs": "x"}',
            b'{"inputs": ["x"], "out": "/tmp"}',
            b'{"inputs": ["x"], "html": "/tmp/x"}',
            b'{"inputs": ["x"], "do": "train"}',
            b'{"inputs": ["x"], "confidence": "high"}',
            b'{"inputs": ["x"], "confidence": 2}',
            b'{"inputs": ["x"], "answers": -1}',
            b'{"inputs": ["x"], "answers": 1e9}',
            b'{"inputs": ["x"], "seed": 0.5}',
            b'{"inputs": ["x"], "keep": "x"}',
            b'{"inputs": ["\xff"]}',
            b'{"inputs": ["x"]} x',
            b'{"inputs": ["\\ud800"]}',
            b"[" * 100_000,
            b'{"inputs": [' + b"[" * 50_000,
            b'{"inputs": ["x"], "inputs": ["y"], "do": 1}',
        ):
            with self.subTest(body=wrong[:60]):
                answer = self.server.ask("POST", "/api/jobs?wait=60", body=wrong)
                if answer.status == 200:
                    self.fail(f"accepted: {answer}")
                self.assert_refused(answer, (400, 422))

    def test_too_many_inputs(self):
        self.assert_refused(self.server.job(inputs=[SENTENCE] * 65), (400, 413, 422))

    def test_methods(self):
        for method, path in (
            ("PUT", "/api/jobs"),
            ("PATCH", "/api/version"),
            ("POST", "/api/version"),
            ("TRACE", "/"),
            ("CONNECT", "localhost:1"),
            ("BREW", "/"),
            ("DELETE", "/api/packs"),
        ):
            with self.subTest(method=method):
                self.assertIn(self.server.ask(method, path).status, (400, 404, 405, 501))

    def test_what_is_no_http(self):
        own = f"Host: localhost:{self.server.port}\r\nAuthorization: Bearer {self.server.token}\r\n"
        for content in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET\r\n\r\n",
            b"\x00" * 100,
            b"GET / HTTP/9.9\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            f"GET / HTTP/1.1\r\n{own} folded\r\nno colon\r\n\r\n".encode(),
            f"GET /\r\nX HTTP/1.1\r\n{own}\r\n".encode(),
            f"POST /api/jobs HTTP/1.1\r\n{own}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{{}}".encode(),
            f"POST /api/jobs HTTP/1.1\r\n{own}Content-Length: -1\r\n\r\n".encode(),
            f"POST /api/jobs HTTP/1.1\r\n{own}Content-Length: 0x10\r\n\r\n".encode(),
            f"POST /api/jobs HTTP/1.1\r\n{own}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode(),
            f"POST /api/jobs HTTP/1.1\r\n{own}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n".encode(),
            f"POST /api/jobs HTTP/1.1\r\n{own}Transfer-Encoding: gzip\r\n\r\nzz".encode(),
        ):
            with self.subTest(content=content[:80]):
                with self.server.connect(60) as connection:
                    connection.sendall(content)
                    connection.shutdown(socket.SHUT_WR)  # no more is coming, so it need not wait
                    answer = answer_on(connection)
                self.assertTrue(answer.status == 0 or 400 <= answer.status < 600, answer)

    def test_one_connection_for_several_requests(self):
        with self.server.connect() as connection:
            for _ in range(3):
                self.assertEqual(send_on(connection, self.server.head()).status, 200)


class Endpoints(Serving):
    """What the interface promises to programs."""

    def test_version(self):
        version = self.server.ask().json()
        self.assertRegex(version["whynot"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(version["record"], "whynot.explanation/1")
        self.assertEqual(version["limits"], {"body": 16777216, "inputs": 64, "waiting": 32, "pixels": 16000000})

    def test_packs(self):
        packs = {pack["id"]: pack for pack in self.server.ask(path="/api/packs").json()["packs"]}
        self.assertEqual(packs["yelp"]["classes"], ["negative", "positive"])
        self.assertIn(packs["yelp"]["default_decoding"], packs["yelp"]["decodings"])
        self.assertEqual(packs["mnist"]["modality"], "image")
        for pack in packs.values():
            self.assertRegex(pack["sha256"], r"^[0-9a-f]{64}$")
            self.assertTrue(pack["classes"])

    def test_explain_says_what_the_command_says(self):
        job = self.server.job(wait=60, inputs=[SENTENCE]).json()
        self.assertEqual((job["state"], job["error"], len(job["answers"])), ("done", None, 1))
        record = job["answers"][0]["record"]
        printed = browser.records_in(browser.run("explain", "--json", SENTENCE).out)[0]
        for part in ("schema", "id", "question", "pack", "status", "text", "answer"):
            self.assertEqual(record[part], printed[part], part)
        self.assertIn("<del>", job["answers"][0]["article"])
        self.assertTrue(job["answers"][0]["row"].startswith("<tr"))
        self.assertIn("-[gross]-", job["answers"][0]["terminal"])

    def test_a_whole_job_as_page_records_and_figure(self):
        job = self.server.job(wait=60, inputs=[SENTENCE, "the staff was rude ."]).json()
        page = self.server.ask(path=f"/api/jobs/{job['job']}/page")
        self.assertTrue(page.body.startswith(b"<!DOCTYPE html>"))
        self.assertIn("attachment", page.headers["Content-Disposition"])
        records = self.server.ask(path=f"/api/jobs/{job['job']}/records")
        self.assertEqual(browser.records_in(records.body), [answer["record"] for answer in job["answers"]])
        figure = self.server.ask(path=f"/api/jobs/{job['job']}/figure?answer=1")
        self.assertIn("image/svg+xml", figure.headers["Content-Type"])
        self.assertIn(b"<svg", figure.body)
        for wrong in ("2", "-1", "x", "99999999999999999999"):
            with self.subTest(answer=wrong):
                self.assert_refused(self.server.ask(path=f"/api/jobs/{job['job']}/figure?answer={wrong}"), (400, 404))

    def test_hostile_sentences_come_escaped(self):
        hostile = "the food was gross <script>window.ran=1</script><img src=x onerror=window.ran=1> ."
        job = self.server.job(wait=60, inputs=[hostile]).json()
        self.assertEqual(job["answers"][0]["record"]["question"]["input"], hostile)
        for part in ("article", "row"):
            self.assertNotRegex(job["answers"][0][part], r"(?i)<script|<img[^>]*onerror")
        figure = self.server.ask(path=f"/api/jobs/{job['job']}/figure?answer=0").body
        self.assertNotRegex(figure.decode(), r"(?i)<script|<img|onerror=w[^&]*\"")

    def test_pictures_and_frames(self):
        content = base64.b64encode((SAMPLES / "four.png").read_bytes()).decode()
        job = self.server.job(wait=60, inputs=[{"image_base64": content, "name": "four.png", "foil": "9"}]).json()
        record = job["answers"][0]["record"]
        self.assertEqual((record["question"]["fact"], record["question"]["foil"], record["pack"]["id"]), ("4", "9", "mnist"))
        self.assertIn('class="way"', job["answers"][0]["article"])
        plain = self.server.job(wait=60, inputs=[{"image_base64": content}], frames=False).json()
        self.assertNotIn('class="way"', plain["answers"][0]["article"])

    def test_classify_attribute_and_samples(self):
        said = self.server.job(wait=60, do="classify", inputs=[SENTENCE]).json()["classifications"][0]
        self.assertEqual(said["class"], "negative")
        self.assertAlmostEqual(sum(said["probabilities"].values()), 1, places=5)
        methods = self.server.job(wait=60, do="attribute", inputs=[SENTENCE]).json()["methods"]
        self.assertTrue(all(method["name"] and method["title"] for method in methods))
        shown = self.server.job(wait=60, do="attribute", inputs=[SENTENCE], method=methods[0]["name"]).json()["attributions"][0]
        self.assertTrue(shown["article"])
        for pack in ("yelp", "mnist"):
            samples = self.server.job(wait=60, do="samples", pack=pack).json()["samples"]
            self.assertTrue(samples)
            asked = self.server.job(wait=60, do="classify", pack=pack, inputs=samples[:2]).json()
            self.assertEqual(asked["state"], "done", asked)

    def test_one_refused_question_leaves_its_neighbour_alone(self):
        job = self.server.job(wait=60, inputs=["xqzt", SENTENCE]).json()
        self.assertEqual(job["state"], "done")
        self.assertNotEqual(job["answers"][0]["record"]["status"], "found")
        self.assertTrue(job["answers"][0]["record"]["reason"])
        self.assertEqual(job["answers"][1]["record"]["status"], "found")

    def test_a_job_that_waits_is_asked_about_later(self):
        answer = self.server.job(inputs=[SENTENCE])
        self.assertEqual(answer.status, 202)
        job = answer.json()["job"]
        self.assertEqual(answer.headers["Location"], f"/api/jobs/{job}")
        self.assertEqual(self.server.wait_for(job)["state"], "done")
        self.assertEqual(self.server.ask("DELETE", f"/api/jobs/{job}").status, 200)
        self.assert_refused(self.server.ask(path=f"/api/jobs/{job}"), 404)

    def test_cancelling(self):
        first = self.server.job(**long_job()).json()["job"]
        second = self.server.job(**long_job()).json()
        self.assertIn(self.server.state(second["job"]), ("waiting", "loading", "working"))
        for job in (second["job"], first):
            self.assertEqual(self.server.ask("DELETE", f"/api/jobs/{job}").status, 200)
        self.assertEqual(self.server.wait_for(first)["state"], "cancelled")
        self.assertEqual(self.server.job(wait=60, inputs=[SENTENCE]).json()["state"], "done", "the next is not held up")

    def test_too_many_jobs(self):
        jobs, refused = [], None
        for _ in range(40):
            answer = self.server.job(**long_job(4))
            if answer.status != 202:
                refused = answer
                break
            jobs.append(answer.json()["job"])
        for job in reversed(jobs):
            self.server.ask("DELETE", f"/api/jobs/{job}")
        self.assertGreaterEqual(len(jobs), 32)
        self.assert_refused(refused, 503)
        self.assertEqual(self.server.job(wait=60, inputs=[SENTENCE]).status, 200)


# --- limits


def png(width, height):
    """A white picture of one bit a pixel: few bytes, however large."""
    chunk = lambda kind, content: struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    row = b"\0" + b"\xff" * ((width + 7) // 8)
    packer = zlib.compressobj(9)
    content = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", content)
        + chunk(b"IEND", b"")
    )


class Limits(Serving):
    def test_a_large_body_is_refused_before_it_is_read(self):
        for length in (16777217, 10**12, 10**30):
            with self.subTest(length=length), self.server.connect() as connection:
                head = self.server.head("POST", "/api/jobs", ["Content-Type: application/json", f"Content-Length: {length}"])
                self.assertIn(send_on(connection, head).status, (413,) if length < 10**18 else (400, 413))

    def test_a_large_body_in_parts(self):
        with self.server.connect() as connection:
            connection.sendall(self.server.head("POST", "/api/jobs", ["Content-Type: application/json", "Transfer-Encoding: chunked"]))
            part = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
            try:
                for _ in range(20):
                    connection.sendall(part)
            except OSError:
                pass
            self.assertIn(answer_on(connection).status, (0, 411, 413, 400))

    def test_a_body_of_nearly_the_limit_is_read(self):
        answer = self.server.ask("POST", "/api/jobs", body=b" " * 16_000_000 + b"{}")
        self.assert_refused(answer, (400, 422))

    def test_a_large_body_from_a_stranger_is_not_read(self):
        with self.server.connect() as connection:
            answer = send_on(connection, self.server.head("POST", "/api/jobs", ["Content-Length: 16000000"], token=False))
            self.assertEqual(answer.status, 401)

    def test_large_headers(self):
        for headers in (
            ["X: " + "y" * 8200],
            [f"X{i}: {'y' * 50}" for i in range(200)],
            ["X" * 9000 + ": y"],
            ["Cookie: " + "a=b; " * 2000],
        ):
            with self.subTest(header=headers[0][:20]):
                self.assertEqual(self.server.ask(headers=headers).status, 431)
        self.assertIn(self.server.ask(path="/" + "x" * 9000).status, (414, 431))
        self.assertEqual(self.server.ask(headers=["X: " + "y" * 6000]).status, 200)

    def test_large_headers_that_never_end(self):
        with self.server.connect() as connection:
            try:
                connection.sendall(b"GET / HTTP/1.1\r\n")
                for _ in range(1000):
                    connection.sendall(b"X: " + b"y" * 1000 + b"\r\n")
            except OSError:
                pass
            self.assertIn(answer_on(connection).status, (0, 431))

    def test_slow_and_silent_ones_are_sent_away(self):
        """Side by side, for each takes as long as the server's patience."""
        ended = {}

        def slow(name, start, drip):
            with self.server.connect(180) as connection:
                try:
                    connection.sendall(start)
                    while True:
                        connection.settimeout(0.5)
                        try:
                            if not connection.recv(4096):
                                break
                        except socket.timeout:
                            if drip:
                                connection.sendall(drip)
                            if name not in running:
                                return
                except OSError:
                    pass
                ended[name] = True

        body = self.server.head("POST", "/api/jobs", ["Content-Length: 100000"])
        kinds = {
            "head": (b"GET / HTTP/1.1\r\n", b"X: y\r\n"),
            "line": (b"GET ", b"x"),
            "body": (body, b" "),
            "nothing": (b"", b""),
            "stopped": (body, b""),
        }
        running = set(kinds)
        threads = [threading.Thread(target=slow, args=(name, *parts)) for name, parts in kinds.items()]
        for thread in threads:
            thread.start()
        try:
            browser.until(lambda: set(ended) == set(kinds), "all of them are sent away", 120)
        finally:
            running.clear()
            for thread in threads:
                thread.join()

    def test_silent_connections_do_not_starve_the_next(self):
        for count in (200, 500):
            silent = []
            try:
                for _ in range(count):
                    silent.append(self.server.connect())
                self.assertEqual(self.server.ask(path="/api/packs").status, 200)
                self.assertEqual(self.server.job(wait=60, inputs=[SENTENCE]).status, 200)
            finally:
                for connection in silent:
                    connection.close()

    def test_a_client_that_does_not_read(self):
        silent = [self.server.connect() for _ in range(20)]
        try:
            for connection in silent:
                connection.sendall(self.server.head(path="/") * 50)
            self.assertEqual(self.server.ask().status, 200)
        finally:
            for connection in silent:
                connection.close()

    def test_pictures_of_too_many_pixels(self):
        self.server.job(wait=60, inputs=[{"image_base64": base64.b64encode(png(28, 28)).decode()}])  # opens the pack
        before = self.server.peak_memory()
        for width, height in ((5000, 4000), (60000, 4000), (2**31 - 1, 1)):
            content = png(width, height) if width < 2**31 - 1 else png(8, 1)[:16] + struct.pack(">I", width) + png(8, 1)[20:]
            with self.subTest(size=(width, height)):
                answer = self.server.job(wait=60, inputs=[{"image_base64": base64.b64encode(content).decode()}])
                if answer.status == 200 and answer.json()["state"] == "done":
                    record = answer.json()["answers"][0]["record"]
                    self.assertNotEqual(record["status"], "found")
                    self.assertTrue(record["reason"])
                elif answer.status == 200:
                    self.assertEqual(answer.json()["state"], "failed")
                else:
                    self.assert_refused(answer, (400, 413, 422))
        self.assertLess(self.server.peak_memory() - before, 200_000_000, "they are refused before they are unpacked")

    def test_pictures_that_are_none(self):
        for content in ("", "!!!!", "AAAA", base64.b64encode(b"GIF89a" + b"\0" * 20).decode(), base64.b64encode(png(28, 28)[:60]).decode()):
            with self.subTest(content=content[:20]):
                answer = self.server.job(wait=60, inputs=[{"image_base64": content, "name": "x.png"}])
                if answer.status == 200:
                    self.assertNotEqual(answer.json()["answers"][0]["record"]["status"], "found")
                else:
                    self.assert_refused(answer, (400, 422))

    def test_a_job_that_nobody_asks_about_is_cancelled(self):
        """As when a tab is closed: whoever waits behind it need not wait for it."""
        jobs = [self.server.job(**long_job()).json()["job"] for _ in range(8)]
        try:
            time.sleep(25)  # nobody asks for longer than the 15 s that are granted
            self.assertEqual(self.server.state(jobs[-1]), "cancelled")
        finally:
            for job in jobs:
                self.server.ask("DELETE", f"/api/jobs/{job}")

    def test_a_client_that_leaves_while_it_waits(self):
        with self.server.connect() as connection:
            content = json.dumps(long_job(4)).encode()
            connection.sendall(
                self.server.head("POST", "/api/jobs?wait=60", ["Content-Type: application/json", f"Content-Length: {len(content)}"])
                + content
            )
            time.sleep(0.5)
        self.assertEqual(self.server.job(wait=60, inputs=[SENTENCE]).status, 200)


# --- starting and ending


class StartingAndEnding(unittest.TestCase):
    def start(self, *arguments, **options):
        server = Server(*arguments, **options)
        self.addCleanup(server.kill)
        return server

    def test_a_port_in_use(self):
        first = self.start("--port", "0")
        second = self.start("--port", str(first.port))
        self.assertTrue(first.port < second.port <= first.port + 10)
        self.assertIn(str(first.port), second.errors() + second.said().split("\n", 1)[1], "it says that the port was taken")
        self.assertEqual((first.ask().status, second.ask().status), (200, 200))
        self.assertEqual(second.ask(token=first.token).status, 401, "nor do they share a port in silence")

    def test_a_port_of_somebody_else(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.assertNotEqual(self.start("--port", str(port)).port, port)

    def test_ports_that_are_none(self):
        for port in ("-1", "65536", "x", ""):
            done = browser.run("serve", "--no-browser", "--port", port, codes=None)
            self.assertEqual(done.code, 2, done)
            self.assertTrue(done.err)

    def test_the_address_for_people(self):
        server = self.start("--port", "0", as_json=False)
        self.assertRegex(server.url, rf"^http://(127\.0\.0\.1|localhost):{server.port}/")

    def end(self, server):
        began = time.monotonic()
        server.interrupt()
        code = server.ended(60)
        took = time.monotonic() - began
        print(f"Ctrl-C: ended after {took:.2f} s with {code}")
        self.assertIn(code, (0, 130, -2), server.errors())
        self.assertLess(took, 10, "a second or two on a machine that is not busy")
        self.assertEqual([name for name in os.listdir(server.folder) if not name.startswith(".")], [])
        self.assertNotRegex(server.errors(), "(?i)terminate|sanitizer|what\\(\\)")

    def test_ctrl_c_while_idle(self):
        server = self.start("--port", "0")
        self.assertEqual(server.ask().status, 200)
        self.end(server)

    def test_ctrl_c_with_silent_connections(self):
        server = self.start("--port", "0")
        silent = [server.connect() for _ in range(20)]
        self.addCleanup(lambda: [connection.close() for connection in silent])
        self.assertEqual(server.ask().status, 200)
        self.end(server)

    def test_ctrl_c_during_a_search(self):
        server = self.start("--port", "0")
        job = server.job(**long_job()).json()["job"]
        server.wait_for(job, ("working", "done"))
        waiting = threading.Thread(target=lambda: server.ask(path=f"/api/jobs/{job}?wait=60"))
        waiting.start()
        time.sleep(0.5)
        self.end(server)
        waiting.join(60)
        self.assertFalse(waiting.is_alive(), "nobody is left hanging")

    def test_ctrl_c_while_a_pack_is_opened(self):
        server = self.start("--port", "0")
        server.job(inputs=[SENTENCE], pack="yelp-sum")
        self.end(server)

    def test_ctrl_c_during_an_upload(self):
        server = self.start("--port", "0")
        with server.connect() as connection:
            connection.sendall(server.head("POST", "/api/jobs", ["Content-Length: 1000000"]) + b" " * 1000)
            time.sleep(0.3)
            self.end(server)


if __name__ == "__main__":
    browser.main()
