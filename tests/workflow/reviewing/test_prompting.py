from __future__ import annotations

import pytest

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.workflow.reviewing.models import ModelChoice
from napari_particle_sam.workflow.reviewing.prompting import PromptService


@pytest.fixture
def service(shelf, micrograph):
    return PromptService(shelf, ModelChoice(), micrograph)


def test_clicks_and_boxes_draw_one_particle_each(service):
    assert not service.ready
    service.prepare()
    assert service.ready
    click, score = service.mask([(90.4, 60.7, True)])
    box, _ = service.mask([], (108.0, 78.0, 72.0, 42.0))
    assert click.iou(box) > 0.85 and 0 < score <= 1
    assert 800 < click.area < 1300
    service.look_at(60.2, 130.9)
    other, _ = service.mask([(60, 130, True)])
    assert other.overlap(click) == 0


def test_the_data_bar_and_lonely_negative_clicks_are_refused_in_a_sentence(service):
    for points in ([(170.0, 50.0, True)], [(90.0, 60.0, False)], []):
        with pytest.raises(BadValueError, match="click on it"):
            service.mask(points)
