#!/usr/bin/env python3
"""Measures `whynot serve`: how soon its first page is there, what a sentence takes beside a stream's line, what 10,000 requests leave behind.

    WHYNOT_PROGRAM=build/bin/whynot tests/browser/measure_serve.py [SENTENCES.txt]

Not a test: figures depend on the machine. The two ways of asking take turns, sentence after sentence of the same file.
"""
import http.client
import json
import os
import subprocess
import sys
import time

PROGRAM = os.environ.get("WHYNOT_PROGRAM", "whynot")
SENTENCES = [f"the {noun} was {word} ." for noun in "food soup service staff coffee pizza".split() for word in "gross great cold rude lovely awful".split()]


class Server:
    def __init__(self):
        self.began = time.monotonic()
        self.process = subprocess.Popen([PROGRAM, "serve", "--no-browser", "--json", "--port", "0", "--end-with-input"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = json.loads(self.process.stdout.readline())
        self.headers = {"Authorization": "Bearer " + said["token"]}
        self.connection = http.client.HTTPConnection("127.0.0.1", said["port"], timeout=120)

    def ask(self, method, path, body=None):
        self.connection.request(method, path, body and json.dumps(body), self.headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def explain(self, sentence):
        status, body = self.ask("POST", "/api/jobs?wait=60", {"inputs": [sentence]})
        assert status == 200 and json.loads(body)["state"] == "done", body

    def memory(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) / 1000 for line in file if line.startswith("VmRSS"))

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


def main():
    sentences = SENTENCES
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as file:
            sentences = file.read().splitlines()[:200]

    firsts = []
    for _ in range(5):
        server = Server()
        assert server.ask("GET", "/")[0] == 200
        firsts.append(time.monotonic() - server.began)
        server.end()
    print(f"first page after start: {min(firsts):.3f} to {max(firsts):.3f} s (5 starts)")

    server = Server()
    stream = subprocess.Popen([PROGRAM, "explain", "--jsonl", "--threads", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    by_line = by_request = 0.0
    for i, sentence in enumerate(["it was good .", *sentences]):  # the first one opens the model
        began = time.monotonic()
        stream.stdin.write(json.dumps({"input": sentence}) + "\n")
        stream.stdin.flush()
        stream.stdout.readline()
        between = time.monotonic()
        server.explain(sentence)
        if i > 0:
            by_line += between - began
            by_request += time.monotonic() - between
    stream.stdin.close()
    print(f"a sentence: {by_request / len(sentences):.4f} s by request, {by_line / len(sentences):.4f} s by line, ratio {by_request / by_line:.3f}"
          f" ({len(sentences)} sentences, one at a time)")

    began, before = time.monotonic(), server.memory()
    marks = []
    for i in range(10000):
        if i % 10 == 0:
            status, _ = server.ask("POST", "/api/jobs?wait=60", {"do": "classify", "inputs": [sentences[i % len(sentences)]]})
        else:
            status, _ = server.ask("GET", ("/api/packs", "/", "/explorer.js", "/api/version")[i % 4])
        assert status == 200
        if i % 1000 == 999:
            marks.append(server.memory())
    print(f"10,000 requests, 1,000 of them jobs: {time.monotonic() - began:.1f} s; memory {before:.0f} MB before, then " +
          ", ".join(f"{mark:.0f}" for mark in marks))
    server.end()


main()
