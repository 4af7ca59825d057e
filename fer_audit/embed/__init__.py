"""Pixels to vectors, through ONNX Runtime."""
