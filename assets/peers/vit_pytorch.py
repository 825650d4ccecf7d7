# The peer `pytorch` of `crane-native bench --vs pytorch`: the plain forward pass of a vision transformer of the model's
# sizes, no E-Attn, random weights, fused attention. Started by peer.py.
from tower_pytorch import Tower, TorchPeer


class Peer(TorchPeer):
    title = "PyTorch: plain ViT forward, no E-Attn"

    def open(self):
        self.tower = Tower(self.setup["vision"], self.dtype, self.device)

    def forward(self, pictures):
        return self.tower(pictures)
