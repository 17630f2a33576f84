"""The model in use: in, a folder that training writes to; out, its newest model, and news when that has changed."""

from dataclasses import dataclass
from pathlib import Path

from predictor import model_files, trained
from predictor.model import Mode
from predictor.model_files import ModelFileError
from predictor.trained import Trained
from telemetry.units import NS_PER_S


@dataclass
class Shelf:
    """Holds on to a usable model until a newer usable one is there."""

    folder: Path
    mode: Mode
    step_ns: int
    model: Trained | None = None
    _looked_at: Path | None = None
    _empty: bool = False

    def look(self) -> str | None:
        """Take the newest model from the folder; what has changed since the last look, in words."""
        path = model_files.newest(self.folder, self.mode)
        if path is None:
            told, self._empty = self._empty, True
            return None if told else f"no model in {self.folder}; make one: hefery-predictor train"
        if path == self._looked_at:
            return None
        self._looked_at, self._empty = path, False
        try:
            self.model = self.usable(path)
        except ModelFileError as error:
            return str(error)
        return f"model {path.name} is in use"

    def usable(self, path: Path) -> Trained:
        """The model of a file; raises ModelFileError also where it was made for other steps."""
        model = trained.load(path)
        if model.step_ns != self.step_ns:
            made_s, wanted_s = model.step_ns / NS_PER_S, self.step_ns / NS_PER_S
            raise ModelFileError(
                f"{path}: made for steps of {made_s:g} s, but series.step_s is {wanted_s:g}; train again"
            )
        return model
