# Scores and maps of the peers in assets/peers (systems_pytorch.py), for peers.ts: one JSON object on stdin, one on stdout.
# Argument: the folder of the peers.
import json
import sys

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import torch
from systems_pytorch import Peer


def fixed(system, draws):
    """AnoVL's chance, as the fixtures have it."""
    weight, bias, noise = [torch.tensor(draws[name]) for name in ("weight", "bias", "noise")]
    system.start = lambda x: (weight.reshape(-1, x.shape[-1]).clone(), bias.clone())
    system.noise = lambda x, step: noise.reshape(-1, *x.shape)[step]


asked = json.load(sys.stdin)
peer = Peer(asked["setup"])
size = asked["setup"]["input"]
answers = []
with torch.inference_mode():
    for picture in asked["pictures"]:
        peer.system.method = picture["method"]
        if "draws" in picture:
            fixed(peer.system, picture["draws"])
        values = torch.tensor(picture["values"]).reshape(1, 3, size["height"], size["width"])
        score, anomaly_map = peer.score(values)
        answers.append({"score": score.item(), "map": anomaly_map.flatten().tolist()})
json.dump(answers, sys.stdout)
