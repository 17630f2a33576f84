"""What an operator does in the course of the demo: in, incidents and the wish to train; out, the predictor's verbs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from demo import programs
from demo.processes import ChildFailed, running
from demo.site import DOMAIN, Site
from predictor import model_files, trained
from predictor.times import text_of
from predictor.trained import Trained

_PARAGRAPHS: Final = 2
"""What to pass on of what a verb says: of `show`, which says most, the model and the histories."""


@dataclass(frozen=True)
class Operator:
    """Runs verbs; the show goes on meanwhile by `tick`, which sleeps and may raise."""

    site: Site
    tick: Callable[[], None]
    say: Callable[[str], None]

    def label(self, level: str, start_ns: int, end_ns: int) -> None:
        """Tell Hefery when there was trouble; raises ChildFailed."""
        span = ("--start", text_of(start_ns, "milliseconds"), "--end", text_of(end_ns, "milliseconds"))
        self._verb("incident", "add", "--domain", DOMAIN, "--id", level, "--level", level, *span)

    def train(self) -> Trained:
        """Have a model learned, and read it; raises ChildFailed, ModelFileError."""
        self._verb("train")
        self._verb("show")
        path = model_files.newest(self.site.predictor.model.folder, self.site.predictor.model.mode)
        assert path is not None
        return trained.load(path)

    def _verb(self, *words: str) -> None:
        self.say(f"       $ hefery-predictor {' '.join(words)}")
        log = self.site.folder / "verb.log"
        log.unlink(missing_ok=True)
        with running(programs.predictor(self.site, *words), log) as child:
            while child.process.poll() is None:
                self.tick()
        said = log.read_text(encoding="utf-8").strip()
        if child.process.returncode:
            raise ChildFailed(said)
        summary = "\n".join(said.split("\n\n")[:_PARAGRAPHS])
        self.say("\n".join(f"         {line}" for line in summary.splitlines()))
