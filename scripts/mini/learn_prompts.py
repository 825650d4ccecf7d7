# Learns crane-mini's prompts: python learn_prompts.py MODEL_FOLDER CACHE_FOLDER DATA_ROOT OUT.safetensors
"""Options: --seed 111, --sets NAME... method.md 7 on cached features (cache_features.py), image weight 0. The demo's
sample pictures are left out.

Nearest upsampling repeats each cell's probability 14 x 14 times, so a cell with its share of anomalous pixels
stands exactly for its 196 pixels."""

import argparse
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from aligned_safetensors import save_aligned
from datasets import SHIPPED_SETS, read_set, sample_pictures
from tower import PATCH, TEMPERATURE, Tensors, Text, load_weights, random_prompts

EPOCHS = 5
BATCH = 8
SEED = 111


@dataclass(frozen=True)
class Examples:
    patch: torch.Tensor  # [n, N, D] normalised patch features of the second stream
    cls: torch.Tensor  # [n, D] normalised global features, the guidance
    anomalous: torch.Tensor  # [n, N] anomalous pixels of each cell, 0 to 196


def load_examples(cache: str, data: str, names: list[str], leave_out: set[str]) -> Examples:
    patch, cls, anomalous = [], [], []
    for name in names:
        stored = load_file(f"{cache}/{name}.safetensors")
        keep = [i for i, picture in enumerate(read_set(data, name)) if picture.path not in leave_out]
        patch.append(stored["patch"][keep])
        cls.append(stored["cls"][keep])
        cells = F.avg_pool2d(stored["mask"][keep].unsqueeze(1).float(), PATCH) * PATCH**2
        anomalous.append(cells.flatten(1).round())
    return Examples(torch.cat(patch), torch.cat(cls), torch.cat(anomalous))


def focal(probability: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Mean over pixels. probability [B, N, 2]; share [B, N] of anomalous pixels in each cell."""
    small = 1e-5
    normal, anomalous = probability.unbind(-1)

    def of(true: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        pt = (1 - small) * true + small * other + small
        return -((1 - pt) ** 2) * pt.log()

    return (share * of(anomalous, normal) + (1 - share) * of(normal, anomalous)).mean()


def dice(anomalous: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """anomalous [B, N] probabilities; count [B, N] anomalous pixels of each cell."""
    both = (anomalous * count).sum(1)
    total = anomalous.sum(1) * PATCH**2 + count.sum(1)
    return 1 - ((2 * both + 1) / (total + 1)).mean()


def learn(weights: Tensors, examples: Examples, seed: int, verbose: bool = False) -> Tensors:
    text = Text(weights)
    prompts = random_prompts(text.blocks, weights["text.proj"].shape[0], seed)
    for vectors in prompts.values():
        vectors.requires_grad_()
    optimiser = torch.optim.Adam(prompts.values(), lr=1e-3, betas=(0.6, 0.999), eps=1e-8)
    order = torch.Generator().manual_seed(seed)
    for epoch in range(EPOCHS):
        # One whole number, one permutation that is used, one that is thrown away: the usual loader's draws.
        torch.empty((), dtype=torch.int64).random_(generator=order)
        permutation = torch.randperm(len(examples.cls), generator=order)
        torch.randperm(len(examples.cls), generator=order)
        losses = []
        for batch in permutation.split(BATCH):
            features = text(prompts, examples.cls[batch])  # [B, 2, D]
            probability = (examples.patch[batch] @ features.transpose(1, 2) / TEMPERATURE).softmax(-1)
            count = examples.anomalous[batch]
            loss = 2 * focal(probability, count / PATCH**2) + 2 * dice(probability[..., 1], count)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        if verbose:
            print(f"epoch {epoch + 1}: mean loss {sum(losses) / len(losses):.4f}", flush=True)
    return {name: vectors.detach() for name, vectors in prompts.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("cache")
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--sets", nargs="+", default=list(SHIPPED_SETS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    leave_out = {picture.path for picture in sample_pictures(arguments.data)}
    examples = load_examples(arguments.cache, arguments.data, arguments.sets, leave_out)
    print(f"{len(examples.cls)} pictures of {', '.join(arguments.sets)}")
    prompts = learn(load_weights(arguments.model), examples, arguments.seed, verbose=True)
    sets = ", ".join(arguments.sets)
    origin = f"crane-mini prompts, learned on {sets} without the sample pictures, seed {arguments.seed}"
    save_aligned(prompts, arguments.out, origin)


if __name__ == "__main__":
    main()
