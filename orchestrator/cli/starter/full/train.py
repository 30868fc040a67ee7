"""Trains a small network on scikit-learn's handwritten digits. Replace the data and the model with your own."""

import torch
from sklearn.datasets import load_digits
from torch import nn


def train(config, trial):
    pixels, digits = load_digits(return_X_y=True)  # [1797, 64] from 0 to 16, and [1797]
    images = torch.tensor(pixels / 16, dtype=torch.float32, device=trial.device)
    labels = torch.tensor(digits, device=trial.device)
    train_x, val_x, train_y, val_y = images[:1400], images[1400:], labels[:1400], labels[1400:]

    model = nn.Sequential(
        nn.Linear(64, config["width"]),
        nn.ReLU(),
        nn.Dropout(config["dropout"]),
        nn.Linear(config["width"], 10),
    ).to(trial.device)
    if config["optimizer"] == "sgd":
        optimizer = torch.optim.SGD(model.parameters(), lr=config["lr"], momentum=config["momentum"])
    else:
        optimizer = torch.optim.AdamW(model.parameters(), lr=config["lr"])

    state = trial.restore()  # None, unless this trial was interrupted
    if state is not None:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    first = 1 if state is None else state["step"] + 1

    for epoch in range(first, config["epochs"] + 1):
        model.train()
        for batch in torch.randperm(len(train_y), device=trial.device).split(64):
            loss = nn.functional.cross_entropy(model(train_x[batch]), train_y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        model.eval()
        with torch.no_grad():
            train_loss = nn.functional.cross_entropy(model(train_x), train_y)
            outputs = model(val_x)
            val_loss = nn.functional.cross_entropy(outputs, val_y)
            val_accuracy = (outputs.argmax(1) == val_y).float().mean()
        trial.save(step=epoch, model=model, optimizer=optimizer)  # random states are saved as well
        trial.report(step=epoch, train_loss=train_loss, val_loss=val_loss, val_accuracy=val_accuracy)
