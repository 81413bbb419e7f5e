"""Pictures by imshow, with marks in words."""

import matplotlib.pyplot as plt
import numpy as np


def plot_history(history):
    figure, (left, right) = plt.subplots(ncols=2, figsize=(9, 3.5))
    epochs = np.arange(1, len(history.train_loss) + 1)
    left.plot(epochs, history.train_loss, "b-", label="train")
    left.plot(epochs, history.val_loss, "r--", label="validation")
    left.set_ylabel("loss")
    right.plot(epochs, history.train_accuracy, "b-", label="train")
    right.plot(epochs, history.val_accuracy, "r--", label="validation")
    right.set_ylabel("accuracy")
    for ax in (left, right):
        ax.set_xlabel("epochs")
        ax.legend()
    figure.tight_layout()
    return figure


def plot_confusion_matrix(cm, class_names, normalize=False):
    cm = np.array(cm, dtype=float)
    if normalize:
        totals = cm.sum(axis=1, keepdims=True)
        cm = np.divide(cm, totals, out=np.zeros_like(cm), where=totals > 0)
    figure = plt.figure(figsize=(7, 7))
    ax = figure.add_subplot()
    picture = ax.imshow(cm, cmap="viridis")
    figure.colorbar(picture)
    ax.set_xticks(np.arange(len(class_names)))
    ax.set_xticklabels(class_names, rotation=90)
    ax.set_yticks(np.arange(len(class_names)))
    ax.set_yticklabels(class_names)
    ax.set_xlabel("Predicted label")
    ax.set_ylabel("True label")
    for i in range(len(cm)):
        for j in range(len(cm)):
            ax.text(j, i, f"{cm[i, j]:.2f}" if normalize else f"{int(cm[i, j])}", ha="center", va="center", color="w")
    return figure


def plot_predictions(images, y_true, y_pred, class_names, mean, std):
    n = len(images)
    figure = plt.figure(figsize=(2 * n, 2.4))
    for k in range(n):
        image = images[k].detach().cpu().numpy().transpose(1, 2, 0) * np.array(std) + np.array(mean)
        ax = figure.add_subplot(1, n, k + 1)
        ax.imshow(np.clip(image, 0, 1))
        ax.set_axis_off()
        truth, guess = class_names[int(y_true[k])], class_names[int(y_pred[k])]
        ax.set_title(f"✓ {guess}" if truth == guess else f"✗ {guess}, not {truth}")
    return figure
