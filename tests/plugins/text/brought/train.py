#!/usr/bin/env python3
"""Trains three small attention networks over pieces of words, as somebody else would, and writes them as `whynot packs new` takes them.

    train.py FOLDER LABELLED [--pieces N] [--dimension E] [--epochs N] [--check N]

LABELLED has a class (0 or 1), a tab and a sentence a line. In FOLDER/{sentencepiece,wordpiece,byte-pairs}/: head.pt, embedding.pt, the tokenizer's
files, and said.jsonl, what this code says of some sentences; FOLDER/unigram/ has the first with its tokenizer as a tokenizer.json. The tokenizers
here are written for plain ASCII, apart from SentencePiece's own.
"""
import argparse
import base64
import collections
import json
import math
import os
import random
import re
import shutil

import torch
from torch import nn

GPT2_WORD = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")


class SentencePiece:
    def __init__(self, folder, sentences, pieces):
        import sentencepiece
        with open(folder + "/lines.txt", "w") as file:
            file.write("\n".join(sentences))
        sentencepiece.SentencePieceTrainer.train(input=folder + "/lines.txt", model_prefix=folder + "/pieces", vocab_size=pieces,
                                                 model_type="unigram", hard_vocab_limit=False, minloglevel=2)
        self.processor = sentencepiece.SentencePieceProcessor(model_file=folder + "/pieces.model")
        self.size, self.file = self.processor.get_piece_size(), "pieces.model"

    def __call__(self, text):
        return self.processor.encode(text)

    def write_json(self, file):  # as Hugging Face converts such a model
        model = self.processor.serialized_model_proto()
        table = next(value for field, value in fields(next(value for field, value in fields(model) if field == 3)) if field == 2)
        pieces = [[self.processor.id_to_piece(i), self.processor.get_score(i)] for i in range(self.size)]
        added = [{"id": i, "content": pieces[i][0], "special": True} for i in range(self.size) if self.processor.is_control(i)]
        spaces = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
        json.dump({"version": "1.0", "added_tokens": added,
                   "normalizer": {"type": "Sequence", "normalizers": [
                       {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(table).decode()}, spaces]},
                   "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True}, "post_processor": None,
                   "model": {"type": "Unigram", "unk_id": self.processor.unk_id(), "vocab": pieces}}, file)


def fields(message):  # protobuf's wire format: number and value of each field
    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value
    at = 0
    while at < len(message):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
            continue
        size = number() if key & 7 == 2 else 4 if key & 7 == 5 else 8
        yield key >> 3, message[at:at + size]
        at += size


class WordPiece:  # lower case; special pieces around
    def __init__(self, folder, sentences, pieces):
        words = collections.Counter(word for sentence in sentences for word in self.words(sentence))
        parts = collections.Counter()
        for word, count in words.items():
            for i in range(len(word)):
                for j in range(i + 1, min(len(word), i + 8) + 1):
                    parts[word[i:j] if i == 0 else "##" + word[i:j]] += count * (j - i)
        single = [part for part in parts if len(part.replace("##", "")) == 1]
        vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + sorted(single)
        vocabulary += [part for part, _ in parts.most_common() if part not in set(vocabulary)][:pieces - len(vocabulary)]
        self.ids = {piece: i for i, piece in enumerate(vocabulary)}
        self.size, self.file = len(vocabulary), "vocab.txt"
        with open(folder + "/vocab.txt", "w") as file:
            file.write("".join(piece + "\n" for piece in vocabulary))

    @staticmethod
    def words(text):
        return re.findall(r"[a-z0-9]+|[^\sa-z0-9]", text.lower())

    def __call__(self, text):
        ids = [self.ids["[CLS]"]]
        for word in self.words(text):
            begin, found = 0, []
            while begin < len(word):
                end = next((e for e in range(len(word), begin, -1) if ("##" if begin else "") + word[begin:e] in self.ids), None)
                if end is None:
                    found = [self.ids["[UNK]"]]
                    break
                found.append(self.ids[("##" if begin else "") + word[begin:end]])
                begin = end
            ids += found
        return ids + [self.ids["[SEP]"]]


