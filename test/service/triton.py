"""A client of the Open Inference Protocol that is not ours: python triton.py HOST:PORT PICTURE -> JSON."""
import json
import sys

import numpy as np
import tritonclient.http as triton

address, path = sys.argv[1:]
client = triton.InferenceServerClient(address)
told = {
    "live": client.is_server_live(),
    "ready": client.is_server_ready(),
    "model": client.is_model_ready("crane-mini"),
    "inputs": [one["name"] for one in client.get_model_metadata("crane-mini")["inputs"]],
}
with open(path, "rb") as file:
    picture = file.read()
for is_binary in (True, False):
    image = triton.InferInput("IMAGE", [1], "BYTES")
    image.set_data_from_numpy(np.array([picture], dtype=object), binary_data=True)
    outputs = [triton.InferRequestedOutput(name, binary_data=is_binary) for name in ("SCORE", "MAP", "REGIONS")]
    answer = client.infer("crane-mini", [image], outputs=outputs, request_id="a", parameters={"mapThreshold": 0.3})
    scores, maps, regions = (answer.as_numpy(name) for name in ("SCORE", "MAP", "REGIONS"))
    told["binary" if is_binary else "json"] = {
        "score": float(scores[0]),
        "map": list(maps.shape),
        "max": float(maps.max()),
        "regions": json.loads(regions[0]),
        "id": answer.get_response()["id"],
    }
pixels = np.full((2, 64, 64, 3), 100, np.uint8)
tensor = triton.InferInput("PIXELS", pixels.shape, "UINT8")
tensor.set_data_from_numpy(pixels)
told["pixels"] = client.infer("crane-mini", [tensor]).as_numpy("SCORE").tolist()
try:
    client.infer("none", [tensor])
except triton.InferenceServerException as refusal:
    told["refusal"] = str(refusal)
print(json.dumps(told))
