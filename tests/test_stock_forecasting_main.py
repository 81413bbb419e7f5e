"""Project 3's main.py, with the reference solution behind it, from the outside."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import reports
import stock_forecasting_solved as shared
import torch

solved, yahoo, draw_prices = shared.solved, shared.yahoo, shared.draw_prices
REAL = shared.ROOT.parent / "shared/real/stock_forecasting/MSFT.csv"
FIGURES = {f"{name}.png" for name in ("1_trials", "2_training", "3_forecast", "4_last_days")}
WRITTEN = {*FIGURES, "trials.csv", "forecasts.csv", "metrics.json", "report.html"}
QUICK = {
    "lookback": [5], "cell": ["rnn"], "hidden_size": [4], "num_layers": [1], "dropout": [0.0], "lr": [0.01],
    "weight_decay": [0.0], "batch_size": [256], "epochs": [1], "patience": [1],
}  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Neither an Accelerator nor a number of threads survives a test."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "1")
    threads = torch.get_num_threads()
    yield
    shared.forget()
    torch.set_num_threads(threads)


@pytest.fixture
def start(solved, monkeypatch):
    """Runs main.py's main in this process, on a small space and with few epochs behind it; returns the exit code."""
    config = solved.train.TrainConfig
    monkeypatch.setattr(solved.main, "SPACE", QUICK)
    monkeypatch.setattr(solved.main, "TrainConfig", lambda **settings: config(**settings | {"epochs": 2}))

    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["main.py", *map(str, arguments)])
        shared.forget()
        return solved.main.main()

    return run


@pytest.fixture
def table(tmp_path) -> Path:
    """A file of 320 days."""
    path = tmp_path / "prices.csv"
    draw_prices(320).to_csv(path)
    return path


def assert_forecasts_tell_the_same(folder: Path, close: pd.Series) -> dict:
    """The table of forecasts is about the last days, and the measures follow from it; returns these."""
    metrics = json.loads((folder / "metrics.json").read_text())
    found = pd.read_csv(folder / "forecasts.csv", parse_dates=["Date"], index_col="Date")
    measures = metrics["test"]["network"]
    assert found.index.equals(close.index[-len(found) :])
    np.testing.assert_allclose(found["actual"], close[found.index], rtol=1e-9)
    np.testing.assert_allclose(found["naive"], close.shift(1)[found.index], rtol=1e-9)
    error, naive = (found["actual"].sub(found[name]).abs().mean() for name in ("forecast", "naive"))
    # the measures' truth has been a scaled float32
    assert measures["mae"] == pytest.approx(error, rel=1e-4)
    assert measures["naive_mae"] == pytest.approx(naive, rel=1e-4)
    assert measures["skill"] == pytest.approx(1 - error / naive, abs=1e-3)
    assert len(pd.read_csv(folder / "trials.csv")) >= 1
    assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in FIGURES)
    reports.assert_whole(folder)
    assert reports.headlines(folder)["skill against the naive forecast"] == measures["skill"]
    return metrics


def test_a_file_is_run_from_end_to_end(start, capsys, table, tmp_path):
    out = tmp_path / "new" / "out"
    assert start("--csv", table, "--trials", 2, "--out", out) == 0
    assert {path.name for path in out.iterdir()} == WRITTEN
    metrics = assert_forecasts_tell_the_same(out, draw_prices(320)["Close"])
    assert (metrics["prices"], metrics["days"]) == ("prices", 320)
    assert metrics["settings"] == {name: values[0] for name, values in QUICK.items()}
    assert len(metrics["history"]["val_loss"]) == 2
    assert 0.8 < metrics["next_close"] / draw_prices(320)["Close"].iloc[-1] < 1.25
    printed = capsys.readouterr().out
    assert "On real prices a skill of about 0 is what is honestly possible." in printed
    assert f"{metrics['test']['network']['skill']:+.3f}" in printed


