"""What the card of `chest_xray` says: measurements, baselines, curves."""

import numpy as np

from dlportal.cards import Bilingual, Confusion, Curve, Measured, Metric, Slice
from dlportal.cases.xray_training import LABELS
from dlportal.data.splits import Images
from dlportal.messages import N_, InputError
from dlportal.training import calibration, metrics
from dlportal.training.said import Said

LINEAR = "logistic regression on the pixels"
MAJORITY = "always pneumonia"


def measure(
    logits: np.ndarray, temperature: float, part: Images, train: Images, said: Said
) -> Measured:
    """All numbers of the card.

    Args:
        logits: Shape (N, 2).
        temperature: Found on validation.
        part: Pictures and labels of the N rows.
        train: What the baselines learn from.
        said: Data, split, command and model.

    Raises:
        InputError: All of one class: most metrics have no value.
    """
    labels = part.labels
    if len(np.unique(labels)) < 2:
        raise InputError(N_("These pictures are all of one class; give both, or a larger --limit."))
    p = calibration.softmax(logits, temperature)[:, 1]
    decided = (p > 0.5).astype(np.int64)
    return Measured(
        case="",
        metrics=[
            said.metric("auc", metrics.auc, labels, p),
            said.metric("accuracy", metrics.accuracy, labels, decided),
            said.metric("balanced_accuracy", metrics.balanced_accuracy, labels, decided),
            said.metric("sensitivity", metrics.sensitivity, labels, decided),
            said.metric("specificity", metrics.specificity, labels, decided),
            said.metric("ece", metrics.ece, labels, p),
            said.metric("brier", metrics.brier, labels, p),
        ],
        baselines=baselines(part, train, said),
        calibration=calibration.calibration_at(temperature, logits, labels),
        confusion=Confusion(
            labels=[label.id for label in LABELS],
            counts=metrics.confusion_counts(labels, decided, 2).tolist(),
        ),
        slices=slices(part, decided, said),
        curves=[threshold_curve(labels, p)],
    )


def baselines(part: Images, train: Images, said: Said) -> list[Metric]:
    """Always the more frequent class of the training part; logistic regression on the pixels."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def rows(images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1) / 255.0

    linear = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=1000)
    )
    p = linear.fit(rows(train.images), train.labels).predict_proba(rows(part.images))[:, 1]
    decided = (p > 0.5).astype(np.int64)
    majority = np.full(len(part), np.bincount(train.labels).argmax())
    return [
        said.metric("auc", metrics.auc, part.labels, p, model=LINEAR),
        said.metric("accuracy", metrics.accuracy, part.labels, decided, model=LINEAR),
        said.metric(
            "balanced_accuracy", metrics.balanced_accuracy, part.labels, decided, model=LINEAR
        ),
        said.metric("accuracy", metrics.accuracy, part.labels, majority, model=MAJORITY),
        said.metric(
            "balanced_accuracy", metrics.balanced_accuracy, part.labels, majority, model=MAJORITY
        ),
    ]


def slices(part: Images, decided: np.ndarray, said: Said) -> list[Slice]:
    """Balanced accuracy of halves: darker and brighter pictures, of less and of more contrast."""
    brightness, contrast = part.images.mean(axis=(1, 2)), part.images.std(axis=(1, 2))
    dark, flat = brightness < np.median(brightness), contrast < np.median(contrast)
    halves = (
        (dark, Bilingual(en="darker half of the pictures", zh="较暗的一半图片")),
        (~dark, Bilingual(en="brighter half of the pictures", zh="较亮的一半图片")),
        (flat, Bilingual(en="half of less contrast", zh="对比度较低的一半")),
        (~flat, Bilingual(en="half of more contrast", zh="对比度较高的一半")),
    )
    return [
        Slice(
            part=words,
            metric=said.metric(
                "balanced_accuracy", metrics.balanced_accuracy, part.labels[rows], decided[rows]
            ),
        )
        for rows, words in halves
        if rows.any()
    ]


def threshold_curve(labels: np.ndarray, p: np.ndarray) -> Curve:
    """Sensitivity and specificity for each threshold from 0 to 1 in steps of 0.01."""
    thresholds = np.arange(101) / 100
    sick, well = p[labels == 1], p[labels == 0]
    return Curve(
        name=N_("What the threshold changes"),
        x_label=Bilingual(en="threshold", zh="阈值"),
        y_label=Bilingual(en="share recognised", zh="识别正确的比例"),
        x=thresholds.tolist(),
        y={
            "sensitivity": [float((sick > t).mean()) for t in thresholds],
            "specificity": [float((well <= t).mean()) for t in thresholds],
        },
    )
