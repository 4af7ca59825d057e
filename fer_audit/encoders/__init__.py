"""Models as data, and as ONNX files built from checked weights."""
