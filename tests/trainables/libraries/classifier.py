"""The fine-tuning of the Trainer's documentation, on a tiny model from a configuration, and made-up reviews.

https://huggingface.co/docs/transformers/training
"""

import os
import tempfile
import time

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

from trainables.libraries.huggingface import SweepCallback


class Reviews(torch.utils.data.Dataset):
    def __init__(self, count, seed):
        generator = torch.Generator().manual_seed(seed)
        self.tokens = torch.randint(5, 100, (count, 12), generator=generator)
        self.stars = (self.tokens[:, 0] > 50).long()

    def __len__(self):
        return len(self.tokens)

    def __getitem__(self, index):
        return {"input_ids": self.tokens[index], "labels": self.stars[index]}


def compute_metrics(eval_pred):
    time.sleep(float(os.environ.get("SECONDS_A_STEP", 0)))
    logits, labels = eval_pred
    predictions = np.argmax(logits, axis=-1)
    return {"accuracy": float((predictions == labels).mean())}


def train(config, trial, **options):
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=100,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            num_labels=2,
        )
    )
    with tempfile.TemporaryDirectory(dir=trial.directory) as output:
        training_args = TrainingArguments(
            num_train_epochs=config["epochs"],
            learning_rate=config["lr"],
            per_device_train_batch_size=16,
            eval_strategy="epoch",
            logging_strategy="epoch",
            save_strategy="epoch",
            save_total_limit=1,
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            **({"output_dir": output, "seed": trial.seed} | options),
        )
        sweep = SweepCallback(trial, step=config["step"])
        trainer = Trainer(
            model=model,
            args=training_args,
            train_dataset=Reviews(64, seed=0),
            eval_dataset=Reviews(32, seed=1),
            compute_metrics=compute_metrics,
            callbacks=[sweep],
        )
        trainer.train(resume_from_checkpoint=sweep.checkpoint)


def load(path):
    return BertForSequenceClassification.from_pretrained(path)
