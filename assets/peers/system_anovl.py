# AnoVL (docs/methods/anovl.md): v-v attention in all blocks, the mean over 22 views, an adapter that learns for every map.
import math

import torch
import torch.nn.functional as F
from clip_pytorch import Vision, unit

DEGREES = (-45, -33.75, -22.5, -11.25, 11.25, 22.5, 33.75, 45)
SHIFTS = ((0.2, 0.2), (-0.2, 0.2), (-0.2, -0.2), (0.2, -0.2), (0.1, 0.1), (-0.1, 0.1), (-0.1, -0.1), (0.1, -0.1))
SENTENCES = 924
NOISE = 0.05 * 1.1


def affine_maps(like):
    turns = [(math.cos(a), -math.sin(a), 0, math.sin(a), math.cos(a), 0) for a in map(math.radians, DEGREES)]
    shifts = [(1, 0, a, 0, 1, b) for a, b in SHIFTS]
    return torch.tensor(turns + shifts, dtype=torch.float32, device=like.device).reshape(-1, 2, 3)


def moved(picture, maps):
    picture = picture.float().expand(maps.shape[0], -1, -1, -1)
    grid = F.affine_grid(maps, picture.shape, align_corners=True)
    return F.grid_sample(picture, grid, padding_mode="reflection", align_corners=True)


def views(picture, one_by_one):  # beside the picture itself, 21
    maps = affine_maps(picture)
    parts = [moved(picture, maps[i : i + 1]) for i in range(16)] if one_by_one else [moved(picture, maps)]
    weights = torch.tensor([0.299, 0.587, 0.114], device=picture.device).reshape(1, 3, 1, 1)
    grey = (picture * weights).sum(1, keepdim=True).expand_as(picture)
    turned = [torch.rot90(picture, quarters, (2, 3)) for quarters in (1, 2, 3)]
    return torch.cat([*parts, picture.flip(3), grey, *turned]).to(picture.dtype)


class System:
    def __init__(self, setup, tensors, _learned):
        self.vision = Vision(setup, tensors)
        self.method = setup["method"]
        self.texts = unit(tensors.make_pair(setup))
        joint = setup["jointWidth"]
        given = setup.get("sentenceFeatures")
        random = torch.randn(SENTENCES, joint, **tensors.make)
        self.sentences = unit(random if given is None else torch.tensor(given, **tensors.make).reshape(-1, joint))
        is_text = self.method["adapter"] == "text"
        self.outputs = self.sentences.shape[0] if is_text else joint

    def anomalous(self, x):
        return torch.softmax(unit(x) @ self.texts.T / self.method["temperature"], -1)[..., 1]

    def mixed(self, x, weight, bias):
        answer = F.linear(unit(x), weight, bias)
        if self.method["adapter"] == "text":
            answer = torch.tanh(answer) @ self.sentences
        return 0.5 * x + 0.5 * answer

    def start(self, x):  # the adapter's fresh weights
        bound = x.shape[-1] ** -0.5
        draw = lambda *shape: torch.empty(shape, dtype=x.dtype, device=x.device).uniform_(-bound, bound)
        return draw(self.outputs, x.shape[-1]), draw(self.outputs)

    def noise(self, x, _step):
        return NOISE * torch.randn_like(x)

    def adapted(self, patches, noisy):
        """Its steps from fresh weights."""
        if self.method["adapter"] == "none":
            return patches
        with torch.inference_mode(False), torch.enable_grad():
            x = patches.clone()
            weight, bias = [start.requires_grad_() for start in self.start(x)]
            texts, own = self.texts.clone(), self.sentences
            self.sentences = own.clone()
            optimiser = torch.optim.AdamW([weight, bias], lr=1e-3, weight_decay=0.01)
            log_p = lambda of: torch.log_softmax(
                unit(self.mixed(of, weight, bias)) @ texts.T / self.method["temperature"], -1
            )
            for step in range(self.method["adapterSteps"]):
                if noisy:
                    clean, other = log_p(torch.stack([x, x + self.noise(x, step)]))
                else:
                    clean = other = log_p(x)
                entropy = -(clean.exp() * clean).sum(-1).mean()
                loss = entropy - 0.5 * (other[..., 1] + clean[..., 0]).mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            result = self.mixed(x, weight, bias).detach()
            self.sentences = own
        return result

    def finished(self, classes, patches, size):
        p = self.anomalous(patches).reshape(1, 1, *self.vision.grid)
        smooth = F.avg_pool2d(F.pad(p, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        anomaly_map = F.interpolate(smooth, size, mode="bilinear", align_corners=True)[0]
        return self.anomalous(classes).mean().reshape(1), anomaly_map

    def authors(self, picture):
        """Every view through both paths of all blocks."""
        vision = self.vision
        pictures = torch.cat([picture, views(picture, one_by_one=True)])
        o = x = vision.embed(pictures)
        for block in vision.blocks:
            o, x = vision.two_paths_by_matrices(block, o, x)
        tokens = vision.joint(torch.cat([o[:, :1], x[:, 1:]], 1))
        patches = self.adapted(tokens[0, 1:], noisy=True)
        return self.finished(tokens[:, 0], patches, picture.shape[2:])

    def batched(self, picture):
        """Both paths for the picture alone; of its other views one path, and of the last block one row."""
        vision = self.vision
        o = x = vision.embed(picture)
        for i, block in enumerate(vision.blocks):
            o, x = vision.two_paths(block, o, x, only_class=i == len(vision.blocks) - 1)
        classes = [o[:, 0]]
        if self.method["augment"]:
            other = vision.embed(views(picture, one_by_one=False))
            for block in vision.blocks[:-1]:
                other = vision.plain(block, other)
            classes.append(vision.plain(vision.blocks[-1], other, only_class=True)[:, 0])
        patches = self.adapted(vision.joint(x[0, 1:]), noisy=self.method["compat"]["noise"])
        return self.finished(vision.joint(torch.cat(classes)), patches, picture.shape[2:])
