"""Task 4 in its shortest form, for the bonus that builds on it: one process, every image once."""

from types import SimpleNamespace

import numpy as np
import torch


def as_labels(values):
    return np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values).astype("int64")


def accuracy(y_true, y_pred):
    y_true, y_pred = as_labels(y_true), as_labels(y_pred)
    if len(y_true) != len(y_pred) or not len(y_true):
        raise ValueError("expected equally many classes, at least one")
    return float(np.mean(y_true == y_pred))


def confusion_matrix(y_true, y_pred, num_classes):
    places = as_labels(y_true) * num_classes + as_labels(y_pred)
    return np.bincount(places, minlength=num_classes**2).reshape(num_classes, num_classes).astype("int64")


def per_class_accuracy(cm):
    with np.errstate(invalid="ignore"):
        return np.diag(cm) / np.asarray(cm).sum(axis=1)


def predict(model, loader, accelerator):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        answers = [(labels, model(images).float()) for images, labels in loader]
    model.train(was_training)
    labels, logits = zip(*answers, strict=True)
    return torch.cat(labels).numpy().astype("int64"), torch.cat(logits).numpy()


def evaluate(model, loader, accelerator):
    y_true, logits = predict(model, loader, accelerator)
    y_pred = logits.argmax(axis=1)
    loss = torch.nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(y_true)).item()
    confusion = confusion_matrix(y_true, y_pred, logits.shape[1])
    return SimpleNamespace(loss=loss, accuracy=accuracy(y_true, y_pred), confusion=confusion)
