# A vision transformer of given sizes with random weights in plain PyTorch, for the peers beside this file: pre-norm
# blocks with QuickGELU, as CLIP has them. Shapes: B pictures, N tokens, W width, H heads of 64 channels.
import time

import torch
import torch.nn.functional as F

FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Tower:
    def __init__(self, sizes, dtype, device):
        self.width, self.patch = sizes["width"], sizes["patch"]
        self.heads = self.width // 64
        make = {"dtype": dtype, "device": device}
        weight = lambda rows, columns: torch.randn(rows, columns, **make) * columns**-0.5
        zeros = lambda count: torch.zeros(count, **make)
        width, mlp = self.width, sizes["mlp"]
        self.norm = (torch.ones(width, **make), zeros(width))
        self.patches = torch.randn(width, 3, self.patch, self.patch, **make) * 0.02
        self.first = torch.randn(1, 1 + sizes["registers"], width, **make) * 0.02
        self.positions = torch.randn(1, 1 + sizes["registers"] + sizes["patches"], width, **make) * 0.02
        self.blocks = [
            {
                "qkv": (weight(3 * width, width), zeros(3 * width)),
                "out": (weight(width, width), zeros(width)),
                "fc1": (weight(mlp, width), zeros(mlp)),
                "fc2": (weight(width, mlp), zeros(width)),
            }
            for _ in range(sizes["layers"])
        ]

    def layer_norm(self, x):
        return F.layer_norm(x, (self.width,), *self.norm, 1e-5)

    def embed(self, pictures):  # [B, 3, S, S] -> [B, N, W]
        x = F.conv2d(pictures, self.patches, stride=self.patch).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(x.shape[0], -1, -1), x], 1)
        return self.layer_norm(x + self.positions)

    def project(self, block, x):  # [B, N, W] -> three times [B, H, N, 64]
        parts = F.linear(self.layer_norm(x), *block["qkv"]).chunk(3, -1)
        return [part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts]

    def out(self, block, attended):  # [B, H, N, 64] -> [B, N, W]
        return F.linear(attended.transpose(1, 2).flatten(2), *block["out"])

    def mlp(self, block, x):
        hidden = F.linear(self.layer_norm(x), *block["fc1"])
        return F.linear(hidden * torch.sigmoid(1.702 * hidden), *block["fc2"])

    def plain_block(self, block, x):
        x = x + self.out(block, F.scaled_dot_product_attention(*self.project(block, x)))
        return x + self.mlp(block, x)

    def __call__(self, pictures):
        x = self.embed(pictures)
        for block in self.blocks:
            x = self.plain_block(block, x)
        return self.layer_norm(x)


class TorchPeer:
    """Times self.forward; the picture is noise, as no arithmetic here depends on its content."""

    title = ""

    def __init__(self, setup):
        torch.set_num_threads(setup["threads"])
        torch.manual_seed(0)
        self.setup = setup
        self.dtype = FORMATS[setup["precision"]]
        self.device = torch.device(setup["device"])
        self.pictures = None
        with torch.inference_mode():
            self.open()

    def facts(self):
        return {"title": self.title, "versions": {"torch": torch.__version__}}

    def prepare(self, batch):
        if self.pictures is None or self.pictures.shape[0] != batch:
            size = self.setup["input"]
            self.pictures = torch.randn(batch, 3, size["height"], size["width"], dtype=self.dtype, device=self.device)

    def run(self, batch):
        with torch.inference_mode():
            self.wait()
            start = time.perf_counter()
            self.forward(self.pictures)
            self.wait()
            return time.perf_counter() - start

    def wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
