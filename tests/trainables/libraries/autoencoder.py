"""The autoencoder of "Lightning in 15 minutes", with the validation of "Validate and test a model", on made-up images.

https://lightning.ai/docs/pytorch/stable/starter/introduction.html
https://lightning.ai/docs/pytorch/stable/common/evaluation_basic.html
"""

import os
import time

import lightning as L
import torch
from torch import nn, optim, utils

from trainables.libraries.lightning import SweepCallback


class LitAutoEncoder(L.LightningModule):
    def __init__(self, lr):
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.Sequential(nn.Linear(28 * 28, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 3))
        self.decoder = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 28 * 28))

    def training_step(self, batch, batch_idx):
        (x,) = batch
        x = x.view(x.size(0), -1)
        z = self.encoder(x)
        x_hat = self.decoder(z)
        loss = nn.functional.mse_loss(x_hat, x)
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        (x,) = batch
        x = x.view(x.size(0), -1)
        z = self.encoder(x)
        x_hat = self.decoder(z)
        self.log("val_loss", nn.functional.mse_loss(x_hat, x))

    def on_train_epoch_end(self):
        time.sleep(float(os.environ.get("SECONDS_A_STEP", 0)))
        self.log("learning_rate", self.trainer.optimizers[0].param_groups[0]["lr"])

    def configure_optimizers(self):
        optimizer = optim.Adam(self.parameters(), lr=self.hparams.lr)
        return [optimizer], [optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.7)]


def train(config, trial, **options):
    images = utils.data.TensorDataset(torch.rand(96, 1, 28, 28, generator=torch.Generator().manual_seed(0)))
    train_set, valid_set = utils.data.random_split(images, [64, 32], generator=torch.Generator().manual_seed(42))
    train_loader = utils.data.DataLoader(train_set, batch_size=16, shuffle=True)
    valid_loader = utils.data.DataLoader(valid_set, batch_size=16)

    autoencoder = LitAutoEncoder(config["lr"])
    sweep = SweepCallback(trial, step=config["step"])
    trainer = L.Trainer(
        max_epochs=config["epochs"],
        callbacks=[sweep],
        default_root_dir=trial.directory,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        **options,
    )
    trainer.fit(autoencoder, train_loader, valid_loader, ckpt_path=sweep.ckpt_path)


def load(path):
    return LitAutoEncoder.load_from_checkpoint(path)
