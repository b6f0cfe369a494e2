#!/usr/bin/env python3
"""Exports models as the files that `whynot packs new --from-torchscript` takes. The small networks stand in for yours: put
your own, with their weights, in their places. As it is, it writes untrained ones:

    python3 export_model.py FOLDER [VOCABULARY]     with a vocabulary (a word a line) a text classifier too
"""
import sys
import torch
from torch import nn


def image_classifier():  # images [b, channels, h, w], normalised -> logits [b, classes]: stop before any softmax
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.2), nn.Linear(16 * 4 * 4, 3))


class TextClassifier(nn.Module):
    """Cut in two: the embedding goes into a file of its own, and what comes after it is what whynot asks."""

    def __init__(self, words, dimension=16):
        super().__init__()
        self.embedding = nn.Embedding(words, dimension)
        self.head = Head(dimension)

    def forward(self, ids):  # as it is trained: ids [b, words]
        return self.head(self.embedding(ids))


class Head(nn.Module):  # embedded words [b, words, dimension] -> logits [b, classes]
    def __init__(self, dimension):
        super().__init__()
        self.convolution, self.output = nn.Conv1d(dimension, 32, 3, padding=1), nn.Linear(32, 2)

    def forward(self, x):
        return self.output(torch.relu(self.convolution(x.transpose(1, 2))).max(2)[0])


def export(model, file):
    model.cpu().float().eval()  # or dropout and batch statistics stay on
    torch.jit.script(model).save(file)  # where script() refuses: torch.jit.trace(model, a_batch).save(file)


if __name__ == "__main__":
    torch.manual_seed(1)
    folder = sys.argv[1]
    export(image_classifier(), folder + "/image-classifier.pt")
    if len(sys.argv) > 2:
        words = open(sys.argv[2], encoding="utf-8").read().splitlines()
        model = TextClassifier(len(words))
        export(model.head, folder + "/text-classifier.pt")
        torch.save(model.embedding.weight.detach().cpu().float(), folder + "/embedding.pt")
