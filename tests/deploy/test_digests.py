"""Registries asked beside a wait: once, within their time, and never in its way. Threads are run by hand here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from homelab.clock import Wake
from homelab.deploy.digests import AGAIN_SECONDS, ASK_SECONDS, MOST_AT_ONCE, WORTH_SECONDS, Asker, Digests, Question
from homelab.errors import HomelabError, PermissionMissing, Unreachable, WrongService
from homelab.registry.image import Image
from homelab.registry.manifest import Child, Manifest

IMAGE = Image.parse("reg.example/t/app:v1")
INDEX = Manifest("sha256:index", (Child("sha256:amd", "linux/amd64"), Child("sha256:arm", "linux/arm64")))
NEEDED = Question("reg.example/t/app", (IMAGE,), needed=True)
EXTRA = Question("reg.example/t/app", (IMAGE,), needed=False)


@dataclass
class Paper:
    """Answers by reference; threads wait in ``work`` until they are run."""

    manifests: dict[str, Manifest] = field(default_factory=dict)
    known: bool = True
    error: HomelabError | None = None
    asked: list[str] = field(default_factory=list)
    work: list[Callable[[], None]] = field(default_factory=list)

    def knows(self, host: str) -> bool:
        return self.known

    def ready(self, image: Image) -> None:
        pass

    def ask(self, image: Image) -> Manifest | None:
        self.asked.append(image.reference)
        if self.error is not None:
            raise self.error
        return self.manifests.get(image.reference)

    def run(self) -> None:
        while self.work:
            self.work.pop()()


def asking(paper: Paper) -> Digests:
    asker: Asker = paper
    return Digests(asker, start=paper.work.append)


def test_an_index_answers_with_its_children_and_is_asked_once() -> None:
    paper = Paper({"v1": INDEX})
    digests = asking(paper)

    assert digests.answers([EXTRA], now=0.0).content == {}
    paper.run()

    for now in (1.0, 500.0):
        answers = digests.answers([EXTRA], now=now)
        assert answers.content == {"reg.example/t/app": frozenset({"sha256:index", "sha256:amd", "sha256:arm"})}
        assert (answers.asking_until, answers.unanswered) == (None, "")
    assert paper.asked == ["v1"]


def test_an_answer_rings_the_wait() -> None:
    paper, wake = Paper({"v1": INDEX}), Wake()
    digests = asking(paper)
    digests.rings(wake)
    digests.answers([EXTRA], now=0.0)
    assert not wake.wait(0)
    paper.run()
    assert wake.wait(0)


def test_a_registry_the_user_never_named_is_asked_only_where_the_answer_is_needed() -> None:
    paper = Paper({"v1": INDEX}, known=False)
    digests = asking(paper)

    assert digests.answers([EXTRA], now=0.0).asking_until is None
    assert paper.work == []
    assert digests.answers([NEEDED], now=0.0).asking_until == ASK_SECONDS
    assert len(paper.work) == 1


@pytest.mark.parametrize(("question", "patience"), [(NEEDED, ASK_SECONDS), (EXTRA, WORTH_SECONDS)])
def test_a_registry_that_is_silent_is_waited_for_only_so_long(question: Question, patience: float) -> None:
    digests = asking(Paper())
    assert digests.answers([question], now=100.0).asking_until == 100.0 + patience

    late = digests.answers([question], now=100.0 + patience)
    assert (late.asking_until, late.unanswered) == (None, f"reg.example did not answer in {patience:.0f} s")


@pytest.mark.parametrize(
    "error",
    [
        PermissionMissing("reg.example does not show t/app", why="401", fix="docker login"),
        Unreachable("reg.example cannot be reached", why="no route", fix="homelab doctor"),
        WrongService("a portal answered", why="a page", fix="homelab doctor"),
    ],
    ids=["refused", "away", "a portal"],
)
def test_whatever_goes_wrong_is_one_sentence(error: HomelabError) -> None:
    paper = Paper(error=error)
    digests = asking(paper)
    digests.answers([NEEDED], now=0.0)
    paper.run()

    answers = digests.answers([NEEDED], now=0.1)
    assert (answers.content, answers.asking_until, answers.unanswered) == ({}, None, error.what)


def test_a_bug_in_asking_costs_a_proof_and_not_a_traceback() -> None:
    paper = Paper({"v1": INDEX})
    paper.manifests = None  # type: ignore[assignment]
    digests = asking(paper)
    digests.answers([NEEDED], now=0.0)
    paper.run()
    assert digests.answers([NEEDED], now=0.1).unanswered == "asking reg.example failed: AttributeError"


def test_a_host_that_is_away_is_not_asked_about_another_image() -> None:
    paper = Paper(error=Unreachable("reg.example cannot be reached", why="no route", fix="homelab doctor"))
    digests = asking(paper)
    digests.answers([NEEDED], now=0.0)
    paper.run()
    other = Question("reg.example/t/api", (Image.parse("reg.example/t/api:v1"),), needed=True)

    assert digests.answers([other], now=1.0).unanswered == "reg.example cannot be reached"
    assert paper.work == []


@pytest.mark.parametrize("needed", [True, False], ids=["needed", "worth it"])
def test_a_version_that_is_not_there_yet_is_asked_for_again(*, needed: bool) -> None:
    paper, question = Paper(), replace(NEEDED, needed=needed)
    digests = asking(paper)
    digests.answers([question], now=0.0)
    paper.run()
    assert digests.answers([question], now=1.0).unanswered == "reg.example/t/app:v1 is not in the registry"
    paper.manifests["v1"] = INDEX

    digests.answers([question], now=AGAIN_SECONDS - 1)
    assert paper.work == []
    digests.answers([question], now=AGAIN_SECONDS)
    paper.run()
    assert "sha256:arm" in digests.answers([question], now=AGAIN_SECONDS + 1).content["reg.example/t/app"]


def test_the_names_of_a_version_are_tried_in_order() -> None:
    paper = Paper({"short": INDEX})
    digests = asking(paper)
    question = Question("reg.example/t/app", (IMAGE.at("full"), IMAGE.at("short"), IMAGE.at("no")), needed=True)
    digests.answers([question], now=0.0)
    paper.run()
    assert digests.answers([question], now=0.0).content
    assert paper.asked == ["full", "short"]


def test_many_questions_are_not_asked_all_at_once() -> None:
    paper = Paper()
    digests = asking(paper)
    questions = [Question(f"r/{n}", (IMAGE.at(f"v{n}"),), needed=True) for n in range(50)]
    answers = digests.answers(questions, now=0.0)
    assert len(paper.work) == MOST_AT_ONCE
    assert answers.asking_until == ASK_SECONDS
    paper.run()
    digests.answers(questions, now=0.1)
    assert len(paper.work) == MOST_AT_ONCE
    digests.answers(questions, now=0.1 + ASK_SECONDS)
    assert len(paper.work) == 2 * MOST_AT_ONCE
