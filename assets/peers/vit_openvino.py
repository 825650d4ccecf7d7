# The peer `openvino` of `crane-native bench --vs openvino`: the plain forward pass of a vision transformer of the model's
# sizes, no E-Attn, random weights, built from OpenVINO's operators with a static shape. Started by peer.py.
import time

import numpy as np
import openvino as ov
import openvino.opset13 as ops

# In int8 the quantised layers are those of the graph; what is left of it, attention above all, takes the hint's format.
PRECISIONS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16", "int8": "bf16"}


class Graph:
    """The tower as a graph; weights are made once and shared by the graphs of all batch sizes."""

    def __init__(self, sizes, size):
        self.sizes, self.size = sizes, size
        rng = np.random.default_rng(0)
        draw = lambda *shape: rng.standard_normal(shape, dtype=np.float32)
        width, mlp = sizes["width"], sizes["mlp"]
        weight = lambda rows, columns: draw(rows, columns) * np.float32(columns**-0.5)
        first = 1 + sizes["registers"]
        self.patches = draw(width, 3, sizes["patch"], sizes["patch"]) * np.float32(0.02)
        self.first = draw(1, first, width) * np.float32(0.02)
        self.positions = draw(1, first + sizes["patches"], width) * np.float32(0.02)
        self.blocks = [
            {"qkv": weight(3 * width, width), "out": weight(width, width), "fc1": weight(mlp, width), "fc2": weight(width, mlp)}
            for _ in range(sizes["layers"])
        ]

    def linear(self, x, weight):
        bias = ops.constant(np.zeros(weight.shape[0], np.float32))
        return ops.add(ops.matmul(x, ops.constant(weight), False, True), bias)

    def layer_norm(self, x):
        width = self.sizes["width"]
        normed = ops.mvn(x, ops.constant(np.array([-1], np.int64)), True, 1e-5, "inside_sqrt")
        scaled = ops.multiply(normed, ops.constant(np.ones(width, np.float32)))
        return ops.add(scaled, ops.constant(np.zeros(width, np.float32)))

    def attention(self, block, x, batch, tokens):
        width = self.sizes["width"]
        heads = width // 64
        qkv = self.linear(self.layer_norm(x), block["qkv"])
        shape = ops.constant(np.array([batch, tokens, heads, 64], np.int64))
        order = ops.constant(np.array([0, 2, 1, 3], np.int64))
        parts = ops.split(qkv, ops.constant(np.int64(2)), 3).outputs()
        q, k, v = [ops.transpose(ops.reshape(part, shape, False), order) for part in parts]
        attended = ops.transpose(ops.scaled_dot_product_attention(q, k, v), order)
        joined = ops.reshape(attended, ops.constant(np.array([batch, tokens, width], np.int64)), False)
        return self.linear(joined, block["out"])

    def mlp(self, block, x):
        hidden = self.linear(self.layer_norm(x), block["fc1"])
        return self.linear(ops.swish(hidden, ops.constant(np.float32(1.702))), block["fc2"])

    def build(self, batch):
        sizes, width = self.sizes, self.sizes["width"]
        pictures = ops.parameter([batch, 3, self.size["height"], self.size["width"]], np.float32)
        step = [sizes["patch"]] * 2
        x = ops.convolution(pictures, ops.constant(self.patches), step, [0, 0], [0, 0], [1, 1])
        x = ops.reshape(x, ops.constant(np.array([batch, width, sizes["patches"]], np.int64)), False)
        x = ops.transpose(x, ops.constant(np.array([0, 2, 1], np.int64)))
        first = ops.constant(np.repeat(self.first, batch, axis=0))
        x = ops.add(ops.concat([first, x], 1), ops.constant(self.positions))
        x = self.layer_norm(x)
        tokens = self.positions.shape[1]
        for block in self.blocks:
            x = ops.add(x, self.attention(block, x, batch, tokens))
            x = ops.add(x, self.mlp(block, x))
        return ov.Model([self.layer_norm(x)], [pictures], "vit")


class Peer:
    def __init__(self, setup):
        if setup["device"] != "cpu":
            raise ValueError(f"runs on the CPU only, not on {setup['device']}")
        self.setup = setup
        self.graph = Graph(setup["vision"], setup["input"])
        self.core = ov.Core()
        self.batch = self.request = None

    def facts(self):
        version = ov.get_version().split("-")[0]
        versions = {"openvino": version}
        if self.is_int8():
            import nncf

            versions["nncf"] = nncf.__version__
        return {"title": "OpenVINO: plain ViT forward, no E-Attn", "versions": versions}

    def is_int8(self):
        return self.setup["precision"] == "int8"

    def build(self, batch):
        model = self.graph.build(batch)
        if not self.is_int8():
            return model
        import nncf

        # Scales from one picture of noise: they cost no time, and nobody reads what comes out.
        noise = np.random.default_rng(2).standard_normal(model.input(0).shape, dtype=np.float32)
        kinds = {"model_type": nncf.ModelType.TRANSFORMER, "fast_bias_correction": True, "subset_size": 1}
        return nncf.quantize(model, nncf.Dataset([noise]), **kinds)

    def prepare(self, batch):
        if batch == self.batch:
            return
        self.request = None  # the weights of one batch size at a time
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": PRECISIONS[self.setup["precision"]],
            "INFERENCE_NUM_THREADS": self.setup["threads"],
        }
        self.request = self.core.compile_model(self.build(batch), "CPU", settings).create_infer_request()
        size = self.setup["input"]
        shape = (batch, 3, size["height"], size["width"])
        self.request.set_input_tensor(ov.Tensor(np.random.default_rng(1).standard_normal(shape, dtype=np.float32)))
        self.batch = batch

    def run(self, batch):
        start = time.perf_counter()
        self.request.infer()
        return time.perf_counter() - start
