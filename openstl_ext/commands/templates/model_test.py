"""NewModel forecasts and learns."""

import torch
from new_model import NewModel

from openstl_ext.methods.direct_forecast import DirectForecast


def test_a_forecast_has_the_shape_of_the_input() -> None:
    """A method could not compare the forecast with the target."""
    net = NewModel(**NewModel.toy_arguments())
    assert net(torch.rand(2, 4, 1, 16, 16)).shape == (2, 4, 1, 16, 16)


def test_training_reduces_the_loss() -> None:
    """The net would not learn from the gradients of its method."""
    torch.manual_seed(0)
    net = {"type": "NewModel", **NewModel.toy_arguments()}
    method = DirectForecast(net=net, loss={"type": "L2"})
    batch = method.toy_batch(size=4)
    optimizer = torch.optim.Adam(method.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = method(**batch, mode="loss")["loss_frames"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
