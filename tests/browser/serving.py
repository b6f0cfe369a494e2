"""A `whynot serve` for tests, and requests to it as bytes: well-behaved clients would not send most of them (docs/serve.md)."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

import browser

END = b"\r\n"


class Server:
    """The program, serving from a folder of its own, in which it has no reason to write."""

    def __init__(self, *arguments, as_json=True):
        self.folder = tempfile.mkdtemp(dir=browser.SCRATCH)
        environment = {**browser.program_environment(), "TMPDIR": self.folder, "HOME": self.folder}
        command = [browser.program(), "serve", "--no-browser", *(["--json"] if as_json else []), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder, env=environment)
        self._said, self._errors = [], []
        for pipe, lines in ((self.process.stdout, self._said), (self.process.stderr, self._errors)):
            threading.Thread(target=self._read, args=(pipe, lines), daemon=True).start()
        pattern = '"token"' if as_json else r"http://\S+"
        try:
            browser.until(lambda: re.search(pattern, self.said()) or self.process.poll() is not None, "the address of the server", 120)
            if self.process.poll() is not None:
                raise AssertionError(f"{command} ended with {self.process.returncode}: {self.said()}{self.errors()}")
            if as_json:
                self.first = json.loads(self.said().split("\n")[0])
                self.port, self.token, self.url = self.first["port"], self.first["token"], self.first["url"]
            else:
                self.url = re.search(r"http://\S+", self.said()).group(0)
                self.port = int(re.search(r":(\d+)", self.url[5:]).group(1))
                found = re.search(r"token=([\w-]+)", self.url)
                self.token = found.group(1) if found else ""
        except BaseException:
            self.kill()
            raise

    @staticmethod
    def _read(pipe, lines):
        for line in pipe:
            lines.append(line.decode(errors="replace"))

    def said(self):
        return "".join(self._said)

    def errors(self):
        return "".join(self._errors)

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def ended(self, seconds=60):
        """The exit code, once it has ended."""
        return self.process.wait(timeout=seconds)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def peak_memory(self):
        """The most it has held, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) * 1024

    # Requests.

    def connect(self, seconds=60):
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)

    def head(self, method="GET", path="/api/version", headers=(), host=None, token=True):
        """The head of a request. `host` may be a list: none, or several. `token` may be another one."""
        hosts = [f"127.0.0.1:{self.port}"] if host is None else [host] if isinstance(host, str) else host
        lines = [f"{method} {path} HTTP/1.1", *(f"Host: {name}" for name in hosts)]
        if token:
            lines.append("Authorization: Bearer " + (self.token if token is True else token))
        return END.join(line.encode("utf-8") for line in [*lines, *headers]) + END + END

    def ask(self, method="GET", path="/api/version", headers=(), body=None, host=None, token=True, seconds=60):
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers = [*headers, "Content-Type: application/json", f"Content-Length: {len(content)}"]
        else:
            content = b""
        return self.send(self.head(method, path, [*headers, "Connection: close"], host, token) + content, seconds)

    def send(self, content, seconds=60):
        with self.connect(seconds) as connection:
            return send_on(connection, content)

    def job(self, wait=None, **job):
        """Asks for a job. Returns what comes back."""
        return self.ask("POST", "/api/jobs" + (f"?wait={wait}" if wait is not None else ""), body=job)

    def state(self, job):
        return self.ask(path=f"/api/jobs/{job}").json()["state"]

    def wait_for(self, job, states=("done", "failed", "cancelled"), seconds=browser.PROGRAM_SECONDS):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.ask(path=f"/api/jobs/{job}?wait=5").json()
            if found["state"] in states:
                return found
            time.sleep(0.1)
        raise AssertionError(f"job {job} was not {states} within {seconds} s")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {dict(self.headers)} {self.body[:300]!r}"


def send_on(connection, content):
    """What is answered to these bytes; status 0 where the connection is closed without a word."""
    try:
        connection.sendall(content)
    except OSError:
        pass  # refused before all was sent: the answer may be there all the same
    return answer_on(connection, "HEAD" if content.startswith(b"HEAD ") else "GET")


def answer_on(connection, method="GET"):
    answer = http.client.HTTPResponse(connection, method=method)
    try:
        answer.begin()
        return Answer(answer.status, answer.headers, answer.read())
    except (http.client.HTTPException, ConnectionError):
        return Answer(0, {}, b"")
    finally:
        answer.close()


def long_job(sentences=64):
    """A job that is still at work when a test has done what it wants to do meanwhile."""
    words = ["food", "service", "staff", "place", "pizza", "coffee", "music", "waiter"]
    text = " and ".join(
        f"the {word} was really {says}" for word, says in zip(words, ["gross", "slow", "rude", "dirty", "cold", "bitter", "loud", "late"])
    )
    return {"do": "explain", "inputs": [f"{text} , {words[i % 8]} {i} ." for i in range(sentences)], "answers": 8}


def listening(port):
    """Addresses on which this machine listens at `port`, as /proc has them."""
    found = []
    for file in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(file):
            with open(file) as table:
                for line in list(table)[1:]:
                    address, state = line.split()[1], line.split()[3]
                    if state == "0A" and int(address.rsplit(":", 1)[1], 16) == port:
                        found.append(address.rsplit(":", 1)[0])
    return found
