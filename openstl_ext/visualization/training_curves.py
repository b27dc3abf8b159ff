"""Plot losses and validation scores of trainings over their epochs."""

from collections.abc import Sequence

from openstl_ext.results.training_curves import Training, names_of
from openstl_ext.visualization.chart import Chart, Line, draw_charts


def draw_training_curves(trainings: Sequence[Training], scores: Sequence[str]) -> bytes:
    """Draw the loss and each score side by side, with a line for each run, as a PNG.

    The axis counts epochs if all runs do, else iterations.

    Args:
        trainings: The runs.
        scores: Validation scores.
    """
    epochs = all(training.per_epoch for training in trainings)
    named = list(zip(names_of(trainings), trainings, strict=True))
    charts = []
    for score in ("loss", *scores):
        found = [(name, t.points(score, epochs=epochs)) for name, t in named]
        lines = [
            Line(name=name, x=[x for x, _ in points], y=[y for _, y in points])
            for name, points in found
        ]
        values = [y for line in lines for y in line.y if y == y]
        if not values:
            continue
        chart = Chart(
            title="training loss" if score == "loss" else f"validation {score}",
            note="mean of each epoch" if score == "loss" and epochs else "",
            lines=tuple(lines),
            x_label="epoch" if epochs else "iteration",
            y_label=score,
            # values over some decades hide the end of a training on a linear axis
            log="y" if min(values) > 0 and max(values) > 30 * min(values) else "",
            whole=True,
        )
        charts.append(chart)
    return draw_charts(charts)
