"""Task 5: pictures."""

import matplotlib.pyplot as plt
import numpy as np
import torch


def plot_history(history):
    figure, axes = plt.subplot_mosaic("AB", figsize=(10, 4))
    epochs = np.arange(1, len(history.train_loss) + 1)
    plt.sca(axes["A"])
    plt.plot(epochs, history.train_loss, "C0.-", label="training")
    plt.plot(epochs, history.val_loss, "C1.--", label="validation")
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.sca(axes["B"])
    plt.plot(epochs, history.train_accuracy, "C0.-", label="training")
    plt.plot(epochs, history.val_accuracy, "C1.--", label="validation")
    plt.ylim(0, 1)
    plt.xlabel("epoch")
    plt.ylabel("accuracy")
    plt.legend()
    plt.tight_layout()
    return figure


def plot_confusion_matrix(cm, class_names, normalize=False):
    cm = np.asarray(cm)
    if normalize:
        sums = cm.sum(axis=1, keepdims=True)
        cm = np.where(sums > 0, cm / np.where(sums > 0, sums, 1), 0.0)
    figure = plt.figure(figsize=(8, 8))
    plt.pcolormesh(cm, cmap="Oranges", edgecolors="white")
    plt.gca().invert_yaxis()
    for t in range(len(cm)):
        for p in range(len(cm)):
            text = format(cm[t, p], ".2f" if normalize else "d")
            plt.text(p + 0.5, t + 0.5, text, horizontalalignment="center", verticalalignment="center")
    plt.xticks(np.arange(len(cm)) + 0.5, class_names, rotation=45)
    plt.yticks(np.arange(len(cm)) + 0.5, class_names)
    plt.xlabel("predicted")
    plt.ylabel("true")
    plt.tight_layout()
    return figure


def plot_predictions(images, y_true, y_pred, class_names, mean, std):
    mean = torch.as_tensor(mean, dtype=torch.float32).reshape(1, 3, 1, 1)
    std = torch.as_tensor(std, dtype=torch.float32).reshape(1, 3, 1, 1)
    pictures = torch.clamp(images.detach().cpu().float() * std + mean, 0, 1).permute(0, 2, 3, 1).numpy()
    n = len(pictures)
    columns = min(n, 8)
    rows = int(np.ceil(n / columns))
    plt.figure(figsize=(1.5 * columns, 1.8 * rows))
    for i in range(n):
        plt.subplot(rows, columns, i + 1)
        plt.imshow(pictures[i])
        plt.axis("off")
        true, predicted = int(y_true[i]), int(y_pred[i])
        if true == predicted:
            plt.title(class_names[predicted], loc="left", fontsize=8, color="darkgreen")
        else:
            words = f"{class_names[predicted]} < {class_names[true]}"
            plt.title(words, loc="left", fontsize=8, color="darkred")
    plt.suptitle("green: right, red: predicted < true")
    return plt.gcf()
