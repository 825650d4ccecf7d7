# The peers `authors` and `batched` of `crane-native bench --method NAME --vs authors --vs batched`: a compared system's
# forward pass as its code does it, and with the fastest operators that PyTorch has for the same. Random weights, one
# picture after the other (test/methods/peers.ts gives them those of fixtures and compares). Started by peer.py.
import importlib

import torch
from clip_pytorch import Tensors
from tower_pytorch import TorchPeer

TITLES = {"authors": "the authors' arithmetic in PyTorch", "batched": "PyTorch, batched as here, fused attention"}
# 28 sentences of normal parts and 20 of others, 16 tokens long: those of one class.
SENTENCES = {"ids": [[49406, *[320] * 14, 49407, *[0] * 61]] * 48, "normal": 28}


class SystemTensors(Tensors):
    def make_pair(self, setup):  # [2, C]: normal, anomalous
        given = setup.get("texts")
        shape = (2, setup["jointWidth"])
        return torch.randn(shape, **self.make) if given is None else torch.tensor(given, **self.make).reshape(shape)


class Peer(TorchPeer):
    def open(self):
        setup = {"sentences": SENTENCES, **self.setup}
        self.title = TITLES[setup["writing"]]
        module = importlib.import_module(f"system_{setup['method']['name']}")
        tensors = SystemTensors(setup.get("weights", []), self.dtype, self.device)
        learned = SystemTensors(setup.get("learned", []), self.dtype, self.device)
        self.system = module.System(setup, tensors, learned)
        self.score = getattr(self.system, setup["writing"])

    def forward(self, pictures):
        return [self.score(picture[None]) for picture in pictures]
