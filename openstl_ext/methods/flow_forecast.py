"""Forecast an ensemble of futures by flow matching or diffusion."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import ConditionalDenoiser
from openstl_ext.methods.base import ForecastMethod
from openstl_ext.methods.probability_flow import build_objective, integrate
from openstl_ext.registry import LOSSES, METHODS, MODELS
from openstl_ext.structures import Inputs, Targets
from openstl_ext.value_types import Count, Positive


@METHODS.register_module()
class FlowForecast(ForecastMethod):
    """Generate members of an ensemble: from noise to future frames, conditioned on the past.

    ``ensemble`` has the members and ``forecast`` their mean, which has the least squared error; a
    member is as sharp as the data instead. The noise of a sample depends on its ``seed`` only.
    All members of a batch are generated at once, so memory grows with their number.

    A horizon shorter than the block of the net is cut; a longer one conditions each further block
    of a member on the frames of that member.

    Args:
        net: Config of a ConditionalDenoiser, or the net.
        objective: ``flow_matching`` (straight paths, the net predicts the velocity) or ``edm``
            (diffusion with the preconditioning of Karras et al.).
        num_steps: Steps of the sampler. Heun's method calls the net twice a step.
        solver: ``heun``, of order 2, or ``euler``.
        num_members: Members M of the ensemble.
        of: Whether frames are generated or their ``change`` since the last input frame.
        data_std: Standard deviation of what is generated, in normalised values; noise is compared
            with it. A value that is wrong by a factor of 2 does little harm.
        data_preprocessor: Config of the normalisation.

    Raises:
        ConfigError: If the objective needs more steps.

    Source:
        Lipman et al. (arXiv:2210.02747); Karras et al. (arXiv:2206.00364); for weather, Price et
        al., GenCast (arXiv:2312.15796).
    """

    interface = ConditionalDenoiser
    forecast_arguments = ("num_steps", "solver", "num_members")

    def __init__(
        self,
        *,
        net: dict[str, Any],
        objective: Literal["flow_matching", "edm"] = "flow_matching",
        num_steps: Count = 10,
        solver: Literal["heun", "euler"] = "heun",
        num_members: Count = 8,
        of: Literal["frames", "change"] = "frames",
        data_std: Positive = 1.0,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.objective = build_objective(objective, num_steps)
        self.net = MODELS.build(net)
        self.num_steps, self.solver, self.num_members = num_steps, solver, num_members
        self.of, self.data_std = of, data_std
        self.criterion = LOSSES.build({"type": "L2"})  # its minimum is the mean, as sampling needs

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        future, past = targets["frames"], inputs["frames"]
        if future.shape[1] != self.net.num_targets:
            raise ShapeError(
                f"{type(self.net).__name__} generates num_targets={self.net.num_targets} frames, "
                f"but the training targets have {future.shape[1]}; set model.net.num_targets="
                f"{future.shape[1]}"
            )
        clean = (future - self._origin(past)) / self.data_std
        time = self.objective.draw_times(len(clean)).to(clean.device)
        noise = torch.randn_like(clean)  # the loop seeds each training step
        noisy, stated = self.objective.net_inputs(self.objective.mix(clean, noise, time), time)
        output = self.net(noisy, stated, condition_of(inputs))
        # noise at invalid pixels is input only: the criterion ignores them
        target = self.objective.target(clean, noise, time)
        return {"loss_denoising": self.criterion(output, target, targets.get("valid"))}

    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        past, members, block = inputs["frames"], self.num_members, self.net.num_targets
        if horizon > block and "dynamic" in inputs:
            raise ShapeError(
                f"a horizon of {horizon} needs the covariates of future frames, which are not "
                f"known; the net generates {block} frames: set model.net.num_targets={horizon}"
            )
        num_blocks = -(-horizon // block)
        noise = noise_of(seeds_of(inputs, self), num_blocks, (members, block, *past.shape[2:]))
        noise = noise.to(past.device)
        fields: Any = inputs
        repeated = {name: v.repeat_interleave(members, dim=0) for name, v in fields.items()}
        frames = repeated["frames"]
        for i in range(num_blocks):
            window = {**repeated, "frames": frames[:, -past.shape[1] :]}
            frames = torch.cat([frames, self._sample(window, noise[:, i].flatten(0, 1))], dim=1)
        ensemble = frames[:, past.shape[1] :][:, :horizon].unflatten(0, (len(past), members))
        return {"forecast": ensemble.mean(dim=1), "ensemble": ensemble}

    def _sample(self, inputs: Any, noise: Tensor) -> Tensor:
        """Return one block of frames for each noise (N, T', C, H, W)."""
        condition = condition_of(inputs)

        def derivative(x: Tensor, time: Tensor) -> Tensor:
            noisy, stated = self.objective.net_inputs(x, time)
            output = self.net(noisy, stated, condition).float()
            return self.objective.derivative(output, x, time)

        generated = integrate(
            derivative,
            self.objective.start(noise),
            self.objective.schedule(self.num_steps),
            solver=self.solver,
            singular_end=self.objective.singular_end,
        )
        return generated * self.data_std + self._origin(inputs["frames"])

    def _origin(self, past: Tensor) -> Tensor:
        """Return the last input frame, or 0 where frames are generated as they are."""
        return past[:, -1:] if self.of == "change" else past.new_zeros(())

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        """Return constructor arguments of a small instance around a net."""
        return {"net": net, "num_members": 3, "num_steps": 2}


def condition_of(inputs: Inputs) -> Tensor:
    """Return past frames with the covariates as further channels, (B, T, D, H, W)."""
    frames = inputs["frames"]
    parts = [frames]
    if "dynamic" in inputs:
        parts.append(inputs["dynamic"])
    if "static" in inputs:
        parts.append(inputs["static"][:, None].expand(-1, frames.shape[1], -1, -1, -1))
    return torch.cat(parts, dim=2) if len(parts) > 1 else frames


def seeds_of(inputs: Inputs, method: nn.Module) -> Tensor:
    """Return the seed of each sample.

    Raises:
        ConfigError: If the inputs have none.
    """
    if "seed" not in inputs:
        raise ConfigError(
            f"{type(method).__name__} draws the noise of a sample from inputs['seed'], which is "
            "missing; evaluation and prediction add it, in a script give torch.arange(batch size)"
        )
    return inputs["seed"]


def noise_of(seeds: Tensor, num_blocks: int, shape: Sequence[int]) -> Tensor:
    """Draw standard normal noise (B, num_blocks, *shape) on the CPU, one generator per sample.

    Blocks are drawn one by one: the last values of a longer draw would differ.
    """
    draws = (torch.Generator().manual_seed(seed) for seed in seeds.tolist())
    return torch.stack(
        [torch.stack([torch.randn(*shape, generator=d) for _ in range(num_blocks)]) for d in draws]
    )
