"""Writes lesson.csv: one made-up table for three lessons, classification, regression and forecasting.

Three shops sell ice cream for two years, a row per shop and day. Demand follows the weekday, the weather, the price and
promotions, and what it was the day before; a shop sells what is asked for, until its stock is gone. So

- `sold_out` is for classification, without `sales`, which gives it away;
- `sales` is for regression, without `sold_out`, and for forecasting, by `date` and `shop`.

Only Python's own generator is used, so that every machine writes the same bytes: python examples/data/make_lesson.py
"""

from __future__ import annotations

import csv
import math
import random
from datetime import date, timedelta
from pathlib import Path

FIRST, DAYS = date(2023, 1, 1), 730
SHOPS = {"harbour": 140.0, "market": 90.0, "station": 60.0}  # sold on an average day
WEEKDAYS = {"Mon": 0.8, "Tue": 0.8, "Wed": 0.85, "Thu": 0.9, "Fri": 1.1, "Sat": 1.35, "Sun": 1.2}
COLUMNS = ("date", "shop", "weekday", "temperature", "price", "promotion", "stock", "sales", "sold_out")


def rows(seed: int = 0) -> list[tuple[object, ...]]:
    """The table, day by day."""
    rng = random.Random(seed)
    weather, moods = 0.0, dict.fromkeys(SHOPS, 0.0)
    table: list[tuple[object, ...]] = []
    for day in (FIRST + timedelta(days=number) for number in range(DAYS)):
        season = -math.cos(2 * math.pi * (day.timetuple().tm_yday - 15) / 365.25)
        weather = 0.7 * weather + rng.gauss(0, 2.5)
        temperature = round(11 + 10 * season + weather, 1)
        weekday = list(WEEKDAYS)[day.weekday()]
        for shop, usual in SHOPS.items():
            promotion = rng.random() < 0.12
            price = round(rng.choice([2.2, 2.4, 2.6, 2.8]) - 0.4 * promotion, 1)
            moods[shop] = 0.6 * moods[shop] + rng.gauss(0, 0.08)
            warmth = 0.4 + 1.2 / (1 + math.exp(-(temperature - 14) / 4))
            heat = 0.8 if temperature > 22 and weekday in ("Sat", "Sun") else 1.0  # then people leave the town
            demand = usual * WEEKDAYS[weekday] * warmth * heat * math.exp(moods[shop] + rng.gauss(0, 0.1))
            demand *= (2.5 / price) ** 1.5 * (1.25 if promotion else 1.0)
            expected = usual * WEEKDAYS[weekday] * (0.4 + 1.2 * (season + 1) / 2)
            stock = 5 * round(expected * rng.choice([0.9, 1.2, 1.5]) / 5)
            sold = min(round(demand), stock)
            gone = "yes" if sold == stock else "no"
            table.append((day, shop, weekday, temperature, price, "yes" if promotion else "no", stock, sold, gone))
    return table


if __name__ == "__main__":
    with Path(__file__).with_name("lesson.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows())
