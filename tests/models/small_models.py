"""Small networks written here: families that torchvision does not have, and forms that exporters write."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class OnlyOut(nn.Module):
    """A segmentation network of torchvision, without the dictionary around its answer."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x)["out"]


class Unet(nn.Module):
    def __init__(self, width=6):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
        self.down1, self.down2, self.middle = block(3, width), block(width, 2 * width), block(2 * width, 4 * width)
        self.up2, self.up1 = nn.ConvTranspose2d(4 * width, 2 * width, 2, 2), nn.ConvTranspose2d(2 * width, width, 2, 2)
        self.join2, self.join1 = block(4 * width, 2 * width), block(2 * width, width)
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.middle(F.max_pool2d(b, 2))
        b = self.join2(torch.cat([self.up2(c), b], 1))
        return self.head(self.join1(torch.cat([self.up1(b), a], 1)))


class Attention(nn.Module):
    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, keep=None):
        batch, length, width = x.size()
        split = lambda t: t.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
        q, k, v = map(split, self.qkv(x).chunk(3, -1))
        scores = q @ k.transpose(-1, -2) / math.sqrt(width // self.heads)
        if self.causal:
            mask = torch.tril(torch.ones(length, length)).bool()
            scores = scores.masked_fill(~mask, float("-inf"))
        if keep is not None:
            scores = scores + (1.0 - keep[:, None, None, :].float()) * -1e4
        y = F.softmax(scores, -1) @ v
        return self.out(y.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, width, heads, causal, gelu):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, causal)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.gelu = gelu

    def forward(self, x, keep=None):
        x = x + self.attention(self.norm1(x), keep)
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate=self.gelu))


class Bert(nn.Module):
    """Token, position and segment embeddings, a padding mask, a pooler."""

    def __init__(self, width=16, layers=2):
        super().__init__()
        self.tokens, self.positions, self.segments = (nn.Embedding(n, width) for n in (40, 16, 2))
        self.norm = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(Block(width, 4, False, "none") for _ in range(layers))
        self.pooler = nn.Linear(width, width)

    def forward(self, tokens, keep, segments):
        positions = torch.arange(tokens.size(1)).unsqueeze(0)
        x = self.norm(self.tokens(tokens) + self.positions(positions) + self.segments(segments))
        for block in self.blocks:
            x = block(x, keep)
        return x, torch.tanh(self.pooler(x[:, 0]))


class Gpt(nn.Module):
    def __init__(self, width=16, layers=2):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(40, width), nn.Embedding(16, width)
        self.blocks = nn.ModuleList(Block(width, 4, True, "tanh") for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 40, bias=False)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.size(1)))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class RmsNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(width) + 0.5)

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


class GatedMlp(nn.Module):
    """RMSNorm, rotary positions and a SiLU gate, as in recent language models."""

    def __init__(self, width=16):
        super().__init__()
        self.norm, self.attention = RmsNorm(width), Attention(width, 4, True)
        self.gate, self.up = nn.Linear(width, 40, bias=False), nn.Linear(width, 40, bias=False)
        self.down = nn.Linear(40, width, bias=False)

    def forward(self, x):
        angle = torch.arange(x.size(1)).float()[:, None] * torch.exp(-torch.arange(0, x.size(2), 2).float() / x.size(2))
        even, odd = x[..., 0::2], x[..., 1::2]
        x = torch.stack([even * angle.cos() - odd * angle.sin(), even * angle.sin() + odd * angle.cos()], -1).flatten(-2)
        x = x + self.attention(self.norm(x))
        y = self.norm(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 12, 3, 2, 1), nn.Conv2d(12, 12, 3, 1, 1)
        self.group, self.instance = nn.GroupNorm(4, 12), nn.InstanceNorm2d(12, affine=True)

    def forward(self, x):
        x = F.silu(self.group(self.first(x)))
        return F.elu(self.instance(self.second(x)))


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.cells = kind(12, 10, **options)
        self.head = nn.Linear(10 * (2 if options.get("bidirectional") else 1), 5)

    def forward(self, x):
        y, _ = self.cells(x)
        return self.head(y)


