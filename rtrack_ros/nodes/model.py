"""The model of the node: engine and tracking pipeline, loaded and freed together."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rtrack_ros.detectors.registry import load_detector
from rtrack_ros.engines.base import Capabilities
from rtrack_ros.language.self_test import Verdict
from rtrack_ros.parameters.engine import load, self_tested
from rtrack_ros.parameters.values import (
    limits,
    pipeline_config,
    schedule_for,
    tracker_config,
)
from rtrack_ros.pipeline import build_pipeline


class Model:
    """A loaded engine with the pipeline that asks it.

    Args:
        settings: The node's parameters, read by name.
        warn: Is told what the self-test found wrong, where the model is used all the same.

    Attributes:
        capabilities: Those of the engine.
        verdict: That of the self-test; None where there was none.

    Raises:
        EngineError: nothing can be loaded, or the model fails its self-test; the message names
            the remedy.
        DetectorError: the detector cannot be loaded, likewise.
    """

    def __init__(self, settings: Mapping[str, Any], warn: Callable[[str], object]) -> None:
        self._engine = load(settings)
        self.capabilities: Capabilities = self._engine.capabilities()
        try:
            self.verdict: Verdict | None = self_tested(self._engine, settings, warn)
            config = replace(pipeline_config(settings),
                             believed=self.verdict is None or self.verdict.ok)
            self.pipeline = build_pipeline(self._engine, config,
                                           detector=load_detector(config.detector))
        except BaseException:
            self._engine.close()
            raise

    def reconfigure(self, settings: Mapping[str, Any]) -> None:
        """Take over changed parameters ``tracker.*``, ``ask.*``, ``limits.*``; the model stays."""
        self.pipeline.reconfigure(tracker_config(settings),
                                  schedule_for(settings, self.capabilities), limits(settings))

    def close(self) -> None:
        """Stop asking and free the engine's memory."""
        self.pipeline.close()
        self._engine.close()
