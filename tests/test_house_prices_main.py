"""Project 1's reference solution on two processes, and its main.py from the outside."""

import json
import os
import subprocess
import sys
from pathlib import Path

import house_prices_solved as shared
import numpy as np
import pandas as pd
import pytest
import reports
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

SOLUTION, FIXTURE, REAL, needs_real_data = shared.SOLUTION, shared.FIXTURE, shared.REAL, shared.needs_real_data
solved, houses, accelerator, close_figures = shared.solved, shared.houses, shared.accelerator, shared.close_figures

X = np.random.default_rng(0).normal(size=(22, 3)).astype("float32")
Y = (12 + X @ [0.3, -0.2, 0.1] + np.random.default_rng(1).normal(0, 0.1, 22)).astype("float32")


def descend(epochs: int) -> tuple[np.ndarray, float, list[float]]:
    """Gradient descent by hand on the first 16 rows in batches of 8: weights, bias, squared errors met on the way."""
    w, b, met = np.zeros(3), 11.0, []
    for start in (0, 8) * epochs:
        x, y = X[start : start + 8], Y[start : start + 8]
        error = x @ w + b - y
        met.extend(error**2)
        w, b = w - 0.05 * 2 * x.T @ error / 8, b - 0.05 * 2 * error.mean()
    return w, b, met


TWO_RANKS = """
import sys, numpy as np, torch
sys.path.insert(0, sys.argv[1])
from accelerate import Accelerator, debug_launcher
from evaluate import evaluate, predict
from train import LinearRegression, make_loader, train

def main():
    accelerator = Accelerator(cpu=True)
    assert accelerator.num_processes == 2
    data = np.load(sys.argv[2])
    X, Y = data["X"], data["Y"]
    even, all_rows = make_loader(X[:16], Y[:16], 4, shuffle=False), make_loader(X, Y, 4, shuffle=False)
    model = LinearRegression(3, bias_init=11.0)
    history = train(model, even, accelerator, epochs=2, lr=0.05, optimizer="sgd")
    predictions = predict(model, all_rows, accelerator)
    history += train(model, even, accelerator, epochs=1, lr=0.05, optimizer="sgd")
    scores = evaluate(model, accelerator.prepare(all_rows), accelerator)
    kept = [p.detach().clone() for p in model.parameters()]
    uneven = train(model, all_rows, accelerator, epochs=1, lr=0.0, optimizer="sgd")
    np.savez(f"{sys.argv[3]}/rank{accelerator.process_index}.npz", w=kept[0][0], b=kept[1], history=history,
             predictions=predictions, uneven=uneven, **scores)

torch.set_num_threads(1)
debug_launcher(main, num_processes=2)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the two ranks are forked")
def test_two_processes_train_and_predict_as_one_with_twice_the_batch(tmp_path):
    """Training goes on after a prediction, too, and an uneven last batch neither loses nor repeats a row."""
    np.savez(tmp_path / "data.npz", X=X, Y=Y)
    command = [sys.executable, "-c", TWO_RANKS, str(SOLUTION), str(tmp_path / "data.npz"), str(tmp_path)]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert ended.returncode == 0, ended.stderr
    early, late = descend(epochs=2), descend(epochs=3)
    for rank in (0, 1):
        got = np.load(tmp_path / f"rank{rank}.npz")
        np.testing.assert_allclose(got["w"], late[0], atol=1e-5)
        np.testing.assert_allclose(got["b"], [late[1]], atol=1e-5)
        np.testing.assert_allclose(got["history"], np.reshape(late[2], (3, 16)).mean(axis=1), rtol=1e-4)
        np.testing.assert_allclose(got["predictions"], X @ early[0] + early[1], atol=1e-4)
        final = X @ late[0] + late[1]
        assert got["rmse_log"] == pytest.approx(root_mean_squared_error(Y, final), rel=1e-3)
        assert got["mae"] == pytest.approx(mean_absolute_error(np.expm1(Y), np.expm1(final)), rel=1e-3)
        np.testing.assert_allclose(got["uneven"], [np.mean((Y - final) ** 2)], rtol=1e-3)


def start(solved, monkeypatch, *arguments: object) -> int:
    """Run main.py's main in this process."""
    monkeypatch.setattr(sys, "argv", ["main.py", *map(str, arguments)])
    return solved.main.main()


