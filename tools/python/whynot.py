"""Why class A and not B? whynot from Python: explanations of classifiers of sentences and images.

    import pathlib, whynot

    with whynot.Client() as client:                    # starts `whynot serve`, and ends it at the end of the block
        answer = client.explain("the food was gross .")
        print(answer)                                  # in a notebook, `answer` alone shows it with colours and pictures
        print(answer.text)                             # the food was good .
        print(client.explain(pathlib.Path("four.png"), foil="9").probabilities["answer"])

The *fact* is the class that is explained (default: the one the classifier gives the input), the *foil* the one asked about (default: the
runner-up). An input is a `str` (a sentence), `bytes` (an image file), or a `pathlib.Path` (an image file that is read here). It may also be a
dict as the HTTP API has it, {"text": ..., "foil": ...} or {"image_base64": ..., "fact": ...}: a question with classes of its own.

This module needs nothing but the standard library and the program. It speaks to the program through HTTP on this machine alone (docs/serve.md)
and never through a proxy. What is in a record is in docs/record.md.
"""
import base64
import contextlib
import html
import http.client
import json
import os
import re
import subprocess
import tempfile
import urllib.parse
import weakref

__all__ = ["Answer", "Client", "Error"]

_RESULTS = {"explain": "answers", "classify": "classifications", "attribute": "attributions"}  # where a job has what it was asked


