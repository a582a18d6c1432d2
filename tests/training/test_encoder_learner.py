"What the training of an encoder shares: the average of a network."
import pytest
import torch

from audioclust.training.encoder_learner import moving_average


@pytest.mark.parametrize("warm_up", [False, True])
def test_moving_average_is_that_of_a_plain_loop(warm_up):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    averaged = moving_average(model, .9, warm_up)
    expected = [p.detach().clone() for p in model.parameters()]
    for step in range(1, 6):
        with torch.no_grad():
            for p in model.parameters(): p += torch.randn_like(p)
            model[1].running_mean += 1
        averaged.update_parameters(model)
        m = min(.9, step/(step + 9)) if warm_up else .9
        for e,p in zip(expected, model.parameters()): e.lerp_(p.detach(), 1 - m)
    for e,p in zip(expected, averaged.module.parameters()): torch.testing.assert_close(p, e, rtol=0, atol=0)
    assert torch.equal(averaged.module[1].running_mean, model[1].running_mean)
    assert not any(p.requires_grad for p in averaged.parameters())
