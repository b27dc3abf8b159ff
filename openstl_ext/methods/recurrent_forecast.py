"""Forecasting one frame at a time."""

from typing import Any

import torch
from torch import Tensor

from openstl_ext.interfaces import RecurrentModel
from openstl_ext.methods.base import ForecastMethod
from openstl_ext.methods.rollout import rollout
from openstl_ext.registry import LOSSES, METHODS, MODELS, TEACHER_FORCING
from openstl_ext.structures import Inputs, Targets


@METHODS.register_module()
class RecurrentForecast(ForecastMethod):
    """Train a one-step net on whole sequences; forecast by feeding it its own frames.

    ConvLSTM, PredRNN and VMRNN are this method with different feeds: scheduled sampling for the
    first two, free running for the last.

    Args:
        net: Config of a RecurrentModel.
        teacher_forcing: Config that selects the training input of each step.
        loss: Config of the criterion, applied to every step, warm-up included.
        compiled: Arguments of ``torch.nn.Module.compile`` for the net, as in
            ``dict(mode="max-autotune-no-cudagraphs")``; None runs it as it is. One step of these
            nets is many small kernels, which a GPU waits for more than it computes.
        recompute_steps: Whether training computes each step again for its gradient instead of
            keeping all of them: the memory of one step, for a third more time, the same numbers.
        data_preprocessor: Config of the border between data units and normalised units.

    Source:
        chengtan9907/OpenSTL@c74deb5, methods/{convlstm,predrnn}.py;
        yyyujintang/VMRNN-PyTorch@8e6cfb7, openstl/models/vmrnn_model.py.

    Deviations:
        Upstream takes the loss of ConvLSTM and PredRNN on folded patches; it is a mean over the
        same values, so ours is taken on frames. Its forecast needs the truth for its shape; ours
        needs a horizon.
    """

    interface = RecurrentModel

    def __init__(
        self,
        *,
        net: dict[str, Any],
        teacher_forcing: dict[str, Any],
        loss: dict[str, Any],
        compiled: dict[str, Any] | None = None,
        recompute_steps: bool = False,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.net = MODELS.build(net)
        self.teacher_forcing = TEACHER_FORCING.build(teacher_forcing)
        self.criterion = LOSSES.build(loss)
        self.recompute_steps = recompute_steps
        if compiled is not None:
            self.net.compile(**compiled)  # in place: a wrapper would rename every weight

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        past, future = inputs["frames"], targets["frames"]
        known = torch.cat([past, future], dim=1)
        observed = self.teacher_forcing(
            seen=past.shape[1], horizon=future.shape[1], batch=len(past), iteration=self.iteration
        )
        steps = known.shape[1] - 1
        outputs = rollout(self.net, known[:, :-1], observed, steps, recompute=self.recompute_steps)
        valid = None
        if "valid" in targets:
            valid = torch.cat([inputs["valid"], targets["valid"]], dim=1)[:, 1:]
        return {"loss_frames": self.criterion(outputs, known[:, 1:], valid)}

    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        past = inputs["frames"]
        observed = torch.ones(past.shape[:2], dtype=torch.bool)
        outputs = rollout(self.net, past, observed, num_steps=past.shape[1] + horizon - 1)
        return {"forecast": outputs[:, -horizon:]}

    @classmethod
    def toy(cls, net: Any = None) -> "RecurrentForecast":
        """Return a small instance around a net of the interface, for the tests."""
        if net is None:
            net = MODELS.build({"type": "ConvLSTM", **MODELS.get("ConvLSTM").toy_arguments()})
        teacher_forcing = {"type": "ScheduledSampling", "rate": 0.1}
        return cls(net=net, teacher_forcing=teacher_forcing, loss={"type": "L2"})
