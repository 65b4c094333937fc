"""Subjects in the window: whose hands the photo shows, and renewed meshes for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_hand_mesh.jobs import renewals

if TYPE_CHECKING:
    from napari_hand_mesh.docks.subject_form import SubjectForm
    from napari_hand_mesh.session.session import Session


class OfPeople:
    """The part of the plugin's widget that says and hears whose hands these are."""

    session: Session | None
    person: SubjectForm

    def _start_people(self) -> None:
        """Once, after Qt's own part of the widget is there."""
        self.person.assigned.connect(self._assign_person)
        self.person.measured.connect(self._measure_person)
        self.person.asked_back.connect(self._person_back)
        self.person.asked_offers.connect(self._ask_offers)
        self.person.asked_renewal.connect(self._renew)
        self.person.chosen.connect(self._chosen)

    def _show_person(self) -> None:
        """The person of the photo that is looked at, as the project has it now."""
        session = self.session
        if session is None or session.at is None:
            self.person.show_person(None, [], False)
        else:
            self.person.show_person(session.person(), session.names(), True)

    def _assign_person(self, name: str, scope: str) -> None:
        def assign() -> None:
            changed = self.session.assign(name, scope)
            whose = f"{name}'s" if name else "nobody's"
            self.say(f"photos that show {whose} hands now: {changed} more")

        if self.session is None or self.session.at is None:
            return
        self.typing.to_canvas()
        self._settled(assign)

    def _measure_person(self, sizes: dict[str, float | None]) -> None:
        def measure() -> None:
            self.say(f"{session.measure(sizes)}: {', '.join(said)}; Renew … gives their other hands this shape")

        session = self.session
        if session is None or session.at is None:
            return
        said = [f"{name} {1000 * size:g} mm" if size else f"no {name}" for name, size in sizes.items()]
        self.typing.to_canvas()
        self._settled(measure)

    def _person_back(self) -> None:
        self._settled(lambda: self.say(f"taken back: {self.session.undo_said()}"))

    def _settled(self, call) -> None:
        self.settle()
        self._try(call)
        self._show_person()

    def _ask_offers(self) -> None:
        session = self.session
        person = None if session is None else session.person()
        if person is None:
            return
        folder = session.project.folder

        def found(answer) -> None:
            self.say("")
            if self.session is session:
                self.person.show_offers(*answer)

        self._ask(f"comparing {person.name}'s hands …", lambda: renewals.offered(folder, person.name), found)

    def _renew(self, hands: list[str]) -> None:
        session = self.session
        if session is None:
            return
        folder, who = session.project.folder, session.project.who

        def renewed(answer) -> None:
            done, left = answer
            if self.session is not session:
                return
            session.read_queue()
            if session.hand is not None:
                self._try(lambda: session.go(session.hand.id))
            more = f"; {len(left)} were left: {left[0]}" if left else ""
            self.say(f"{done} hand{'' if done == 1 else 's'} have a renewed mesh (Undo takes each back){more}")

        self.settle()
        self._ask(f"renewing {len(hands)} hands …", lambda: renewals.renew(folder, hands, who), renewed)
