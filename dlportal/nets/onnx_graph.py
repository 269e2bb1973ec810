"""Cut an ONNX graph open: read an inner tensor, or feed one from outside.

An ONNX file is one protobuf message (https://onnx.ai/onnx/repo-docs/IR.html). Leaving nodes out
and naming other inputs and outputs needs no parser of tensors: this walks the message's fields,
which spares the `onnx` package.
"""

from collections.abc import Iterator, Mapping, Sequence

# Field numbers of onnx.proto3.
MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_VALUE = 1, 5, 11, 12, 13
NODE_INPUT, NODE_OUTPUT = 1, 2
TENSOR_NAME = 8
VALUE_NAME, VALUE_TYPE = 1, 2
FLOAT, INT64 = 1, 7  # TensorProto.DataType


def cut(model: bytes, inputs: Mapping[str, int], outputs: Sequence[str]) -> bytes:
    """Keep the part of a graph between two sets of tensors.

    Args:
        model: A serialised ModelProto whose nodes are in order and hold no graphs of their own.
        inputs: Tensors to be fed (inputs of the graph or inner tensors), with element types.
        outputs: Tensors to be read.

    Returns:
        The serialised model with these inputs and outputs and nothing they do not need.
    """
    out = []
    for number, whole, body in fields(memoryview(model)):
        if number != MODEL_GRAPH:
            out.append(bytes(whole))
            continue
        kept = [bytes(part) for part in _needed(body, inputs, outputs)]
        kept += [field(GRAPH_INPUT, _value(name, kind)) for name, kind in inputs.items()]
        kept += [field(GRAPH_OUTPUT, _value(name)) for name in outputs]
        out.append(field(MODEL_GRAPH, b"".join(kept)))
    return b"".join(out)


def _needed(
    graph: memoryview, inputs: Mapping[str, int], outputs: Sequence[str]
) -> list[memoryview]:
    """The nodes and weights on the way from `inputs` to `outputs`, and the graph's own facts."""
    parts = list(fields(graph))
    needed = set(outputs)
    kept = []
    for number, whole, body in reversed(parts):
        if number != GRAPH_NODE or not needed & set(_strings(body, NODE_OUTPUT)):
            continue
        kept.append(whole)
        needed |= set(_strings(body, NODE_INPUT)) - set(inputs)
    kept.reverse()
    dropped = (GRAPH_NODE, GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_VALUE)
    for number, whole, body in parts:
        unused = number == GRAPH_INITIALIZER and not needed & set(_strings(body, TENSOR_NAME))
        if number not in dropped and not unused:
            kept.append(whole)
    return kept


def _strings(message: memoryview, wanted: int) -> Iterator[str]:
    """The text fields of one number."""
    return (bytes(body).decode() for number, _, body in fields(message) if number == wanted)


def _value(name: str, kind: int | None = None) -> bytes:
    """A ValueInfoProto: a name and, for inputs, an element type; any shape."""
    value = field(VALUE_NAME, name.encode())
    if kind is not None:
        value += field(VALUE_TYPE, field(1, bytes([1 << 3, kind])))  # tensor_type.elem_type
    return value


def fields(message: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Walk a protobuf message: field number, the field as a whole, and its content.

    Raises:
        ValueError: Not a protobuf message.
    """
    at = 0
    while at < len(message):
        start = at
        key, at = varint(message, at)
        number, wire = key >> 3, key & 7
        size = {0: 0, 1: 8, 5: 4}.get(wire)
        if wire == 2:
            size, at = varint(message, at)
        elif wire == 0:
            _, at = varint(message, at)
        if size is None or at + size > len(message):
            raise ValueError("not a protobuf message")
        yield number, message[start : at + size], message[at : at + size]
        at += size


def varint(message: memoryview, at: int) -> tuple[int, int]:
    """Read a variable-length integer; returns it and where it ends."""
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError("not a protobuf message")


def field(number: int, content: bytes) -> bytes:
    """Serialise one length-delimited field."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
