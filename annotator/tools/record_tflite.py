"""A TensorFlow Lite graph of float16 weights as a recorded network (`annotator.network.frozen.recorded`).

Only what the wanted outputs need is kept. Weights that the graph stores sparsely are stored in full.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from annotator.errors import InputError

_NONE, _RELU6 = 0, 3  # ActivationFunctionType
_VALID = 1  # Padding: 0 is SAME
_INDEX_TYPES = {1: "Int32Vector", 2: "Uint16Vector", 3: "Uint8Vector"}  # SparseIndexVector


def record(graph: bytes, outputs: tuple[str, ...]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Tensors (float16) and metadata of the recorded network that gives these outputs of the graph, named as there.

    InputError for an operation that is not known here. Needs the PyPI package `tflite`.
    """
    import tflite

    model = tflite.Model.GetRootAs(graph, 0)
    return _Recorder(tflite, model).record(outputs)


class _Recorder:
    """What is known of a graph's tensors on the way through its operations."""

    def __init__(self, tflite, model):
        self.tflite, self.model, self.net = tflite, model, model.Subgraphs(0)
        self.constants: dict[int, np.ndarray] = {}
        self.padded: dict[int, tuple[int, list[int]]] = {}  # tensor -> the tensor that was padded, and how
        self.values: dict[int, int] = {self.net.InputsAsNumpy()[0]: 0}
        self.operations: list[tuple[str, list[int], dict]] = []
        self.tensors: dict[str, np.ndarray] = {}

    def record(self, outputs: tuple[str, ...]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
        names = {code: name for name, code in vars(self.tflite.BuiltinOperator).items() if isinstance(code, int)}
        ends = {self.net.Tensors(k).Name().decode(): k for k in self.net.OutputsAsNumpy()}
        needed = self._needed([ends[name] for name in outputs])
        for k in range(self.net.OperatorsLength()):
            operation = self.net.Operators(k)
            if operation.OutputsAsNumpy()[0] not in needed:
                continue
            code = self.model.OperatorCodes(operation.OpcodeIndex())
            self._step(names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())], operation)
        about = {
            "operations": json.dumps(self.operations, separators=(",", ":")),
            "outputs": json.dumps([self.values[ends[name]] for name in outputs]),
        }
        return self.tensors, about

    def _needed(self, ends: list[int]) -> set[int]:
        """The tensors that these need, themselves among them."""
        made_by = {}
        for k in range(self.net.OperatorsLength()):
            operation = self.net.Operators(k)
            made_by[operation.OutputsAsNumpy()[0]] = operation.InputsAsNumpy()
        needed, waiting = set(), list(ends)
        while waiting:
            tensor = waiting.pop()
            if tensor not in needed:
                needed.add(tensor)
                waiting += [k for k in made_by.get(tensor, ()) if k >= 0]
        return needed

    def _step(self, name: str, operation) -> None:
        inputs, end = [int(k) for k in operation.InputsAsNumpy()], int(operation.OutputsAsNumpy()[0])
        if name in ("DEQUANTIZE", "DENSIFY"):  # the weights are stored behind one or both of these
            known = self.constants.get(inputs[0])
            self.constants[end] = self._constant(inputs[0]) if known is None else known
        elif name == "PAD":
            top_left = self._constant(inputs[1])
            if top_left[0].any() or top_left[3].any():
                raise InputError("a PAD of pictures or channels is not known")
            self.padded[end] = (inputs[0], [*map(int, top_left[2]), *map(int, top_left[1])])
        elif name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            self._convolution(operation, inputs, end, name == "DEPTHWISE_CONV_2D")
        else:
            kind, settings = self._other(name, operation, end)
            taken = [self.values[k] for k in inputs if k in self.values]
            self._add(kind, taken, settings, end, self._activation(name, operation))

    def _convolution(self, operation, inputs: list[int], end: int, depthwise: bool) -> None:
        options = self._options(operation, "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions")
        source, around = self.padded.get(inputs[0], (inputs[0], [0, 0, 0, 0]))
        padding = around if options.Padding() == _VALID else "same"
        weight, bias = self.constants[inputs[1]], self.constants[inputs[2]]
        # 1, height, width, channel -> channel, 1, height, width; out, height, width, in -> out, in, height, width
        weight = weight.transpose(3, 0, 1, 2) if depthwise else weight.transpose(0, 3, 1, 2)
        number = len(self.operations) + 1
        self.tensors[f"{number}.weight"], self.tensors[f"{number}.bias"] = weight.copy(), bias.copy()
        settings = {"stride": options.StrideH(), "groups": len(weight) if depthwise else 1, "padding": padding}
        self._add("conv", [self.values[source]], settings, end, options.FusedActivationFunction())

    def _other(self, name: str, operation, end: int) -> tuple[str, dict]:
        shape = self.net.Tensors(end).ShapeAsNumpy()
        if name == "RESHAPE":
            return ("rows", {"width": int(shape[-1])}) if len(shape) == 3 else ("flat", {})
        if name == "DEPTH_TO_SPACE":
            return "depth_to_space", {"block": self._options(operation, "DepthToSpaceOptions").BlockSize()}
        if name == "RESIZE_BILINEAR":
            before = self.net.Tensors(operation.InputsAsNumpy()[0]).ShapeAsNumpy()
            if list(shape[1:3]) != [2 * length for length in before[1:3]]:
                raise InputError(f"a RESIZE_BILINEAR from {before} to {shape} is not known")
            return "double", {}
        kinds = {"ADD": "add", "CONCATENATION": "concat", "LOGISTIC": "sigmoid", "MAX_POOL_2D": "max_pool"}
        if name not in kinds:
            raise InputError(f"the operation {name} is not known")
        return kinds[name], {}

    def _activation(self, name: str, operation) -> int:
        return self._options(operation, "AddOptions").FusedActivationFunction() if name == "ADD" else _NONE

    def _add(self, kind: str, taken: list[int], settings: dict, end: int, activation: int) -> None:
        self.operations.append((kind, taken, settings))
        if activation == _RELU6:
            self.operations.append(("relu6", [len(self.operations)], {}))
        elif activation != _NONE:
            raise InputError(f"the activation {activation} is not known")
        self.values[end] = len(self.operations)

    def _options(self, operation, kind: str):
        options = getattr(self.tflite, kind)()
        table = operation.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        return options

    def _constant(self, number: int) -> np.ndarray:
        tensor = self.net.Tensors(number)
        kinds = {self.tflite.TensorType.FLOAT16: np.float16, self.tflite.TensorType.INT32: np.int32}
        if tensor.Type() not in kinds:
            raise InputError(f"tensor {tensor.Name().decode()} is stored in a way that is not known")
        data = self.model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes()
        values = np.frombuffer(data, kinds[tensor.Type()])
        shape = tensor.ShapeAsNumpy()
        if tensor.Sparsity() is None:
            return values.reshape(shape)
        full = np.zeros(shape, values.dtype)
        full.reshape(-1, shape[-1])[tuple(np.array(list(self._places(tensor.Sparsity()))).T)] = values
        return full

    def _places(self, sparsity) -> Iterator[tuple[int, int]]:
        """Row and column of each stored value, where the last axis alone is sparse (compressed sparse rows)."""
        *dense, last = [sparsity.DimMetadata(k) for k in range(sparsity.DimMetadataLength())]
        if any(axis.Format() != 0 for axis in dense) or last.Format() != 1 or sparsity.BlockMapLength():
            raise InputError("a tensor is sparse in a way that is not known")
        segments = self._indices(last.ArraySegments(), last.ArraySegmentsType())
        columns = self._indices(last.ArrayIndices(), last.ArrayIndicesType())
        for row in range(len(segments) - 1):
            for at in range(segments[row], segments[row + 1]):
                yield row, int(columns[at])

    def _indices(self, table, kind: int) -> np.ndarray:
        vector = getattr(self.tflite, _INDEX_TYPES[kind])()
        vector.Init(table.Bytes, table.Pos)
        return vector.ValuesAsNumpy().astype(int)
