"""The average of a network's weights over its last steps."""

import torch
from torch import Tensor, nn
from torch.func import functional_call


class Averaged(nn.Module):
    """A network that learns, and the average of its recent weights, which answers.

    Paper: Polyak and Juditsky 1992, https://doi.org/10.1137/0330046; as a moving average
    Tarvainen and Valpola 2017, https://arxiv.org/abs/1703.01780
    In training mode the network itself answers, in eval mode its average. The averages are
    buffers, so that checkpoints of `fit` hold them.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        """Average over about 1 / (1 - decay) steps; fewer at the beginning."""
        super().__init__()
        self.net = net
        self.decay = decay
        self.steps: Tensor
        self.register_buffer("steps", torch.zeros(()))
        self.names = [n for n, t in net.state_dict().items() if t.is_floating_point()]
        for name in self.names:
            self.register_buffer(own(name), net.state_dict()[name].detach().clone())

    @torch.no_grad()
    def step(self) -> None:
        """Take the weights as they are now into the average; call it once a training step."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps.item()) / (10 + self.steps.item()))
        now = self.net.state_dict()
        for name in self.names:
            getattr(self, own(name)).lerp_(now[name], 1 - decay)

    def averages(self) -> dict[str, Tensor]:
        """The averaged weights under the network's own names."""
        return {name: getattr(self, own(name)) for name in self.names}

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return self.net(x)
        return functional_call(self.net, self.averages(), (x,))

    def averaged(self) -> nn.Module:
        """The network with the averaged weights."""
        self.net.load_state_dict(self.averages(), strict=False)
        return self.net.eval()


def own(name: str) -> str:
    """A buffer's name; torch allows no dots in it."""
    return "average_" + name.replace(".", "-")
