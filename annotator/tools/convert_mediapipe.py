"""Copies the weights of MediaPipe's networks of hands and bodies out of its wheel into safetensors.

    pip download --no-deps mediapipe==0.10.21
    python -m annotator.tools.convert_mediapipe mediapipe-0.10.21-*.whl

Needs the PyPI package `tflite` (the file format's reader; not a run-time dependency). The graphs of hands are plain
sequences of convolutions, so the n-th weighted operation of the graph is the n-th layer of the module, which
declares its layers in that order; the shapes are checked on the way. Those of bodies, which nothing here trains, are
recorded as they are (`annotator.tools.record_tflite`).
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from torch import nn

from annotator.detection.bodies.arms import ARM_WEIGHTS
from annotator.detection.bodies.body_detector import BODY_WEIGHTS
from annotator.detection.palms.palm_network import PALM_WEIGHTS, PalmNetwork
from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.network.encoders.mediapipe_hand import WEIGHTS, MediaPipeHand
from annotator.tools.record_tflite import record

HAND_GRAPH = "mediapipe/modules/hand_landmark/hand_landmark_full.tflite"
PALM_GRAPH = "mediapipe/modules/palm_detection/palm_detection_full.tflite"
BODY_GRAPH = "mediapipe/modules/pose_detection/pose_detection.tflite"
ARM_GRAPH = "mediapipe/modules/pose_landmark/pose_landmark_full.tflite"
# of the graphs of bodies: boxes and scores; landmarks and the probability of a person (not: mask, heat maps, metres)
WANTED = ("Identity", "Identity_1")
ROOMS = Path(__file__).resolve().parents[1]


def weighted_operations(graph: bytes) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Operations of a .tflite file that own weights, in running order: name, float16 arrays."""
    import tflite

    model = tflite.Model.GetRootAs(graph, 0)
    net = model.Subgraphs(0)
    names = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
    constants: dict[int, np.ndarray] = {}
    for k in range(net.OperatorsLength()):
        operation = net.Operators(k)
        code = model.OperatorCodes(operation.OpcodeIndex())
        name = names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        inputs = operation.InputsAsNumpy()
        if name == "DEQUANTIZE":  # the weights are stored as float16 behind one of these each
            tensor = net.Tensors(inputs[0])
            if tensor.Type() != tflite.TensorType.FLOAT16:
                raise InputError(f"tensor {tensor.Name().decode()} is not stored as float16")
            data = model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes()
            constants[operation.OutputsAsNumpy()[0]] = np.frombuffer(data, np.float16).reshape(tensor.ShapeAsNumpy())
        elif any(i in constants for i in inputs):
            yield name, [constants[i] for i in inputs if i in constants]


def state_of(module: nn.Module, graph: bytes) -> dict[str, torch.Tensor]:
    """The module's state dict (float16) filled from the graph. InputError where the two do not match."""
    layers = [(n, m) for n, m in module.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.PReLU))]
    operations = list(weighted_operations(graph))
    if len(layers) != len(operations):
        raise InputError(f"the graph has {len(operations)} weighted operations, expected {len(layers)}")
    state = {}
    for (layer_name, layer), (operation, arrays) in zip(layers, operations, strict=True):
        kernel = arrays[0]
        if operation == "CONV_2D":
            kernel = kernel.transpose(0, 3, 1, 2)  # out, height, width, in -> out, in, height, width
        elif operation == "DEPTHWISE_CONV_2D":
            kernel = kernel.transpose(3, 0, 1, 2)  # 1, height, width, channel -> channel, 1, height, width
        elif operation == "PRELU":
            kernel = kernel.reshape(-1)
        elif operation != "FULLY_CONNECTED":
            raise InputError(f"unexpected operation {operation} at layer {layer_name}")
        if kernel.shape != tuple(layer.weight.shape):
            raise InputError(f"layer {layer_name}: graph {kernel.shape}, expected {tuple(layer.weight.shape)}")
        state[f"{layer_name}.weight"] = torch.from_numpy(kernel.copy())
        bias = arrays[1] if len(arrays) > 1 else None
        if getattr(layer, "bias", None) is not None:
            assert bias is not None, layer_name
            state[f"{layer_name}.bias"] = torch.from_numpy(bias.copy())
        elif bias is not None and np.any(bias):
            raise InputError(f"layer {layer_name}: the graph has a bias here, the module none")
    return state


def convert(wheel: Path, network: Path, detection: Path) -> None:
    """Write the weight files from a MediaPipe wheel into these folders. InputError if it holds no such graphs."""
    no_wheel = "is not a MediaPipe wheel with the graphs of hands and bodies"
    with reading(wheel, no_wheel, KeyError, zipfile.BadZipFile), zipfile.ZipFile(wheel) as archive:
        graphs = {name: archive.read(name) for name in (HAND_GRAPH, PALM_GRAPH, BODY_GRAPH, ARM_GRAPH)}
    for folder in (network, detection):
        folder.mkdir(parents=True, exist_ok=True)
    about = {
        "source": "mediapipe 0.10.21 (PyPI wheel)",
        "license": "Apache-2.0",
        "copyright": "The MediaPipe Authors",
    }
    for module, name, out in (
        (MediaPipeHand(), HAND_GRAPH, network / WEIGHTS),
        (PalmNetwork(), PALM_GRAPH, detection / PALM_WEIGHTS),
    ):
        save_file(state_of(module, graphs[name]), out, metadata={**about, "graph": name})
    for name, out in ((BODY_GRAPH, detection / BODY_WEIGHTS), (ARM_GRAPH, detection / ARM_WEIGHTS)):
        tensors, recorded = record(graphs[name], WANTED)
        save_arrays(tensors, out, metadata={**about, "graph": name, **recorded})


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m annotator.tools.convert_mediapipe WHEEL", file=sys.stderr)
        return 2
    try:
        convert(Path(arguments[0]), ROOMS / "network" / "weights", ROOMS / "detection" / "weights")
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
