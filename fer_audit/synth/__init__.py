"""The built-in demo set: drawn faces with a planted bias, and the check whether an audit finds it."""

from fer_audit.synth.check import check_planted
from fer_audit.synth.folder import demo_dataset, write_demo

__all__ = ["check_planted", "demo_dataset", "write_demo"]