class Error(Exception):
    """What went wrong: `code` is for programs, `message` a sentence for people, `status` that of HTTP, None where it came from this module.

    This module has three codes: `unavailable` (the program did not start, has ended, or does not answer), `not-found` (there is no such program)
    and `invalid-input` (a file that cannot be read, a text that is no Unicode, an input that is too large).
    """

    def __init__(self, code, message, status=None):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class Client:
    """Asks the program. Use it in a `with`; without one call `close()`. It also ends with the interpreter.

        Client()                                            starts `whynot serve` for itself
        Client(program="build/bin/whynot", arguments=["--memory", "4000"])
        Client("http://127.0.0.1:8741/", token="...")       a server that runs: what `whynot serve --no-browser --json` printed

    Threads: one client a thread. A client keeps one connection, and two threads would talk into each other; several clients may share one server.
    Ctrl-C during a wait cancels the work and comes through as KeyboardInterrupt; the client can be used after that.
    """

    def __init__(self, url=None, token=None, program="whynot", arguments=()):
        if (url is None) != (token is None):
            raise TypeError("give url and token together, as the program printed them; or neither, and the program is started")
        self._program = self._stop = self._connection = self._style = None
        try:
            self._url, token = self._start(program, arguments) if url is None else (url, token)
            place = urllib.parse.urlsplit(self._url)
            if place.scheme != "http" or not place.hostname:
                raise ValueError(f"expected an address such as http://127.0.0.1:8741/, found '{url}'")
            self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            self._connection = http.client.HTTPConnection(place.hostname, place.port or 80, timeout=120)
            self._limits = self._json("GET", "/api/version")["limits"]  # a wrong token is told at once
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        """Ends the program, if this client started it. Answers remain, but cannot be saved as pages or figures any more."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._stop is not None:
            self._stop()

    def packs(self):
        """The models there are: a list of dicts with `id`, `classes`, `modality`, `decodings`, ..."""
        return self._json("GET", "/api/packs")["packs"]

    def explain(self, input, *, pack=None, fact=None, foil=None, keep=(), confidence=None, answers=1, decode=None, seed=1):
        """Why the fact and not the foil? Returns an Answer.

        pack        the model; default: that of the kind of input (`packs()` names them)
        keep        words that no answer may change
        confidence  the least probability that the foil has in the answer
        answers     how many different ones are wanted at most; more than one are in `record["text"]["further"]`
        decode      how a boundary becomes a sentence, one of the pack's `decodings`
        seed        of everything that is drawn: the same question with the same seed has the same answer

        "None found" is an answer too: look at `status` and `reason`. Error is raised where nothing could be asked.
        """
        return self._ask("explain", [input], [self._wire(input)], _question(pack, fact, foil, keep, confidence, answers, decode, seed))[0]

    def explain_all(self, inputs, *, batch=16, pack=None, fact=None, foil=None, keep=(), confidence=None, answers=1, decode=None, seed=1):
        """Explains any number of inputs; yields one Answer for each, in order.

            for answer in client.explain_all(open("sentences.txt")):     # also a generator without end
                print(answer.status, answer.text)

        `batch` of them are read and solved together, which is faster than one by one; none is read ahead of that. A question that cannot be
        answered gives an Answer whose status is "refused", and the next one follows. Pages of these answers are lighter: they lack the steps
        of a picture on its way.
        """
        return self._all("explain", inputs, batch, {**_question(pack, fact, foil, keep, confidence, answers, decode, seed), "frames": False})

    def classify(self, input, pack=None):
        """What the classifier says: a dict with `class` and `probabilities`; `strangeness`, `warnings` and `reason` (it could not be read) only where there is one."""
        return self._ask("classify", [input], [self._wire(input)], {"pack": pack})[0]

    def classify_all(self, inputs, pack=None, *, batch=64):
        """Classifies any number of inputs; yields what `classify` returns for each, in order, as lazily as `explain_all`."""
        return self._all("classify", inputs, batch, {"pack": pack})

    def attribute(self, input, method=None, *, pack=None, fact=None, foil=None, seed=1):
        """Which words, or pixels, the decision rests on, by a published method. Returns an Answer whose record is that of docs/attribution.md.

        `method` is a name that `methods()` has; default: the first of them that needs nothing more than every pack has.
        """
        wire = self._wire(input)
        if method is None:
            known = self._run({"do": "attribute", "method": "", "inputs": [wire], "pack": pack}).get("methods", [])
            method = next((one["name"] for one in known if not one.get("needs")), None)
            if method is None:
                raise Error("not-found", "the pack has no method of attribution that needs nothing; client.methods() has those there are")
        return self._ask("attribute", [input], [wire], dict(method=method, pack=pack, fact=fact, foil=foil, seed=seed))[0]

    def methods(self, pack=None):
        """The methods of attribution that a pack can be asked with: a list of dicts with `name`, `title`, `needs`."""
        return self._run({"do": "attribute", "method": "", "inputs": [], "pack": pack}).get("methods", [])

    def samples(self, pack):
        """Inputs that show what a pack explains; each can be asked as it is."""
        return self._run({"do": "samples", "pack": pack}).get("samples", [])

    def _ask(self, do, inputs, wires, question):
        job = self._run({"do": do, "inputs": wires, **question})
        results = job[_RESULTS[do]]
        if len(results) != len(inputs):
            raise Error("internal", f"expected {len(inputs)} {_RESULTS[do]}, found {len(results)}")
        if do == "classify":
            return results
        if self._style is None:
            self._style = self._bytes("GET", "/page.css").decode()
        return [Answer(one, given, self._style, (self, job["job"], i)) for i, (one, given) in enumerate(zip(results, inputs))]

    def _all(self, do, inputs, batch, question):
        if isinstance(inputs, (str, bytes, os.PathLike, dict)):
            raise TypeError("expected many inputs, such as a list; found one")  # or else the letters of a sentence would be asked about
        return self._answers(do, self._batches(inputs, max(1, min(batch, self._limits["inputs"]))), question)

    def _answers(self, do, batches, question):
        for pairs in batches:
            good = [pair for pair in pairs if not isinstance(pair[1], Error)]
            results = iter(self._ask(do, [given for given, _ in good], [wire for _, wire in good], question) if good else ())
            for given, wire in pairs:
                yield _refused(do, given, wire, question) if isinstance(wire, Error) else next(results)

    def _batches(self, inputs, batch):
        """Lists of what fits into one job, of one kind: pairs of an input as it was given, and as it is sent, or the Error that says why it is not."""
        pairs, size = [], 0
        for given in inputs:
            try:
                wire = self._wire(given)
                more = len(json.dumps(wire)) + 2
            except Error as error:
                wire, more = error, 0
            if pairs and (size + more > self._room() or _is_text(given) != _is_text(pairs[0][0])):
                yield pairs
                pairs, size = [], 0
            pairs.append((given, wire))
            size += more
            if len(pairs) == batch:
                yield pairs
                pairs, size = [], 0
        if pairs:
            yield pairs

    def _room(self):
        return self._limits["body"] - 65536  # for inputs: a job has more than these

    def _wire(self, input):
        """An input as a job has it."""
        wire = input
        try:
            if isinstance(input, str):
                wire = input.rstrip("\r\n")  # of a line of a file
                wire.encode()
            elif isinstance(input, os.PathLike):
                with open(input, "rb") as file:
                    wire = {"image_base64": _base64(file.read(self._limits["body"])), "name": os.path.basename(_name(input))}
            elif isinstance(input, (bytes, bytearray, memoryview)):
                wire = {"image_base64": _base64(input)}
            elif not isinstance(input, dict):
                raise TypeError(f"expected a sentence (str), an image file (bytes) or its path (pathlib.Path), found {type(input).__name__}")
            if isinstance(wire, dict) and wire.get("image_base64") == "":
                raise ValueError("there is nothing in it")
        except (OSError, ValueError) as error:
            raise Error("invalid-input", f"{_name(input)[:80]} cannot be read: {error}") from error
        if len(json.dumps(wire)) > self._room():
            raise Error("invalid-input", f"{_name(input)[:80]} is too large: a question may have {self._limits['body'] >> 20} MB, a picture three quarters of it")
        return wire

    def _run(self, job):
        """A job from its beginning to its end. Where the first wait is broken off, the server cancels it by itself: nobody else knows its name."""
        job = self._json("POST", "/api/jobs?wait=30", {name: value for name, value in job.items() if value is not None})
        try:
            while job["state"] in ("waiting", "loading", "working"):
                job = self._json("GET", f"/api/jobs/{job['job']}?wait=30")
        except BaseException:
            self._cancel(job["job"])
            raise
        if job["state"] != "done":
            error = job.get("error") or {"code": job["state"], "message": f"the job was {job['state']}"}
            raise Error(error["code"], error["message"])
        return job

    def _cancel(self, name):
        other = http.client.HTTPConnection(self._connection.host, self._connection.port, timeout=5)
        with contextlib.closing(other), contextlib.suppress(http.client.HTTPException, OSError):  # with the server, its jobs are gone too
            other.request("DELETE", f"/api/jobs/{name}", headers=self._headers)
            other.getresponse().read()

    def _json(self, method, path, body=None):
        return json.loads(self._bytes(method, path, None if body is None else json.dumps(body).encode()))

    def _bytes(self, method, path, body=None):
        """One request on the connection that is kept. A server closes one that was silent for long: then it is opened once more."""
        connection = self._connection
        if connection is None:
            raise Error("unavailable", "this client was closed")
        for once_more in (connection.sock is not None, False):
            try:
                connection.request(method, path, body, self._headers)
                response = connection.getresponse()
                content = response.read()
                break
            except BaseException as error:
                connection.close()
                if once_more and isinstance(error, ConnectionError):
                    continue
                if isinstance(error, (http.client.HTTPException, OSError)):
                    ended = "" if self._program is None else _how_it_ended(*self._program)
                    raise Error("unavailable", ended or f"no answer from {self._url} ({error}): has the program ended?") from error
                raise
        if response.status < 300:
            return content
        try:
            error = json.loads(content)["error"]
            raise Error(error["code"], error["message"], response.status)
        except (ValueError, KeyError, TypeError):
            raise Error("unavailable", f"{self._url} answered {response.status} {response.reason}", response.status) from None

    def _start(self, program, arguments):
        command = [os.fspath(program), "serve", "--no-browser", "--json", "--port", "0", "--end-with-input", *map(os.fspath, arguments)]
        said = tempfile.TemporaryFile()  # what it says to people; shown if it ends
        try:  # in a session of its own, so that Ctrl-C reaches this program alone, which then cancels
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, start_new_session=True)
        except OSError as error:
            said.close()
            raise Error("not-found", f"'{command[0]}' cannot be started ({error.strerror}): install whynot so that it is found on PATH, or say "
                                     "where it is: Client(program=\".../bin/whynot\")") from error
        self._program, self._stop = (process, said), weakref.finalize(self, _end, process, said, os.getpid())
        line = process.stdout.readline()
        try:
            return json.loads(line)["url"], json.loads(line)["token"]
        except (ValueError, KeyError, TypeError):
            ended = _how_it_ended(process, said) or "it still runs"
            raise Error("unavailable", f"'{command[0]} serve' said {line.decode('utf-8', 'replace')[:200]!r} in place of its address; {ended}") from None


class Answer:
    """The answer to one question. `record` (docs/record.md) has everything; the properties are what is asked for most.

    `input` is what was asked about, as it was given; `terminal` has the lines for a terminal, `article` the elements of a page, escaped.
    A question that never reached the program (its file could not be read) has a record of question, status, reason and warnings alone.
    """

    def __init__(self, data, given, style="", job=None):
        self.record, self.terminal, self.article = data["record"], data.get("terminal", ""), data.get("article", "")
        self.input, self._style, self._job = given, style, job

    status = property(lambda self: self.record["status"], doc="found, best-effort, infeasible, stopped or refused")
    reason = property(lambda self: self.record["reason"], doc="why there is no full answer, a sentence; None where there is")
    found = property(lambda self: self.status == "found")
    fact = property(lambda self: self.record["question"]["fact"])
    foil = property(lambda self: self.record["question"]["foil"])
    text = property(lambda self: self.record.get("text", {}).get("answer"), doc="the edited sentence; None where there is none, as of an image")
    probabilities = property(lambda self: self.record.get("probabilities"),
                             doc="what the classifier says `before`, at the `boundary`, of the `answer`: each a dict of classes, or None")

    @property
    def question(self):
        """In words: why negative and not positive?"""
        return f"why {self.fact} and not {self.foil}?" if self.foil else f"why {self.fact}?" if self.fact else "no answer"

    def __repr__(self):
        return f"<whynot.Answer, {self.status}: {self.question}>"

    def __str__(self):
        lines = self.terminal.strip("\n")
        if "why not" not in lines.partition("\n")[0]:
            lines = f"{self.question}\n\n{lines}".rstrip("\n")
        return lines if not self.reason or self.reason in lines else f"{lines}\n{self.status}: {self.reason}"

    def _repr_html_(self):
        """For a notebook: a document of its own in a frame, so that neither styles the other, in which nothing may run or be fetched."""
        article = self.article or f"<p>{html.escape(f'{self.status}: {self.reason}')}</p>"
        page = ('<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
                f'img-src data:; style-src \'unsafe-inline\'"><style>{self._style}\nh1 {{ font-size: 1.25rem; }}</style>'
                f'<main><article><h1>{html.escape(self.question)}</h1>{article}</article></main></html>')
        return (f'<iframe sandbox="" title="whynot" style="width: 100%; height: {_height(article)}px; border: 0; resize: vertical" '
                f'srcdoc="{html.escape(page)}"></iframe>')

    def save_page(self, path):
        """Writes a page that any browser opens from disk (docs/pages.md).

        The program makes it, and remembers a question until 64 later jobs have ended or take more than 200 MB, or ten minutes: save soon.
        """
        self._save(path, "page?answer={}")

    def save_figure(self, path):
        """Writes this answer as one figure for a paper, SVG; as soon as `save_page`."""
        self._save(path, "figure?answer={}")

    def _save(self, path, what):
        if self._job is None:
            raise Error("invalid-input", f"this question never reached the program: {self.reason}")
        client, job, place = self._job
        content = client._bytes("GET", f"/api/jobs/{job}/{what.format(place)}")
        with open(path, "wb") as file:
            file.write(content)


def _question(pack, fact, foil, keep, confidence, answers, decode, seed):
    keep = [keep] if isinstance(keep, str) else list(keep)
    return dict(pack=pack, fact=fact, foil=foil, keep=keep, confidence=confidence, answers=answers, decode=decode, seed=seed)


def _refused(do, given, error, question):
    """The answer about an input that could not be sent."""
    if do == "classify":
        return {"input": _name(given), "class": None, "probabilities": None, "strangeness": None, "warnings": [], "reason": error.message}
    asked = {"modality": "text" if _is_text(given) else "image", "input": _name(given), "fact": question["fact"], "foil": question["foil"]}
    return Answer({"record": {"question": asked, "status": "refused", "reason": error.message, "warnings": []}}, given)


def _is_text(input):
    return isinstance(input, str) or isinstance(input, dict) and "text" in input


def _name(input):
    name = input if isinstance(input, str) else os.fsdecode(input) if isinstance(input, os.PathLike) else "the input"
    return name.encode("utf-8", "backslashreplace").decode()


def _base64(content):
    return base64.b64encode(content).decode()


def _height(article):
    """How high an article is, in pixels, guessed: a frame does not grow with what is in it, but it scrolls, and can be drawn larger."""
    drawn = sum(float(height) for height in re.findall(r'<svg[^>]* height="([\d.]+)"', article))
    return int(min(900, 150 + 35 * article.count("<p") + 32 * article.count("<tr") + drawn + 300 * ('class="panels"' in article)))


def _how_it_ended(process, said):
    """What there is to say of a program that ended: its last lines. Empty: it runs."""
    try:
        code = process.wait(1)
    except subprocess.TimeoutExpired:
        return ""
    said.seek(max(0, said.seek(0, os.SEEK_END) - 4096))
    return f"the program ended (exit code {code}): " + "\n".join(said.read().decode("utf-8", "replace").strip().split("\n")[-8:])


def _end(process, said, owner):
    """Ends the program that a client started; not what a copy of this process (fork) does."""
    if os.getpid() == owner:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()  # nothing, where it ended
        process.wait()
        process.stdin.close()
        process.stdout.close()
        said.close()
