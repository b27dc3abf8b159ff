"""NewMethod learns, and does not use the targets to forecast."""

import torch
from new_method import NewMethod


def test_training_reduces_the_loss() -> None:
    """The method would not train its net."""
    torch.manual_seed(0)
    method = NewMethod.toy()
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


def test_a_forecast_does_not_depend_on_the_targets() -> None:
    """Scores are invalid if targets can influence the prediction."""
    method = NewMethod.toy().eval()
    batch = method.toy_batch(size=2)
    before = method(**batch, mode="predict")
    batch["data_samples"]["frames"] = 1 - batch["data_samples"]["frames"]
    after = method(**batch, mode="predict")
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one["forecast"], other["forecast"], rtol=0, atol=0)