def test_the_same_seed_gives_the_same_numbers(start, table, tmp_path):
    first, again = ((tmp_path / name) for name in ("first", "again"))
    for out in (first, again):
        torch.rand(len(out.name))
        assert start("--csv", table, "--trials", 1, "--out", out, "--seed", 3) == 0
    assert (first / "forecasts.csv").read_bytes() == (again / "forecasts.csv").read_bytes()


def test_the_invented_share_comes_with_its_news(start, monkeypatch, solved, capsys, tmp_path):
    assert start("--trials", 1, "--budget", 1, "--out", tmp_path) == 0
    prices = solved.acquire.read_prices(shared.FIXTURE / "KELP.csv")
    metrics = assert_forecasts_tell_the_same(tmp_path, prices["Close"])
    assert set(metrics["test"]) == {"network", "network with news"}
    assert metrics["test"]["network"]["naive_mae"] == pytest.approx(metrics["test"]["network with news"]["naive_mae"])
    assert "an invented share" in capsys.readouterr().out

    def blank(*_: object, **__: object) -> None:
        raise NotImplementedError("Bonus: write daily_sentiment().")

    monkeypatch.setattr(solved.main, "daily_sentiment", blank)
    assert start("--trials", 1, "--out", tmp_path) == 0
    assert set(json.loads((tmp_path / "metrics.json").read_text())["test"]) == {"network"}
    assert "Bonus: write daily_sentiment()." in capsys.readouterr().out


WHATS_NEXT = ("clean_prices", "build_features", "search", "best", "prepare", "train", "evaluate", "plot_forecast")


@pytest.mark.parametrize("function", WHATS_NEXT)
def test_what_is_not_written_yet_ends_in_one_line_that_names_it(
    solved, start, monkeypatch, capsys, table, tmp_path, function
):
    def blank(*_: object, **__: object) -> None:
        raise NotImplementedError(f"Task 0: write {function}().")

    monkeypatch.setattr(solved.main, function, blank)
    assert start("--csv", table, "--trials", 1, "--out", tmp_path / "out") == 1
    printed = capsys.readouterr()
    assert f"Next is Task 0: write {function}()." in printed.out.splitlines()[-1]
    assert printed.err == ""


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # yfinance's own
def test_a_ticker_comes_from_yahoo_once(start, yahoo, tmp_path, capsys):
    yahoo.answers = [(shared.FIXTURE / "KELP.json").read_bytes()]
    ask = ("--ticker", "KELP", "--start", "2023-12-18", "--end", "2024-12-17", "--cache", tmp_path / "cache")
    # a year is not enough; that is told after it has been fetched, and the second time without asking
    for _ in range(2):
        assert start(*ask, "--out", tmp_path / "out") == 2
        assert "expected at least 300 days of prices of KELP, found 250." in capsys.readouterr().err
        yahoo.answers = [shared.DOWN]
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_no_network_ends_in_one_line(start, yahoo, tmp_path, capsys):
    yahoo.answers = [shared.DOWN]
    assert start("--ticker", "KELP", "--cache", tmp_path / "cache", "--out", tmp_path / "out") == 2
    message = capsys.readouterr().err
    assert message.startswith("main.py: KELP: ")
    assert message.count("\n") == 1
    assert yahoo.pauses == [0.5, 1.0, 2.0], "and quickly"


