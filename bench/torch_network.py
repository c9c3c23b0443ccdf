"""The networks of the zoo in PyTorch: a peer for measurements. What only shapes decide is computed once, so that what is
timed is the arithmetic and PyTorch's own dispatch."""

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper


def _pads(attributes, rank):
    pads = attributes.get("pads", [0] * (2 * rank))
    if pads[:rank] != pads[rank:]:
        raise NotImplementedError("uneven padding")
    return pads[:rank]


def _conv(a, x, w, b=None):
    rank = w.dim() - 2
    call = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[rank]
    return call(x, w, b, a.get("strides", 1), _pads(a, rank), a.get("dilations", 1), a.get("group", 1))


def _average_pool(a, x):
    rank = len(a["kernel_shape"])
    return F.avg_pool2d(x, a["kernel_shape"], a.get("strides", [1] * rank), _pads(a, rank),
                        bool(a.get("ceil_mode", 0)), bool(a.get("count_include_pad", 0)))


def _max_pool(a, x):
    rank = len(a["kernel_shape"])
    return F.max_pool2d(x, a["kernel_shape"], a.get("strides", [1] * rank), _pads(a, rank),
                        ceil_mode=bool(a.get("ceil_mode", 0)))


def _gemm(a, x, w, b=None):
    if a.get("transA", 0) or a.get("alpha", 1.0) != 1.0 or a.get("beta", 1.0) != 1.0:
        raise NotImplementedError("a Gemm that is no dense layer")
    return F.linear(x, w if a.get("transB", 0) else w.t(), b)


def _reshape(a, x, shape):
    return x.reshape([x.shape[i] if extent == 0 else extent for i, extent in enumerate(shape)])


OPERATORS = {
    "Conv": _conv, "Gemm": _gemm, "MaxPool": _max_pool, "AveragePool": _average_pool, "Reshape": _reshape,
    "BatchNormalization": lambda a, x, scale, shift, mean, variance: F.batch_norm(
        x, mean, variance, scale, shift, eps=a.get("epsilon", 1e-5)),
    "Relu": lambda a, x: F.relu(x), "Dropout": lambda a, x, *_: x, "Identity": lambda a, x: x,
    "GlobalAveragePool": lambda a, x: x.mean(dim=tuple(range(2, x.dim())), keepdim=True),
    "Flatten": lambda a, x: x.flatten(a.get("axis", 1)),
    "Concat": lambda a, *xs: torch.cat(xs, a["axis"]),
    "MatMul": lambda a, x, y: torch.matmul(x, y), "Add": lambda a, x, y: x + y, "Sub": lambda a, x, y: x - y,
    "Mul": lambda a, x, y: x * y, "Div": lambda a, x, y: x / y, "Pow": lambda a, x, y: torch.pow(x, y),
    "Sqrt": lambda a, x: torch.sqrt(x), "Softmax": lambda a, x: torch.softmax(x, a.get("axis", -1)),
    "Transpose": lambda a, x: x.permute(a["perm"]),
    "ReduceMean": lambda a, x: x.mean(a["axes"], keepdim=bool(a.get("keepdims", 1))),
}
# What shapes decide, on numpy arrays.
SHAPE_OPERATORS = {
    "Shape": lambda a, x: np.array(x.shape, dtype=np.int64),
    "Gather": lambda a, x, i: np.take(x, i, a.get("axis", 0)),
    "Unsqueeze": lambda a, x, axes: np.expand_dims(x, tuple(axes)),
    "Concat": lambda a, *xs: np.concatenate(xs, a["axis"]),
    "Expand": lambda a, x, shape: x * np.ones(shape, dtype=x.dtype),
    "Trilu": lambda a, x, k=np.array(0): (np.triu if a.get("upper", 1) else np.tril)(x, int(k)),
    "Mul": lambda a, x, y: x * y, "Add": lambda a, x, y: x + y, "Cast": lambda a, x: x,
}


class Network(torch.nn.Module):
    """A model file, made ready for inputs of one set of shapes: a list of calls, without what shapes decide."""

    def __init__(self, path, inputs, device):
        super().__init__()
        graph = onnx.load(path).graph
        self.device = device
        self.input_names, self.output_names = list(inputs), [output.name for output in graph.output]
        known = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        self.calls, self.tensors = [], {}
        values = {name: torch.from_numpy(array).to(device) for name, array in inputs.items()}
        for node in graph.node:
            self._prepare(node, known, values)

    def _prepare(self, node, known, values):
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Constant":
            known[node.output[0]] = numpy_helper.to_array(attributes["value"])
            return
        names = [name for name in node.input if name]
        if node.op_type == "Shape":
            known[node.output[0]] = SHAPE_OPERATORS["Shape"](attributes, values.get(names[0], known.get(names[0])))
            return
        if all(name in known for name in names) and node.op_type in SHAPE_OPERATORS:
            known[node.output[0]] = SHAPE_OPERATORS[node.op_type](attributes, *(known[name] for name in names))
            return
        arguments = []
        for position, name in enumerate(names):
            if name in values and name not in known:
                arguments.append(name)
            elif node.op_type == "Reshape" and position == 1:
                arguments.append([int(extent) for extent in known[name]])
            else:
                tensor = self.tensors.setdefault(name, torch.from_numpy(np.array(known[name])).to(self.device))
                arguments.append(tensor)
        call = (OPERATORS[node.op_type], attributes, arguments, node.output[0])
        values[node.output[0]] = self._call(call, values)
        self.calls.append(call)

    @staticmethod
    def _call(call, values):
        operator, attributes, arguments, _ = call
        return operator(attributes, *(values[a] if isinstance(a, str) else a for a in arguments))

    def forward(self, *inputs):
        values = dict(zip(self.input_names, inputs))
        for call in self.calls:
            values[call[3]] = self._call(call, values)
        return tuple(values[name] for name in self.output_names)
