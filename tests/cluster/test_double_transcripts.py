"""The double is proved against recordings of real Fluid: the same inputs give the same stories, in the same order."""

from __future__ import annotations

import pytest

from tests.cluster.recordings import Recording, load, names, recorded_events
from tests.cluster.replay import Replay, replayed
from tests.cluster.stories import Moment, by_side, story, told
from tests.shared import needs_recordings

pytestmark = needs_recordings

#: Recordings that are about something else than Fluid's controllers, and what.
ELSEWHERE = {
    "11-names": "names that are refused, in the words of helm and of Kubernetes",
    "13-unknown-fields": "validation by the API server",
    "20-webhook-preferred": "the webhook",
    "21-webhook-required": "the webhook",
    "22-webhook-denials": "the webhook",
    "24-webhook-serverless-sidecar": "the webhook",
    "25-webhook-reference-dataset": "the webhook",
    "26-webhook-no-dataset": "the webhook",
    "27-webhook-down": "the webhook",
}
COVERED = [name for name in names() if name not in ELSEWHERE]
_RACE = 1.5  # seconds within which the order of two controllers' writes is chance
_FIGURES = {"fileNum", "ufsTotal", "cacheStates", "currentWorkerNumberScheduled"}  # may come a sync later
_SYNC = 95.0
_COUNTS = 2  # how far counts of repeated events may differ


@pytest.fixture(scope="module", params=COVERED)
def both(request: pytest.FixtureRequest) -> tuple[Recording, Replay]:
    """A recording, and the double's answer to its inputs."""
    recording = load(request.param)
    return recording, replayed(recording)


def test_every_recording_is_covered_or_about_something_else() -> None:
    assert set(ELSEWHERE) <= set(names())
    assert len(COVERED) >= 27


def test_each_side_of_each_object_has_the_recorded_story(both: tuple[Recording, Replay]) -> None:
    recording, replay = both
    wanted = by_side(story(recording.changes))
    end = recording.end + replay.late - _RACE
    done = by_side(replay.story())
    on_time = by_side(moment for moment in replay.story() if moment.t < end)
    different = {}
    for key in wanted.keys() | on_time.keys():
        looks, mine = wanted.get(key, []), done.get(key, [])
        surplus = on_time.get(key, [])[len(looks) :]
        if mine[: len(looks)] != looks or surplus:
            different[key] = (looks, mine)
    assert not different


def test_events_are_the_recorded_ones(both: tuple[Recording, Replay]) -> None:
    recording, replay = both
    wanted, done = told(recorded_events(recording)), replay.told()
    assert wanted.keys() == done.keys()
    assert {key: (count, done[key]) for key, count in wanted.items() if abs(count - done[key]) > _COUNTS} == {}


def test_what_clearly_came_first_comes_first(both: tuple[Recording, Replay]) -> None:
    recording, replay = both
    done = _times(replay.story())
    order = sorted(_times(story(recording.changes)).items(), key=lambda item: item[1])
    wrong = []
    for number, (key, t) in enumerate(order):
        for earlier, before in order[:number]:
            race = _SYNC if {key[1], earlier[1]} & _FIGURES else _RACE
            if t - before > race and key in done and earlier in done and done[key] < done[earlier]:
                wrong.append((earlier, before, done[earlier], key, t, done[key]))
    assert not wrong


def test_nothing_takes_half_a_minute_more_or_less(both: tuple[Recording, Replay]) -> None:
    recording, replay = both
    done = _times(replay.story())
    for key, t in _times(story(recording.changes)).items():
        if key in done:
            assert abs(done[key] - t) < (_SYNC if key[1] in _FIGURES else 30.0), key


def _times(moments: list[Moment]) -> dict[tuple[str, str, str, int], float]:
    """When each look of each side came first; the n-th time that it came counts on its own."""
    seen: dict[tuple[str, str, str, int], float] = {}
    numbers: dict[tuple[str, str, str], int] = {}
    for moment in moments:
        look = (moment.name, moment.side, repr(moment.look))
        number = numbers[look] = numbers.get(look, -1) + 1
        seen[(*look, number)] = moment.t
    return seen


def test_nodes_get_the_recorded_labels(both: tuple[Recording, Replay]) -> None:
    recording, replay = both
    assert replay.node_labels() == recording.node_labels()
