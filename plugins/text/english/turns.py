#!/usr/bin/env python3
"""Prints what stands for what when a sentence is turned: pairs of words, one a line, and how much each is to count, 1 to 9.

    turns.py PAIRS WORDNET WORDS > turns.txt

PAIRS is pairs.tsv.gz of imdb-human: sentences and how people turned them (Kaushik et al. 2020, Apache-2.0). WORDNET is the folder of WordNet's
data files (Debian: wordnet-base). WORDS has the words that may stand in the list, one a line: in the list that is here, those that occur ten times in
the training sentences of yelp, or in those of go-emotions, imdb-human and clinc150 together. Counted are

    people      a word that people put in another's place at least twice: 3 + 2 log2(count) to 9
    antonyms    7
    indirect    of adjectives, the antonyms of those that are like it, and those like them: 4
"""
import collections
import csv
import difflib
import gzip
import math
import re
import sys

PIECE = re.compile(r"n't|'\w+|\w+(?=n't)|[\w-]+|[^\w\s]+")
WORD = re.compile(r"[a-z][a-z'-]+")
GRAMMAR = set("""an the you he she it we they me him us them my your his its our their this that these those is are was were be been being am do does did
    doing will would can ca could shall should may might must n't of on at to for from by as about into against than if when who why how then there
    here""".split())  # words that say how a sentence is built: in the place of another they turn nothing


def of_people(file):
    counts = collections.Counter()
    for row in csv.DictReader(gzip.open(file, "rt"), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["split"] != "train":
            continue
        a, b = PIECE.findall(row["original"].lower()), PIECE.findall(row["revised"].lower())
        for kind, i, j, k, l in difflib.SequenceMatcher(None, a, b, False).get_opcodes():
            if kind == "replace" and j - i == l - k:
                for pair in zip(a[i:j], b[k:l]):
                    counts[tuple(sorted(pair))] += 1
    return {pair: min(9, round(3 + 2 * math.log2(count))) for pair, count in counts.items() if count >= 2}


def of_wordnet(folder):
    letters = {"adj": "a", "noun": "n", "verb": "v", "adv": "r"}
    sets = {}
    for part, letter in letters.items():
        for line in open(f"{folder}/data.{part}"):
            if line.startswith("  "):
                continue
            fields = line.split("|")[0].split()
            size = int(fields[3], 16)
            words = [re.sub(r"\(.*", "", word).lower() for word in fields[4:4 + 2 * size:2]]
            rest = fields[5 + 2 * size:]
            pointers = [(rest[i], (rest[i + 2].replace("s", "a"), rest[i + 1]), int(rest[i + 3][:2], 16), int(rest[i + 3][2:], 16))
                        for i in range(0, 4 * int(fields[4 + 2 * size]), 4)]
            sets[letter, fields[0]] = (words, pointers)

    def like(key):
        words, pointers = sets[key]
        return words + [word for sign, to, _, _ in pointers if sign == "&" for word in sets[to][0]]

    found = {}
    for key, (words, pointers) in sets.items():
        for sign, to, one, other in pointers:
            if sign != "!":
                continue
            found[tuple(sorted((words[one - 1], sets[to][0][other - 1])))] = 7
            if key[0] == "a":
                for word in like(key):
                    for opposite in like(to):
                        found.setdefault(tuple(sorted((word, opposite))), 4)
    return found


def main():
    pairs, folder, words = sys.argv[1:]
    words = set(open(words).read().split())
    found = of_wordnet(folder)
    for pair, value in of_people(pairs).items():
        found[pair] = max(value, found.get(pair, 0))
    for (a, b), value in sorted(found.items()):
        if a != b and {a, b} <= words - GRAMMAR and WORD.fullmatch(a) and WORD.fullmatch(b):
            print(a, b, value)


if __name__ == "__main__":
    main()