@pytest.mark.parametrize("case", ["absent", "folder", "text", "unpriced", "zero", "few", "bad out", "bad test"])
@pytest.mark.usefixtures("accelerator")
def test_unusable_files_end_in_one_line_and_exit_2(solved, houses, monkeypatch, capsys, tmp_path, case):
    data, out, extra = tmp_path / "data.csv", tmp_path / "out", []
    (tmp_path / "notes.txt").write_text("Dear diary,\nI bought a house.\n")
    houses.assign(SalePrice=0).to_csv(tmp_path / "zero.csv", na_rep="NA")
    houses.head(10).to_csv(tmp_path / "few.csv", na_rep="NA")
    match case:
        case "folder":
            data = tmp_path
        case "text" | "zero" | "few":
            data = tmp_path / {"text": "notes.txt", "zero": "zero.csv", "few": "few.csv"}[case]
        case "unpriced":
            data = FIXTURE / "test.csv"
        case "bad out":
            data, out = FIXTURE / "train.csv", tmp_path / "notes.txt"
        case "bad test":
            data, extra = FIXTURE / "train.csv", ["--test", tmp_path / "absent.csv"]
    assert start(solved, monkeypatch, "--data", data, "--out", out, *extra) == 2
    message = capsys.readouterr().err
    assert message.startswith("main.py: expected ")
    assert message.count("\n") == 1


@pytest.mark.usefixtures("accelerator")
def test_what_is_not_written_yet_ends_in_one_line_that_names_it(solved, monkeypatch, capsys, tmp_path):
    def blank(*_: object, **__: object) -> None:
        raise NotImplementedError("Task 3: write train().")

    monkeypatch.setattr(solved.main, "train", blank)
    assert start(solved, monkeypatch, "--out", tmp_path / "out") == 1
    printed = capsys.readouterr()
    assert "Next is Task 3: write train()." in printed.out.splitlines()[-1]
    assert printed.err == ""
    assert (tmp_path / "out/1_price.png").exists()


def test_a_bonus_not_written_yet_is_skipped(solved, monkeypatch, capsys, tmp_path, accelerator, houses):
    def blank(*_: object, **__: object) -> None:
        raise NotImplementedError("Bonus: write compare_regressors().")

    monkeypatch.setattr(solved.main, "compare_regressors", blank)
    results = solved.main.Results(accelerator(), tmp_path, "Houses")
    with results.part("Measures"):
        assert solved.main.compare(houses, results, seed=0) == {}
    assert "Bonus: write compare_regressors()." in capsys.readouterr().out


def test_engineered_columns_come_from_their_own_row(solved, houses):
    everything = solved.main.engineer(houses)
    pd.testing.assert_frame_equal(everything[houses.columns], houses)
    for house in houses.index[:5]:
        pd.testing.assert_frame_equal(solved.main.engineer(houses.loc[[house]]), everything.loc[[house]])
    assert everything["capped LotArea"].max() == 30000


def run_main(out: Path, *arguments: object) -> dict:
    """Run main.py as students do; returns its metrics."""
    command = [sys.executable, "main.py", "--out", str(out), *map(str, arguments)]
    ended = subprocess.run(command, cwd=SOLUTION, capture_output=True, text=True, timeout=900)
    assert ended.returncode == 0, ended.stderr
    assert "tuned model, validation" in ended.stdout
    return json.loads((out / "metrics.json").read_text())


@pytest.mark.slow
def test_the_whole_run_writes_figures_metrics_and_a_submission(tmp_path):
    metrics = run_main(tmp_path, "--test", FIXTURE / "test.csv")
    assert metrics["houses"] == 400
    assert metrics["validation"]["tuned"]["rmse_log"] < 0.2
    assert set(metrics["regressors"]) == {"linear", "ridge", "lasso", "elastic_net"}
    submission = pd.read_csv(tmp_path / "submission.csv")
    assert list(submission.columns) == ["Id", "SalePrice"]
    assert list(submission["Id"]) == list(range(401, 501))
    assert submission["SalePrice"].between(20_000, 2_000_000).all()
    figures = sorted(tmp_path.glob("*.png"))
    assert len(figures) == 6
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in figures)
    reports.assert_whole(tmp_path)
    assert reports.headlines(tmp_path)["RMSE of the log price"] == metrics["validation"]["tuned"]["rmse_log"]


@needs_real_data
@pytest.mark.slow
def test_kaggles_table_is_predicted_as_well_as_a_linear_model_can(tmp_path):
    metrics = run_main(tmp_path, "--data", REAL / "train.csv", "--test", REAL / "test.csv")
    assert metrics["cross_validation"]["tuned model, all rows"]["rmse_log_mean"] < 0.135
    assert metrics["validation"]["tuned"]["rmse_log"] < 0.13
    assert len(pd.read_csv(tmp_path / "submission.csv")) == 1459
