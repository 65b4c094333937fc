"""The table of commands, and the group that loads a command's module when it is asked for.

A command's module lies in one of the packages beside this one (`proposing`, `labelling`, `projects`, `data`,
`learning`, `apps`).
It has a function `command` with typer's annotations (its docstring is the help text), or an
`app`, a `typer.Typer` with commands of its own. It must be light: torch and whatever loads it are imported
inside the function.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperGroup

from annotator.registry import Registry


@dataclass(frozen=True)
class Command:
    """name: of the command. place: its module below this package, its function `command` or the one behind the colon;
    or the function, or a `typer.Typer`, itself. usage: behind the name, for the table in README.md; summary: what it
    does, in Markdown; `{writers}` and `{readers}` stand for the formats."""

    name: str
    place: Any
    usage: str
    summary: str


_BUILT_IN = (
    Command(
        "demo",
        "apps.demo",
        "[--out DIR]",
        "propose, correct, refine, accept, export and report on the sample photos, without a display",
    ),
    Command("gui", "apps.gui", "[PROJECT]", "napari with the plugin open (`plugins/napari_hand_mesh/README.md`)"),
    Command(
        "propose",
        "proposing.propose",
        "PHOTOS/VIDEOS... --project DIR",
        "find hands, propose meshes, store them; run again, it goes on where it stopped; of videos a frame each half "
        "second, or `--every`, `--frames`, `--fps` (`docs/video.md`); `--quick` takes a third of the time and misses "
        "small hands (`docs/scaling.md`)",
    ),
    Command(
        "track",
        "proposing.track",
        "VIDEOS... --project DIR",
        "follow the hands of videos: one identity a hand, smoothed over time, gaps bridged, doubts in the queue; "
        "`track PROJECT` lists tracks, carries labels through them (`--propagate HAND`) and says which frames need you "
        "next (`--next N`; `docs/video.md`)",
    ),
    Command(
        "rig",
        "proposing.rig",
        "PROJECT [CAMERAS]",
        "read calibrated cameras, say which photos are one instant (`--pattern`, `--table`, `--times`), `--propose` "
        "its hands: each one mesh in all its photos (`docs/rigs.md`)",
    ),
    Command(
        "correct",
        "labelling.correct",
        "PROJECT HAND JOINT [X Y]",
        "set a keypoint (photo pixels), or `--state occluded`, `--in-front-of JOINT`, `--behind JOINT`, `--nearer MM`, "
        "`--farther MM`; the mesh follows (`docs/corrections.md`)",
    ),
    Command(
        "depth",
        "proposing.depth",
        "PROJECT --images PATTERN",
        "depth images beside the photos: meshes of untouched hands come to lie on the "
        "measured surface (`docs/depth.md`)",
    ),
    Command(
        "add", "labelling.add", "PROJECT PHOTO --box X0 Y0 X1 Y1 [--side S]", "a hand that the network missed, by a box"
    ),
    Command(
        "flip",
        "labelling.flip",
        "PROJECT HAND...",
        "a left hand that was taken for a right one, or the other way round; what was said of the photo stays",
    ),
    Command(
        "alternatives",
        "labelling.alternatives",
        "PROJECT HAND [--take N]",
        "the other plausible hands with the same keypoints in the photo",
    ),
    Command(
        "status",
        "projects.status",
        "PROJECT",
        "the hands and their states, all or some; `--by-photo`; `--check` verifies journal, hands and photos",
    ),
    Command(
        "accept",
        "labelling.verdicts:accept",
        "PROJECT HAND...",
        "what becomes a label; many at once: `accept PROJECT 'wilor-*' --min-confidence 0.8` (so do the next three)",
    ),
    Command("reject", "labelling.verdicts:reject", "PROJECT HAND...", "what does not"),
    Command("flag", "labelling.verdicts:flag", "PROJECT HAND...", "what wants a second look"),
    Command("delete", "labelling.verdicts:delete", "PROJECT HAND...", "where there is no hand, or it is there twice"),
    Command("confirm", "labelling.verdicts:confirm", "PROJECT HAND...", "all keypoints that nobody moved are right"),
    Command(
        "undo",
        "labelling.changing:undo",
        "PROJECT [HAND]",
        "your own last step, or a named hand's; also after a restart; `--batch`: all that one command did",
    ),
    Command("redo", "labelling.changing:redo", "PROJECT [HAND]", "what was undone last"),
    Command("history", "labelling.changing:history", "PROJECT [HAND]", "what was done, by whom, and what was undone"),
    Command(
        "next", "labelling.next", "PROJECT", "take the next hand, among people who share a project (`docs/project.md`)"
    ),
    Command("review", "labelling.review", "PROJECT [HAND]", "a second person's word on an accepted hand"),
    Command(
        "gold", "labelling.gold", "PROJECT [HAND]", "hands whose truth is known, and how well each person labels them"
    ),
    Command(
        "subject",
        "projects.subject",
        "PROJECT [NAME]",
        "whose hands the photos show; a subject's shape, its size by a ruler, and hands that it would change "
        "(`docs/subjects.md`)",
    ),
    Command(
        "report",
        "projects.report",
        "PROJECT --out FILE.html",
        "pictures of your own project: overlays, side views, what is doubtful and why, counts, plots, filters",
    ),
    Command("show", "projects.show", "PROJECT HAND --out x.png", "one hand as a picture"),
    Command("photos", "projects.photos", "PROJECT", "photos that moved are found again, or copied into the project"),
    Command("snapshot", "projects.snapshot", "PROJECT", "a copy of the project in one file"),
    Command(
        "config", "projects.config", "[PROJECT]", "what one always says (`annotator.toml`), and where (`docs/cli.md`)"
    ),
    Command(
        "repair",
        "projects.repair",
        "PROJECT --out NEW",
        "saves the hands of a damaged project that are whole, and names the others",
    ),
    Command(
        "export",
        "data.export",
        "PROJECT --format F --out DIR",
        "accepted hands as a data set, whole or not at all: `{writers}` (`docs/formats.md`)",
    ),
    Command("import", "data.import_", "DATASET --format F --project DIR", "other people's data sets: `{readers}`"),
    Command(
        "hand",
        "data.hand",
        "info [MODEL]",
        "the hand model: vertices, levels, bone lengths; `hand import "
        "MANO_RIGHT.pkl` keeps your own MANO as hand model `mano`; its pickle is read, never run",
    ),
    Command(
        "train",
        "learning.train",
        "--data DATA --out RUN",
        "learn from keypoints (`--data freihand:PATH` takes a data set)",
    ),
    Command(
        "evaluate",
        "learning.evaluate",
        "DATA",
        "score on data or on your own project's hands (`--protocol freihand` or `ho3d`: by the official rules)",
    ),
    Command(
        "simulate",
        "learning.simulate",
        "DATA",
        "a simulated annotator, on rendered hands or your own project's: error after 0, 1, 2, ... corrections",
    ),
    Command(
        "serve",
        "apps.serve",
        "",
        "the model behind HTTP, for a team (`docs/serving.md`); `annotator.serving.RemoteModel(URL, token)` takes a "
        "`Model`'s place",
    ),
    Command(
        "token",
        "apps.token",
        "add NAME --tokens FILE",
        "named tokens for a team's server, stored as hashes, with quotas; `token list`, `token revoke NAME`",
    ),
    Command(
        "rank",
        "learning.rank",
        "PROJECT",
        "which hands teach the model most, which joint to correct in each, and why (`docs/active_learning.md`)",
    ),
    Command(
        "round",
        "learning.round",
        "PROJECT",
        "learn from accepted hands; the new model takes over only if it is better on held-out ones; `--explain`: which "
        "hands would count, and why not the others",
    ),
)
TABLE = Registry[Command]("command", "annotator.commands", _BUILT_IN)
COMMANDS = {one.name: one.place for one in _BUILT_IN}


class _Loaded(MutableMapping):
    """The commands by name, each loaded at the first look at it."""

    def __init__(self, table: Registry[Command]):
        self._table = table
        self._ready: dict[str, Any] = {}

    def __getitem__(self, name: str):
        if name not in self._ready:
            if name not in self._table:
                raise KeyError(name)
            self._ready[name] = _load(name, self._table[name].place)
        return self._ready[name]

    def __setitem__(self, name: str, command) -> None:
        self._ready[name] = command

    def __delitem__(self, name: str) -> None:
        del self._ready[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table.names())

    def __len__(self) -> int:
        return len(self._table.names())


class CommandGroup(TyperGroup):
    """A group that knows its commands' names without loading them, and their options' settings when it has loaded
    one."""

    def list_commands(self, ctx) -> list[str]:
        return list(self.commands)

    def resolve_command(self, ctx, args):
        """The command; what files and the environment say takes the place of its defaults."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and command is not None and not ctx.resilient_parsing:
            from annotator.cli.support.settings import default_map

            ctx.default_map = {name: default_map(command, name, rest, ctx, all_options())}
        return name, command, rest


