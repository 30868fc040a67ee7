import torch
from torch import nn


def train(config, trial):
    x = torch.linspace(-3, 3, 400)[:, None]
    y = torch.sin(2 * x) + 0.1 * torch.randn_like(x)
    model = nn.Sequential(nn.Linear(1, config["width"]), nn.Tanh(), nn.Linear(config["width"], 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=config["lr"])
    for epoch in range(1, config["epochs"] + 1):
        loss = nn.functional.mse_loss(model(x[::2]), y[::2])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            val_loss = nn.functional.mse_loss(model(x[1::2]), y[1::2])
        trial.report(step=epoch, train_loss=loss, val_loss=val_loss)
