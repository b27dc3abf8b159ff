"""Forecast one frame at a time with a recurrent net."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import (
    TOY_SHAPE,
    RecurrentModel,
    RegularizedRecurrentModel,
    provides,
)
from openstl_ext.methods.base import ForecastMethod
from openstl_ext.methods.rollout import rollout
from openstl_ext.registry import LOSSES, METHODS, MODELS, TEACHER_FORCING
from openstl_ext.structures import Inputs, Targets


@METHODS.register_module()
class RecurrentForecast(ForecastMethod):
    """Train a one-step net on whole sequences; forecast by feeding back its own frames.

    ConvLSTM, PredRNN and VMRNN are this method with different teacher forcing: scheduled sampling
    for the first two, free running for the last.

    Args:
        net: Config of a RecurrentModel, or the net.
        teacher_forcing: Config that selects the training input of each step.
        loss: Config of the criterion, applied to every predicted frame after the first.
        auxiliary_weights: Weight of each auxiliary loss of a RegularizedRecurrentModel, by name.
        compiled: Arguments of ``torch.nn.Module.compile`` for the net, as in
            ``dict(mode="max-autotune-no-cudagraphs")``; None does not compile. One step of these
            nets is many small kernels, whose launch takes a GPU longer than their computation.
        recompute_steps: Whether training computes each step again for its gradient instead of
            keeping all of them: the memory of one step, for a third more time, the same numbers.
        data_preprocessor: Config of the normalisation.

    Raises:
        ConfigError: If the names of ``auxiliary_weights`` are not those of the auxiliary losses.

    Source:
        chengtan9907/OpenSTL@c74deb5, methods/{convlstm,predrnn}.py;
        yyyujintang/VMRNN-PyTorch@8e6cfb7, openstl/models/vmrnn_model.py.

    Deviations:
        Upstream computes the loss of ConvLSTM and PredRNN on folded patches; it is a mean over
        the same values, so ours is computed on frames. Upstream reads the horizon of a forecast
        from the targets; ours is an argument.
    """

    interface = RecurrentModel

    def __init__(
        self,
        *,
        net: dict[str, Any],
        teacher_forcing: dict[str, Any],
        loss: dict[str, Any],
        auxiliary_weights: Mapping[str, float] | None = None,
        compiled: dict[str, Any] | None = None,
        recompute_steps: bool = False,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.net = MODELS.build(net)
        self.teacher_forcing = TEACHER_FORCING.build(teacher_forcing)
        self.criterion = LOSSES.build(loss)
        self.auxiliary_weights = dict(auxiliary_weights or {})
        self.regularized = provides(self.net, RegularizedRecurrentModel)
        if self.auxiliary_weights and not self.regularized:
            self._check_names({})
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
        how = {"recompute": self.recompute_steps, "regularized": self.regularized}
        outputs, auxiliary = rollout(self.net, known[:, :-1], observed, steps, **how)
        valid = None
        if "valid" in targets:
            valid = torch.cat([inputs["valid"], targets["valid"]], dim=1)[:, 1:]
        terms = {"loss_frames": self.criterion(outputs, known[:, 1:], valid)}
        self._check_names(auxiliary)
        for name, value in auxiliary.items():
            terms[f"loss_{name}"] = self.auxiliary_weights[name] * value
        return terms

    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        past = inputs["frames"]
        observed = torch.ones(past.shape[:2], dtype=torch.bool)
        outputs, _ = rollout(self.net, past, observed, num_steps=past.shape[1] + horizon - 1)
        return {"forecast": outputs[:, -horizon:]}

    def _check_names(self, auxiliary: Mapping[str, Tensor]) -> None:
        if self.auxiliary_weights.keys() != auxiliary.keys():
            raise ConfigError(
                f"auxiliary_weights names {sorted(self.auxiliary_weights)}, but the auxiliary "
                f"losses of {type(self.net).__name__} are {sorted(auxiliary)}; give one weight for "
                "each"
            )

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        """Return constructor arguments of a small instance around a net."""
        weights: dict[str, float] = {}
        if provides(net, RegularizedRecurrentModel):
            regularized: Any = net
            with torch.no_grad():
                _, state = net(torch.zeros(1, *TOY_SHAPE[1:]), None)
                weights = dict.fromkeys(regularized.auxiliary_losses(state), 0.1)
        teacher_forcing = {"type": "ScheduledSampling", "rate": 0.1}
        arguments = {"net": net, "teacher_forcing": teacher_forcing, "loss": {"type": "L2"}}
        return {**arguments, "auxiliary_weights": weights}
