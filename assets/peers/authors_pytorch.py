# The peer `authors` of `crane-native bench --vs authors`: Crane's forward pass with the arithmetic of the reference
# (method.md 3, 4 and 6) in PyTorch. Attention as matrices [N, N]: scores, softmax, product with V; three softmaxes for
# E-Attn, added before one product; D-Attn with one softmax for all heads. Random weights. Where the arithmetic leaves a
# choice this takes the faster one: the scale goes into the smaller factor. Started by peer.py.
import torch
import torch.nn.functional as F
from tower_pytorch import Tower, TorchPeer

TEMPERATURE = 0.07
MEMBERS = {"q": 0, "k": 1, "v": 2}


def softmax_scores(left, right, scale):  # [B, H, N, d] x [B, H, M, d] -> [B, H, N, M]
    return torch.softmax((left * scale) @ right.transpose(-2, -1), -1)


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


class Peer(TorchPeer):
    title = "the authors' arithmetic in PyTorch"

    def open(self):
        setup = self.setup
        make = {"dtype": self.dtype, "device": self.device}
        self.tower = Tower(setup["vision"], self.dtype, self.device)
        width = setup["vision"]["width"]
        self.projection = torch.randn(width, setup["jointWidth"], **make) * width**-0.5
        self.texts = unit(torch.randn(2, setup["jointWidth"], **make))
        if setup.get("source", ()) is None:
            raise ValueError("knows no spatial source with windows (SAM)")
        self.source = Tower(setup["source"], self.dtype, self.device) if "source" in setup else None

    def joined(self, q, k, v):  # weights of E-Attn, [B, H, N, N]
        kind, scale = self.setup["eAttn"]["kind"], q.shape[-1] ** -0.5
        if kind == "(q+k+v)^2":
            s = torch.cat([q, k, v], -1)
            return softmax_scores(s, s, scale * 3**-0.5)
        first, *others = [(q, k, v)[MEMBERS[name[0]]] for name in kind.split("+")]
        weights = softmax_scores(first, first, scale)
        for s in others:
            weights = weights + softmax_scores(s, s, scale)
        return weights

    def towers(self, pictures):
        tower, second = self.tower, self.setup["eAttn"]["layers"]
        x = tower.embed(pictures)
        e = d = None
        for i, block in enumerate(tower.blocks):
            if i < len(tower.blocks) - second:
                x = tower.plain_block(block, x)
                continue
            e = x if e is None else e
            q, k, v = tower.project(block, x)
            e = e + tower.out(block, self.joined(q, k, v) @ v)
            x = x + tower.out(block, softmax_scores(q, k, q.shape[-1] ** -0.5) @ v)
            if self.source is not None and i == len(tower.blocks) - 1:
                d = self.d_attn(block, x, pictures)
            x = x + tower.mlp(block, x)
        return x[:, 0], self.patches_of(tower, e), d

    def d_attn(self, block, x, pictures):
        source, tower = self.source, self.tower
        z = unit(self.patches_of(source, source(pictures)))
        s = z @ z.transpose(-2, -1)
        s = (s - self.setup["beta"] * s.mean()) * 3
        weights = torch.softmax(s.masked_fill(s < 0, float("-inf")), -1)  # [B, N, N], the same for every head
        weight, bias = block["qkv"]
        v = F.linear(tower.layer_norm(self.patches_of(tower, x)), weight[-tower.width :], bias[-tower.width :])
        v = self.resize(v, self.grid(tower), self.grid(source))
        return tower.out(block, weights[:, None] @ v.unflatten(-1, (tower.heads, -1)).transpose(1, 2))

    def forward(self, pictures):
        cls, e, d = self.towers(pictures)
        grid = self.grid(self.tower if d is None else self.source)
        e = self.resize(e, self.grid(self.tower), grid)
        project = lambda t: unit(self.tower.layer_norm(t) @ self.projection)
        maps = [project(m) for m in (d, e) if m is not None]
        logits = [m @ self.texts.T / TEMPERATURE for m in maps]
        weight = torch.softmax(sum(logits) / len(logits), -1)[..., 1:]
        fused = unit((weight * sum(maps) / len(maps)).sum(1))
        image = unit(0.5 * fused + 0.5 * project(cls))
        size = self.setup["input"]
        cells = sum(torch.softmax(z, -1)[..., 1:] for z in logits) / len(logits)
        anomaly_map = self.resize(cells, grid, (size["height"], size["width"]))
        return torch.softmax(image @ self.texts.T / TEMPERATURE, -1), anomaly_map

    def patches_of(self, tower, x):  # [B, N, W] without class token and registers
        return x[:, tower.first.shape[1] :]

    def grid(self, tower):
        size = self.setup["input"]
        return size["height"] // tower.patch, size["width"] // tower.patch

    def resize(self, x, grid, to):  # [B, h w, C] -> [B, h' w', C], bilinear
        if grid == to:
            return x
        planes = x.transpose(1, 2).unflatten(-1, grid)
        return F.interpolate(planes, to, mode="bilinear").flatten(2).transpose(1, 2)