class Convolutions(nn.Module):
    """1-D and 3-D, grouped, dilated, unevenly padded convolutions, pooling that rounds up."""

    def __init__(self):
        super().__init__()
        self.line = nn.Conv1d(4, 8, 5, stride=2, padding=3, dilation=2, groups=2)
        self.volume = nn.Conv3d(1, 6, 3, padding=1)
        self.back = nn.ConvTranspose3d(6, 2, 3, stride=2, output_padding=1, groups=2)

    def forward(self, line, volume):
        y = F.max_pool1d(F.leaky_relu(self.line(F.pad(line, (1, 4)))), 3, 2, ceil_mode=True)
        z = self.back(F.avg_pool3d(F.relu(self.volume(volume)), 2, ceil_mode=True))
        return y, z


class Upsampling(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution, self.shuffle = nn.Conv2d(3, 12, 3, padding=1, padding_mode="reflect"), nn.PixelShuffle(2)

    def forward(self, x):
        x = self.shuffle(self.convolution(x))
        size = (x.size(2) * 2, x.size(3) * 2 + 1)
        smooth = F.interpolate(x, size=size, mode="bilinear", align_corners=False)
        return smooth + F.interpolate(x, size=size, mode="bilinear", align_corners=True), F.interpolate(
            x, scale_factor=2, mode="nearest"), F.interpolate(x, scale_factor=1.5, mode="bicubic")


class Indexing(nn.Module):
    """Positions from a mask, a scatter, a choice of the best: what heads of real networks do."""

    def __init__(self):
        super().__init__()
        self.positions = nn.Embedding(40, 12)

    def forward(self, tokens, x):
        keep = tokens.ne(1).int()
        y = x + self.positions((torch.cumsum(keep, 1) * keep).long() + 1)
        best = torch.topk(y, 3, dim=-1)
        first = torch.zeros_like(y).scatter(-1, best.indices, best.values)
        y = y.clone()
        y[:, 1:3] = first[:, 0:2]
        return y, best.values, torch.einsum("bij,bkj->bik", y, first)


def tokens(rows=2, length=9):
    return torch.randint(2, 40, (rows, length))


NETWORKS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 32), nn.Sigmoid(), nn.Linear(32, 4)),
            lambda: (torch.randn(3, 20),)),
    "unet": (Unet, lambda: (torch.randn(1, 3, 16, 16),)),
    "bert": (Bert, lambda: (tokens(), (torch.arange(9) < torch.tensor([[9], [6]])).long(), torch.zeros(2, 9).long())),
    "gpt": (Gpt, lambda: (tokens(),)),
    "gated_mlp": (GatedMlp, lambda: (torch.randn(2, 7, 16),)),
    "norms": (Norms, lambda: (torch.randn(2, 3, 9, 9),)),
    "lstm": (lambda: Recurrent(nn.LSTM), lambda: (torch.randn(6, 2, 12),)),
    "lstm_bidirectional": (lambda: Recurrent(nn.LSTM, num_layers=2, bidirectional=True, batch_first=True),
                           lambda: (torch.randn(2, 6, 12),)),
    "gru": (lambda: Recurrent(nn.GRU, num_layers=2), lambda: (torch.randn(6, 2, 12),)),
    "gru_bidirectional": (lambda: Recurrent(nn.GRU, bidirectional=True), lambda: (torch.randn(6, 2, 12),)),
    "rnn": (lambda: Recurrent(nn.RNN), lambda: (torch.randn(6, 2, 12),)),
    "convolutions": (Convolutions, lambda: (torch.randn(2, 4, 33), torch.randn(1, 1, 5, 6, 5))),
    "upsampling": (Upsampling, lambda: (torch.randn(1, 3, 5, 6),)),
    "indexing": (Indexing, lambda: (tokens(), torch.randn(2, 9, 12))),
}
