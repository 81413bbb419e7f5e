"""The whole project: prices, features, tuning, training, an honest comparison with the naive forecast, and pictures.

    python main.py --ticker AAPL --start 2015-01-01 --end 2025-01-01     from Yahoo Finance, kept in --cache
    python main.py --csv AAPL.csv                                        any file with Date, Open, High, Low, Close, Volume
    accelerate launch main.py --csv AAPL.csv                             on all GPUs
    ACCELERATE_USE_CPU=1 torchrun --nproc-per-node 2 main.py             two processes without a GPU

Without --ticker and --csv it runs on the invented share that comes with the project. Nothing here is to be written; what is
not written yet in the task files ends the run with the name of the task to do next.
"""

import argparse
import datetime
import json
import logging
import sys
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from acquire import clean_prices, fetch_prices, read_prices
from bonus import add_sentiment, daily_sentiment, read_lexicon, read_news, score_headlines
from evaluate import evaluate, naive_forecast, plot_forecast, predict
from features import Part, Prepared, Scaler, build_features, chronological_split, future_return, make_windows, prepare
from model import PriceRNN
from torch import nn
from torch.utils.data import DataLoader
from train import History, TrainConfig, plot_training, train
from tune import FOLDS, TEST_FRACTION, best, make_loader, plot_trials, search, split_settings

from grader.page import Results, Unusable, conduct

SPACE = {
    "lookback": [10, 20, 40],
    "cell": ["gru", "lstm", "rnn"],
    "hidden_size": [8, 16, 32],
    "num_layers": [1, 2],
    "dropout": [0.0, 0.2],
    "lr": [0.001, 0.003, 0.01],
    "weight_decay": [0.0, 0.01],
    "batch_size": [128],
    "epochs": [15],
    "patience": [4],
}
FEWEST_DAYS = 300
LAST_DAYS = 60  # in the close-up of the forecasts
SUSPICIOUS = 0.1  # a skill on real prices that nobody has honestly
HONEST = "On real prices a skill of about 0 is what is honestly possible."


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    option = parser.add_argument
    option("--ticker", help="Yahoo's symbol, such as AAPL; needs a network, unless its prices are in --cache")
    option("--start", default="2015-01-01", help="first day of --ticker (default: %(default)s)")
    option("--end", default=f"{datetime.date.today()}", help="the day after the last one (default: today)")
    option("--cache", type=Path, default=Path("cache"), help="folder that keeps Yahoo's prices (default: %(default)s)")
    option("--csv", type=Path, help="a file of daily prices instead of a ticker")
    option("--news", type=Path, help="a file with published,headline (default: the project's own, for its own share)")
    option("--trials", type=int, default=8, help="settings to try (default: %(default)s)")
    option("--budget", type=float, default=75.0, help="seconds after which no trial begins (default: %(default)s)")
    option("--out", type=Path, default=Path("results"), help="folder for what is written (default: %(default)s)")
    option("--seed", type=int, default=0, help="of the trials, the first weights and the order (default: %(default)s)")
    args = parser.parse_args()
    if args.ticker and args.csv:
        parser.error("expected --ticker or --csv, found both.")
    if args.trials < 1:
        parser.error(f"expected at least one trial, found --trials {args.trials}.")
    try:
        days = [datetime.date.fromisoformat(day) for day in (args.start, args.end)]
    except ValueError as error:
        parser.error(f"expected --start and --end as YYYY-MM-DD: {error}.")
    if days[0] >= days[1]:
        parser.error(f"expected --start before --end, found {args.start} and {args.end}.")
    return args


def own(name: str) -> Path:
    """A file that comes with the project: in the folder `data` beside this file, or in the repository's fixture."""
    here = Path(__file__).resolve().parent
    places = [here / "data" / name, *(folder / "fixtures/stock_forecasting" / name for folder in here.parents)]
    for place in places:
        if place.exists():
            return place
    raise Unusable(f"expected the project's own {name} at {places[0]}, found none; name other prices with --csv.")


def read(args: argparse.Namespace, accelerator: Accelerator) -> tuple[str, pd.DataFrame]:
    """A name for the prices, and the prices.

    Raises:
        Unusable: no such file or ticker, no network, no such table, or too few days.
    """
    path = args.csv or own("KELP.csv")
    raw, failure = None, None
    with accelerator.main_process_first():  # the others find Yahoo's answer in the cache
        try:
            raw = fetch_prices(args.ticker, args.start, args.end, args.cache) if args.ticker else read_prices(path)
        except FileNotFoundError:
            failure = f"expected a CSV file at {path}, found none."
        except (ValueError, OSError) as error:  # raised once the others have had their turn: they wait for this process
            failure = f"{args.ticker or path}: {' '.join(str(error).split())}"
    if failure:
        raise Unusable(failure)
    try:
        prices = clean_prices(raw)
    except ValueError as error:
        raise Unusable(f"{args.ticker or path}: {error}") from None
    name = args.ticker or path.stem
    if len(prices) < FEWEST_DAYS:
        raise Unusable(f"expected at least {FEWEST_DAYS} days of prices of {name}, found {len(prices)}.")
    return name, prices