def group() -> CommandGroup:
    """The whole command line."""
    app = typer.Typer(cls=CommandGroup, add_completion=True, rich_markup_mode=None, help=main_help.__doc__)
    app.callback()(main_help)
    built = typer.main.get_command(app)
    assert isinstance(built, CommandGroup)
    built.commands = _Loaded(TABLE)
    return built


def all_options(commands: Mapping[str, Any] | None = None) -> Iterator[str]:
    """The keys of all options of all commands, loaded one after the other; commands: those that are loaded already."""
    from annotator.cli.support.settings import options_of

    commands = _Loaded(TABLE) if commands is None else commands
    return (key for name in commands for key in options_of(commands[name]))


def main_help(
    version: bool = typer.Option(
        False, "--version", is_eager=True, callback=lambda on: _version(on), help="Print the version."
    ),
) -> None:
    """Hand meshes on real photos: proposed by a network, corrected by a person, exported as a data set."""


def _load(name: str, place: Any):
    if not isinstance(place, str):
        return _built(name, place)
    place, _, function = place.partition(":")
    module = importlib.import_module(f"annotator.cli.{place}")
    return _own(name, getattr(module, "app", None) or getattr(module, function or "command"))


def _built(name: str, app: Any):
    """A function, or an app, as click's command."""
    if not isinstance(app, typer.Typer):
        function, app = app, typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(name)(function)
    built = typer.main.get_command(app)
    built.name = name
    return built


# To read a function's signature takes longer than most commands: whoever looks at the options of all, or runs several
# in one process, does it once.
_own = functools.lru_cache(maxsize=256)(_built)


def _version(asked: bool) -> None:
    if asked:
        from annotator import __version__

        typer.echo(f"hand-mesh-annotator {__version__}")
        raise typer.Exit