UNUSABLE = {  # what is done to the file's text -> what is said
    "absent": (None, "expected a CSV file at"),
    "no volume": (lambda text: text.replace("Volume", "Shares"), "found no Volume"),
    "no date": (lambda text: text.replace("Date", "When"), "found no Date"),
    "a word": (lambda text: text.replace(text.splitlines()[9].split(",")[1], "cheap"), "cheap"),
    "a day that is none": (lambda text: text.replace("2021-03-", "2021-33-"), "2021-33-"),
    "a negative price": (
        lambda text: text.replace(text.splitlines()[9].split(",")[1], "-1.5"),
        "Open of 2021-01-14 is -1.5",
    ),
    "few days": (
        lambda text: "\n".join(text.splitlines()[:200]) + "\n",
        "at least 300 days of prices of prices, found 199",
    ),
    "no text": (lambda text: "", "prices.csv"),
    "a diary": (lambda text: "Dear diary, I sold too early.\n", "found no Date"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable_files_end_in_one_line_and_exit_2(start, capsys, table, tmp_path, case):
    change, said = UNUSABLE[case]
    if change is None:
        table.unlink()
    else:
        table.write_text(change(table.read_text()))
    assert start("--csv", table, "--out", tmp_path / "out") == 2
    message = capsys.readouterr().err
    assert message.startswith("main.py: ")
    assert said in message
    assert message.count("\n") == 1


def test_a_folder_that_cannot_be_made_ends_in_one_line(start, capsys, table):
    assert start("--csv", table, "--out", table) == 2
    assert capsys.readouterr().err.startswith("main.py: expected --out to name a folder")


WRONG = ("--trials 0", "--ticker A --csv b", "--start yesterday", "--start 2024-01-02 --end 2024-01-02")


@pytest.mark.parametrize("wrong", WRONG)
def test_impossible_options_exit_2_before_anything_is_read(start, capsys, wrong):
    with pytest.raises(SystemExit, match="2"):
        start(*wrong.split())
    assert "expected" in capsys.readouterr().err


def test_a_skill_that_nobody_has_is_suspected(solved, capsys, tmp_path):
    results = solved.main.Results(shared.Accelerator(cpu=True), tmp_path, "Prices")
    scores = {"mae": 1.0, "rmse": 1.0, "mape": 1.0, "directional_accuracy": 0.9, "naive_mae": 2.0, "skill": 0.5}
    for skill, invented, suspected in ((0.5, False, True), (0.05, False, False), (0.5, True, False)):
        with results.part("Test"):
            solved.main.show({"network": scores | {"skill": skill}}, invented, results)
        assert ("look-ahead" in capsys.readouterr().out) is suspected


def run_main(out: Path, *arguments: object, launcher: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    """Run main.py as students do."""
    command = [sys.executable, *launcher, "main.py", "--out", str(out), *map(str, arguments)]
    ended = subprocess.run(command, cwd=shared.SOLUTION, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    assert {path.name for path in out.iterdir()} == WRITTEN
    return ended


@pytest.mark.slow
def test_untouched_stubs_name_the_first_task(tmp_path):
    command = [sys.executable, "main.py", "--out", str(tmp_path)]
    folder = shared.ROOT / "assignments/stock_forecasting"
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout.splitlines() == [
        f"What there is so far is in {tmp_path}: report.html",
        "Next is Task 1: write clean_prices(). Run main.py again when it is done.",
    ]


@pytest.mark.slow
def test_the_invented_share_can_be_forecast(tmp_path):
    run_main(tmp_path, "--trials", 2)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    # 0.144 is the most that is possible on these days; without a look ahead nobody is above it
    assert 0.02 < metrics["test"]["network"]["skill"] < 0.16


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="two ranks on a CPU are tried where processes can fork")
def test_two_processes_write_once(tmp_path):
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node", "2")
    ended = run_main(tmp_path, "--trials", 3, "--budget", 1, launcher=launcher)
    assert "number of processes: 2" in ended.stdout
    assert ended.stdout.count("Next close:") == 1


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason=f"Microsoft's prices are not at {REAL}")
def test_real_prices_are_not_forecast(tmp_path):
    run_main(tmp_path, "--csv", REAL, "--trials", 2)
    prices = pd.read_csv(REAL, parse_dates=["Date"], index_col="Date")
    metrics = assert_forecasts_tell_the_same(tmp_path, prices["Adj Close"])
    assert abs(metrics["test"]["network"]["skill"]) < 0.05