def loaders(parts: Prepared, batch_size: int) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Training windows shuffled, those to choose by and to test with in order."""
    in_order = (make_loader(part.X, part.y, batch_size, shuffle=False) for part in (parts.val, parts.test))
    return make_loader(parts.train.X, parts.train.y, batch_size, shuffle=True), *in_order


def fit(parts: Prepared, settings: dict, accelerator: Accelerator, seed: int) -> tuple[nn.Module, History]:
    """A network with these settings, trained."""
    _, batch_size, architecture, rest = split_settings(settings)
    torch.manual_seed(seed)
    model = PriceRNN(parts.train.X.shape[-1], **architecture)
    train_loader, val_loader, _ = loaders(parts, batch_size)
    config = TrainConfig(**rest | {"epochs": 60, "patience": 8, "seed": seed})
    return model, train(model, train_loader, val_loader, accelerator, config)


def last_close(close: pd.Series, part: Part) -> np.ndarray:
    """For each window of a part the last known price: (n,)."""
    return naive_forecast(close).loc[part.days].to_numpy()


def naive_while_tuning(prices: pd.DataFrame) -> float:
    """MAE of the naive forecast over the days on which trials are scored, nearly: the later half before the test part."""
    known = prices["Close"].iloc[: len(prices) - round(len(prices) * TEST_FRACTION)]
    return float((known - naive_forecast(known)).abs().iloc[len(known) // 2 :].mean())


def tune(prices: pd.DataFrame, args: argparse.Namespace, results: Results) -> dict:
    """Task 4: the settings that forecast best, walking forward over the days before the test part."""
    results.say(f"Tuning: up to {args.trials} trials, none begins after {args.budget:g} s …")
    chance = {"n_trials": args.trials, "seed": args.seed, "budget_seconds": args.budget}
    with results.progress_of_trainings(f"{args.trials} trials", args.trials * FOLDS):
        table = search(prices, SPACE, results.accelerator, **chance)
    results.text("trials.csv", table.to_csv(index=False))
    try:
        settings = best(table)
    except ValueError as error:
        raise Unusable(f"no trial went well: {error}") from None
    caption = "The error of each trial on days before the test part, walking forward, and its spread over the folds."
    results.figure("1_trials", plot_trials(table, naive_while_tuning(prices)), caption)
    shown = table.drop(columns=["batch_size", "epochs", "patience"])
    forms = dict.fromkeys(shown, "{}") | {"mae_mean": "{:.4f}", "mae_std": "{:.4f}", "seconds": "{:.1f}"}
    results.table("Trials, in the order in which they ran", forms, shown.to_numpy(dtype="object"), aloud=True)
    results.say(f"Best of {len(table)}: {settings}")
    results.facts(f"Chosen out of {len(table)}", settings)
    return settings


def next_close(
    model: nn.Module, parts: Prepared, prices: pd.DataFrame, lookback: int, accelerator: Accelerator
) -> float:
    """The forecast of the close of the first day that is not in the table yet."""
    window = parts.scaler.transform(
        build_features(prices).to_numpy("float32")[None, -lookback:]
    )  # (1, lookback, features)
    _, y = predict(model, make_loader(window, np.zeros(1), 1, shuffle=False), accelerator)  # (1,)
    return float(prices["Close"].iloc[-1] * np.exp(parts.scaler.inverse_target(y)[0]))


def with_news(prices: pd.DataFrame, news: Path, settings: dict, results: Results, seed: int) -> dict[str, float]:
    """The bonus: the same network with the news' sentiment among its features, on the same test days; {} if not written."""
    try:
        table = read_news(news).assign(score=lambda df: score_headlines(df, read_lexicon(own("lexicon.csv"))))
        features = add_sentiment(build_features(prices), daily_sentiment(table, prices.index))
    except NotImplementedError as error:
        results.note(f"Skipped, because not written yet. {error}")
        return {}
    lookback, batch_size, _, _ = split_settings(settings)
    X, y, days = make_windows(features, future_return(prices["Close"]), lookback)
    rows = chronological_split(len(y), 0.15, 0.15, gap=lookback)
    scaler = Scaler().fit(X[rows[0]], y[rows[0]])
    parts = Prepared(*(Part(scaler.transform(X[i]), scaler.transform_target(y[i]), days[i]) for i in rows), scaler)
    model, _ = fit(parts, settings, results.accelerator, seed)
    test = loaders(parts, batch_size)[2]
    return evaluate(model, test, scaler, last_close(prices["Close"], parts.test), results.accelerator)


