from __future__ import annotations

import hashlib
import http.server
import threading

import pytest

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadModelError, CancelledError
from napari_particle_sam.sam import download as module
from napari_particle_sam.sam import registry
from napari_particle_sam.sam.download import download, identify, import_file
from napari_particle_sam.sam.registry import ModelSpec

DATA = bytes(range(256)) * 12_000


def spec(data=DATA):
    return ModelSpec("vit_b", "vit_b", "sam.pth", hashlib.sha256(data).hexdigest(), len(data), "Apache-2.0")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/none.pth":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        self.wfile.write(DATA[: len(DATA) // 2] if self.path == "/half.pth" else DATA)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setattr(registry, "cache_folder", lambda: folder)
    return folder


def rest(folder):
    return [p.name for p in folder.iterdir()] if folder.exists() else []


def exhausted(job):
    events = []
    while True:
        try:
            events.append(next(job))
        except StopIteration as end:
            return end.value, events


def test_a_download_is_verified_and_complete(server, cache):
    path, events = exhausted(download(spec(), CancelToken(), f"{server}/good.pth"))
    assert path == cache / "sam.pth" and path.read_bytes() == DATA
    assert rest(cache) == ["sam.pth"]
    assert events[-1].done == events[-1].total == len(DATA)
    assert [e.done for e in events] == sorted(e.done for e in events)


def test_what_is_there_is_not_fetched_again(server, cache):
    exhausted(download(spec(), CancelToken(), f"{server}/good.pth"))
    path, events = exhausted(download(spec(), CancelToken(), "http://127.0.0.1:9/none"))
    assert path.exists() and events == []


@pytest.mark.parametrize("name", ["good.pth", "none.pth", "half.pth"])
def test_a_bad_answer_is_one_sentence_and_leaves_nothing(server, cache, sentence, name):
    wrong = spec(b"other") if name == "good.pth" else spec()
    with pytest.raises(BadModelError) as caught:
        exhausted(download(wrong, CancelToken(), f"{server}/{name}"))
    text = sentence(caught, f"{server}/{name}")
    assert ("sha256" in text) == (name == "good.pth")
    assert rest(cache) == []


def test_no_network_is_one_sentence_and_leaves_nothing(cache, sentence):
    for address in ("http://127.0.0.1:9/sam.pth", "nonsense"):
        with pytest.raises(BadModelError) as caught:
            exhausted(download(spec(), CancelToken(), address))
        assert "models import" in sentence(caught, address)
    assert rest(cache) == []


def test_a_cancelled_download_leaves_nothing(server, cache):
    token = CancelToken()
    job = download(spec(), token, f"{server}/good.pth")
    next(job)
    token.cancel()
    with pytest.raises(CancelledError):
        exhausted(job)
    assert rest(cache) == []


def test_an_abandoned_download_leaves_nothing(server, cache):
    job = download(spec(), CancelToken(), f"{server}/good.pth")
    next(job)
    job.close()
    assert rest(cache) == []


def test_a_local_file_is_imported_when_it_is_the_published_one(tmp_path, cache, sentence, monkeypatch):
    source = tmp_path / "mine.pth"
    source.write_bytes(DATA)
    assert import_file(spec(), source).read_bytes() == DATA
    monkeypatch.setattr(module, "SPECS", {"vit_b": spec()})
    assert identify(source) == spec()
    source.write_bytes(DATA + b"x")
    (cache / "sam.pth").unlink()
    for ask in (lambda: import_file(spec(), source), lambda: identify(source)):
        with pytest.raises(BadModelError) as caught:
            ask()
        sentence(caught, source)
    assert rest(cache) == []


@pytest.mark.parametrize("name", ["none.pth", "."])
def test_an_absent_local_file_is_one_sentence_that_names_it(tmp_path, cache, sentence, name):
    for ask in (lambda: import_file(spec(), tmp_path / name), lambda: identify(tmp_path / name)):
        with pytest.raises(BadModelError) as caught:
            ask()
        assert "permission" not in sentence(caught, tmp_path / name)
    assert rest(cache) == []


def test_the_published_models_have_hashes_and_addresses():
    for name, published in registry.SPECS.items():
        assert published.name == name
        if not published.bundled:
            assert len(bytes.fromhex(published.sha256)) == 32
            assert published.url.startswith("https://dl.fbaipublicfiles.com/segment_anything/sam_vit_")