class BytePairs:  # capitals count; special pieces around
    def __init__(self, folder, sentences, pieces):
        words = collections.Counter(word.replace(" ", "\u0120") for sentence in sentences for word in GPT2_WORD.findall(sentence))
        alphabet = [chr(c) for c in range(33, 127)] + ["\u0120"]
        vocabulary, self.ranks, split = ["<s>", "<pad>", "</s>", "<unk>"] + alphabet, {}, {word: list(word) for word in words}
        while len(vocabulary) < pieces:
            pairs = collections.Counter()
            for word, count in words.items():
                for pair in zip(split[word], split[word][1:]):
                    pairs[pair] += count
            if not pairs:
                break
            best = min(pairs, key=lambda pair: (-pairs[pair], pair))
            self.ranks[best] = len(self.ranks)
            if best[0] + best[1] not in vocabulary:
                vocabulary.append(best[0] + best[1])
            for word in words:
                if best[0] in split[word]:
                    split[word] = self.join(split[word], best)
        self.ids = {piece: i for i, piece in enumerate(vocabulary)}
        self.size, self.file = len(vocabulary), "vocab.json"
        with open(folder + "/vocab.json", "w") as file:
            json.dump(self.ids, file)
        with open(folder + "/merges.txt", "w") as file:
            file.write("#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in self.ranks))

    @staticmethod
    def join(symbols, pair):
        joined, i = [], 0
        while i < len(symbols):
            both = i + 1 < len(symbols) and (symbols[i], symbols[i + 1]) == pair
            joined.append(symbols[i] + symbols[i + 1] if both else symbols[i])
            i += 2 if both else 1
        return joined

    def __call__(self, text):
        ids = [self.ids["<s>"]]
        for word in GPT2_WORD.findall(text):
            symbols = list(word.replace(" ", "\u0120"))
            while len(symbols) > 1:
                best = min(zip(symbols, symbols[1:]), key=lambda pair: self.ranks.get(pair, math.inf))
                if best not in self.ranks:
                    break
                symbols = self.join(symbols, best)
            ids += [self.ids[symbol] for symbol in symbols]
        return ids + [self.ids["</s>"]]


class Head(nn.Module):  # embedded pieces [b, n, e] -> logits [b, 2]
    def __init__(self, dimension, longest=512):
        super().__init__()
        self.positions = nn.Parameter(0.1 * torch.randn(longest, dimension))
        self.first, self.second = nn.LayerNorm(dimension), nn.LayerNorm(dimension)
        self.attention = nn.Linear(dimension, 3 * dimension)
        self.wide, self.narrow = nn.Linear(dimension, 4 * dimension), nn.Linear(4 * dimension, dimension)
        self.output = nn.Linear(dimension, 2)

    def forward(self, x: torch.Tensor):
        x = x + self.positions[:x.size(1)]
        query, key, value = self.attention(self.first(x)).chunk(3, 2)
        weights = torch.softmax(query @ key.transpose(1, 2) / query.size(2) ** 0.5, 2)
        x = x + weights @ value
        x = x + self.narrow(torch.relu(self.wide(self.second(x))))
        return self.output(x.mean(1))


def train(tokenizer, examples, dimension, epochs):
    torch.manual_seed(1)
    embedding, head = nn.Embedding(tokenizer.size, dimension), Head(dimension)
    embedding.weight.data.mul_(0.1)
    adam = torch.optim.Adam(list(embedding.parameters()) + list(head.parameters()), 2e-3)
    by_length = collections.defaultdict(list)
    for label, text in examples:
        ids = tokenizer(text)
        by_length[len(ids)].append((ids, label))
    for epoch in range(epochs):
        batches = []
        for group in by_length.values():
            random.shuffle(group)
            batches += [group[i:i + 64] for i in range(0, len(group), 64)]
        random.shuffle(batches)
        for batch in batches:
            ids, labels = torch.tensor([one[0] for one in batch]), torch.tensor([one[1] for one in batch])
            loss = nn.functional.cross_entropy(head(embedding(ids)), labels)
            adam.zero_grad()
            loss.backward()
            adam.step()
    return embedding, head.eval()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("labelled")
    parser.add_argument("--pieces", type=int, default=200)
    parser.add_argument("--dimension", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--check", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(1)
    random.seed(1)
    examples = [(int(line[0]), line[2:].rstrip("\n")) for line in open(options.labelled)]
    sentences = [text for _, text in examples]
    for name, kind in (("sentencepiece", SentencePiece), ("wordpiece", WordPiece), ("byte-pairs", BytePairs)):
        folder = os.path.join(options.folder, name)
        os.makedirs(folder, exist_ok=True)
        tokenizer = kind(folder, sentences, options.pieces)
        embedding, head = train(tokenizer, examples, options.dimension, options.epochs)
        torch.jit.script(head).save(folder + "/head.pt")
        torch.save(embedding.weight.detach(), folder + "/embedding.pt")
        right = 0
        with open(folder + "/said.jsonl", "w") as file, torch.no_grad():
            for label, text in examples[:options.check]:
                said = torch.softmax(head(embedding(torch.tensor([tokenizer(text)])))[0].double(), 0).tolist()
                right += said[label] > 0.5
                file.write(json.dumps({"text": text, "probabilities": said}) + "\n")
        if name == "sentencepiece":
            other = os.path.join(options.folder, "unigram")
            os.makedirs(other, exist_ok=True)
            for file in ("head.pt", "embedding.pt", "said.jsonl"):
                shutil.copy(os.path.join(folder, file), other)
            with open(other + "/tokenizer.json", "w") as file:
                tokenizer.write_json(file)
        print(name, tokenizer.file, tokenizer.size, right / options.check, flush=True)


if __name__ == "__main__":
    main()