def show_forecasts(table: pd.DataFrame, results: Results) -> None:
    """The figures and the file of the test days: `actual`, `forecast` and `naive` price of each."""
    for name, days, caption in (
        ("3_forecast", table, "Forecast and actual prices of the test days."),
        ("4_last_days", table[-LAST_DAYS:], f"The last {LAST_DAYS} of them, near enough to see who follows whom."),
    ):
        results.figure(name, plot_forecast(days.index, days["actual"].to_numpy(), days["forecast"].to_numpy()), caption)
    results.text("forecasts.csv", table.to_csv(index_label="Date"))


def show(measured: dict[str, dict[str, float]], invented: bool, results: Results) -> None:
    """The table at the end, and what it means."""
    columns = {"Test part": "{}", "MAE": "{:.4f}", "RMSE": "{:.4f}", "MAPE": "{:.2f}%", "direction": "{:.1%}"}
    columns["skill"] = "{:+.3f}"
    order = ("mae", "rmse", "mape", "directional_accuracy", "skill")
    rows = [(name, *(scores[key] for key in order)) for name, scores in measured.items()]
    first = next(iter(measured.values()))
    rows.append(("naive: stays as it is", first["naive_mae"], None, None, None, 0.0))
    results.table("On days that nothing was chosen by", columns, rows, aloud=True)
    results.headline("skill against the naive forecast", first["skill"], "{:+.3f}")
    results.headline("mean absolute error", first["mae"], "{:.4f}")
    results.headline("… of the naive forecast", first["naive_mae"], "{:.4f}")
    results.note(f"{'These prices are invented, by a formula that can be learnt. ' if invented else ''}{HONEST}")
    if not invented and first["skill"] > SUSPICIOUS:
        results.note(f"A skill above {SUSPICIOUS} is a sign of look-ahead: which number knows a later day?")


def run(args: argparse.Namespace, results: Results) -> None:
    """All tasks in their order."""
    accelerator = results.accelerator
    name, prices = read(args, accelerator)
    invented = not (args.ticker or args.csv)
    days = f"{len(prices)} days, {prices.index[0]:%Y-%m-%d} to {prices.index[-1]:%Y-%m-%d}"
    results.lead(f"Prices: {name}, {days}{' (an invented share; name a real one with --ticker)' if invented else ''}")
    results.say(f"Accelerate: {accelerator.device.type}, number of processes: {accelerator.num_processes}")

    with results.part("Features"):
        features = build_features(prices)
        results.note(f"{len(features):,} days with {features.shape[1]} features: {', '.join(features)}.")
    with results.part("Tuning"):
        settings = tune(prices, args, results)
    with results.part("Training"):
        lookback, batch_size, _, _ = split_settings(settings)
        parts = prepare(prices, lookback)
        model, history = fit(parts, settings, accelerator, args.seed)
        caption = "The loss on the days that are learnt from, and on those that tell when to stop."
        results.figure("2_training", plot_training(history), caption)
        results.note(f"Trained for {len(history.val_loss)} epochs, kept epoch {history.best_epoch}.")
        forms = {"epoch": "{}", "loss, training": "{:.4f}", "loss, validation": "{:.4f}", "seconds": "{:.2f}"}
        epochs = zip_longest(history.train_loss, history.val_loss, history.seconds)
        results.table("Epochs", forms, [(number, *row) for number, row in enumerate(epochs, start=1)])

    with results.part("Test"):
        test, last = loaders(parts, batch_size)[2], last_close(prices["Close"], parts.test)
        measured = {"network": evaluate(model, test, parts.scaler, last, accelerator)}
        forecasts = last * np.exp(parts.scaler.inverse_target(predict(model, test, accelerator)[1]))  # (n_test,)
        table = pd.DataFrame({"actual": prices["Close"].loc[parts.test.days], "forecast": forecasts, "naive": last})
        show_forecasts(table, results)
    news = args.news or (own("headlines.csv") if invented else None)
    if news is not None:
        with results.part("News"):
            if scores := with_news(prices, news, settings, results, args.seed):
                measured["network with news"] = scores
    metrics = {"prices": name, "days": len(prices), "settings": settings, "test": measured, "history": asdict(history)}
    metrics["next_close"] = next_close(model, parts, prices, lookback, accelerator)
    results.text("metrics.json", json.dumps(metrics, indent=2) + "\n")
    with results.part("Test"):
        show(measured, invented, results)
        results.note(f"Next close: {metrics['next_close']:.4f}, after {prices['Close'].iloc[-1]:.4f} on the last day.")
    results.headline("next close", metrics["next_close"], "{:.4f}")
    results.headline("days", len(prices), "{:,}")
    results.finish(vars(args))


def main() -> int:
    """Run; returns the exit code: 0, 1 when a task is not written yet, 2 when the data cannot be used."""
    args = parse_arguments()
    plt.switch_backend("agg")
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # what it warns of is in the error that ends the run
    torch.set_num_threads(1)  # networks as small as these only wait for each other on several
    accelerator = Accelerator()
    set_seed(args.seed)
    return conduct(run, args, accelerator, "Stock forecasting")


if __name__ == "__main__":
    sys.exit(main())
