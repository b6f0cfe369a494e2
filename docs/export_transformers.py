#!/usr/bin/env python3
"""Exports a sentence classifier of the `transformers` library as the files that `whynot packs new text --tokenizer` takes.

    python3 export_transformers.py MODEL FOLDER [TEXTS]     MODEL: a name or a folder; TEXTS: a file, one text a line

FOLDER gets head.pt (what comes behind the embedding), embedding.pt, the tokenizer's files, and said.jsonl: what the model itself says of the texts.
"""
import json
import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


class Head(torch.nn.Module):  # embedded pieces [b, n, dimension] -> logits [b, classes]
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        # No piece is hidden: whynot never pads.
        return self.model(inputs_embeds=x, attention_mask=torch.ones(x.shape[:2], dtype=torch.long))[0]


def main(name, folder, texts):
    tokenizer = AutoTokenizer.from_pretrained(name)
    model = AutoModelForSequenceClassification.from_pretrained(name, torchscript=True).cpu().float().eval()
    embedding = model.get_input_embeddings().weight.detach()
    head = Head(model).eval()
    with torch.no_grad():
        traced = torch.jit.trace(head, embedding[torch.randint(len(embedding), (2, 12))])
        for batch, length in ((1, 1), (3, 5), (2, 60)):  # a trace may have kept the size of its example
            x = embedding[torch.randint(len(embedding), (batch, length))]
            assert torch.allclose(traced(x), head(x), atol=1e-4), "the trace holds for one size only; export the model in another way"
        traced.save(folder + "/head.pt")
        torch.save(embedding, folder + "/embedding.pt")
        tokenizer.save_pretrained(folder)
        with open(folder + "/said.jsonl", "w", encoding="utf-8") as file:
            for text in texts:
                logits = model(**tokenizer(text, return_tensors="pt"))[0][0]
                file.write(json.dumps({"text": text, "probabilities": torch.softmax(logits.double(), 0).tolist()}) + "\n")
    labels = [model.config.id2label[i] for i in range(model.config.num_labels)]
    print(f"whynot packs new text --from-torchscript {folder}/head.pt --embedding {folder}/embedding.pt --tokenizer {folder} "
          f"--verify {folder}/said.jsonl --classes '{','.join(labels)}' --out DIR")


if __name__ == "__main__":
    lines = open(sys.argv[3], encoding="utf-8").read().splitlines() if len(sys.argv) > 3 else ["This is good.", "This is not good."]
    main(sys.argv[1], sys.argv[2], [line for line in lines if line.strip()])
