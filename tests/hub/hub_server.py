"""A Hub on loopback: the part of the Hugging Face Hub's protocol that its Python client speaks, and its bad days.

    with serve() as hub:                     # hub.url goes into HF_ENDPOINT
        hub.add("model", "ann/tiny", {"config.json": b"{}"})
        hub.gated.add("ann/tiny")

or, to try things by hand, `python tests/hub/hub_server.py` (its token is TOKEN below). Everything lives in memory.
Small files travel as the Hub's git blobs do; `.safetensors` and files over LFS_BYTES take the way of large files:
a redirect when they are read, batch, PUT and verify when they are written.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

TOKEN = "hf_loopback_token_that_opens_nothing_else"
USER = "ann"
LFS_BYTES = 10_000_000
PREFIXES = {"model": "", "space": "spaces/"}


class Refused(Exception):
    """An answer other than success."""

    def __init__(self, status: int, code: str = "", message: str = "", **headers: str) -> None:
        super().__init__(message or code)
        self.status, self.code, self.message, self.headers = status, code, message or code, headers


@dataclass
class Repo:
    """Commits, oldest first, each a whole tree; and where the branches point."""

    kind: str
    name: str
    trees: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    hardware: str = "cpu-basic"
    private: bool = False

    def commit(self, files: dict[str, bytes], title: str = "change", branch: str = "main") -> str:
        """Point the branch at a new tree."""
        sha = hashlib.sha1(f"{self.name}{len(self.trees)}".encode()).hexdigest()
        self.trees[sha] = dict(files)
        self.titles.append(title)
        self.branches[branch] = sha
        return sha

    @property
    def files(self) -> dict[str, bytes]:
        """The newest tree of main."""
        return self.trees[self.branches["main"]]

    def resolve(self, revision: str) -> str:
        """The commit of a branch, or of the commit itself."""
        sha = self.branches.get(revision, revision)
        if sha not in self.trees:
            raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return sha


@dataclass
class Hub:
    """What the server holds, and the switches that make it misbehave."""

    url: str = ""
    repos: dict[tuple[str, str], Repo] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    private: set[str] = field(default_factory=set)
    gated: set[str] = field(default_factory=set)
    failing: dict[str, int] = field(default_factory=dict)
    """Part of a path -> status that every request for it gets."""
    slow: dict[str, float] = field(default_factory=dict)
    """Part of a path -> seconds before it is answered."""
    drops: dict[str, list[int]] = field(default_factory=dict)
    """Part of a path -> bytes after which the next answers break off, one entry an answer."""
    on_read: Callable[[str], None] = lambda path: None
    """Called before a file is read, so that a test can move a branch in between."""

    def add(self, kind: str, name: str, files: dict[str, bytes]) -> Repo:
        """A repo with one commit."""
        repo = Repo(kind, name)
        repo.commit({".gitattributes": b"*.safetensors filter=lfs\n"} | files)
        self.repos[kind, name] = repo
        return repo

    def reads(self) -> list[str]:
        """The small files that were downloaded, in order; large ones are GET /large/SHA256."""
        found = (re.fullmatch("GET /.*/resolve/[^/]+/(.*)", line) for line in self.requests)
        return [match[1] for match in found if match]


def blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def is_large(path: str, size: int) -> bool:
    return path.endswith(".safetensors") or size > LFS_BYTES


class Handler(BaseHTTPRequestHandler):
    """Finds the method whose pattern fits, and turns what it returns or raises into an answer."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: object) -> None:
        pass

    def handle_any(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.hub.requests.append(f"{self.command} {path}")
        self.hub.ranges += self.headers.get_all("Range", [])
        try:
            self._misbehave(path)
            self._route(path)
        except Refused as no:
            headers = (
                {"X-Error-Code": no.code, "X-Error-Message": no.message} if no.code or no.message else {}
            )
            self.answer({"error": no.message}, no.status, **headers, **no.headers)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    def _misbehave(self, path: str) -> None:
        for part, seconds in self.hub.slow.items():
            if part in path:
                time.sleep(seconds)
        for part, status in self.hub.failing.items():
            if part in path:
                raise Refused(status)

    def _route(self, path: str) -> None:
        for methods, pattern, action in ROUTES:
            found = re.fullmatch(pattern, path)
            if found and self.command in methods:
                return action(self, **found.groupdict())
        raise Refused(404)

    def answer(self, data: Any, status: int = 200, **headers: str) -> None:
        self.send(json.dumps(data).encode(), status, {"Content-Type": "application/json", **headers})

    def send(self, content: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._write(content)

    def _write(self, content: bytes) -> None:
        for part, cuts in self.hub.drops.items():
            if part in self.path and cuts and len(content) > cuts[0]:
                self.wfile.write(content[: cuts.pop(0)])
                self.close_connection = True
                return
        self.wfile.write(content)

    # Who may do what

    @property
    def known(self) -> bool:
        """Whether the caller has shown the token. Another one than ours is refused, as the Hub does."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token != TOKEN:
            raise Refused(401, "", "Invalid credentials in Authorization header")
        return bool(token)

    def writer(self, namespace: str) -> None:
        if not self.known:
            raise Refused(401, "", "Invalid username or password.")
        if namespace != USER:
            raise Refused(
                403, "", f"You don't have the rights to create a model under the namespace {namespace!r}"
            )

    def repo(self, kind: str, name: str) -> Repo:
        """The repo, if the caller may see it. The Hub tells strangers nothing about what does not exist."""
        repo, known = self.hub.repos.get((kind, name)), self.known
        if repo is None or (name in self.hub.private and not known):
            raise Refused(404 if known else 401, "RepoNotFound", "Repository not found")
        return repo

    def readable(self, kind: str, name: str) -> Repo:
        repo = self.repo(kind, name)
        if name in self.hub.gated:
            raise Refused(403 if self.known else 401, "GatedRepo", "Access to this model is restricted")
        return repo

    # Reading

    def info(self, kind: str, name: str, revision: str | None = None) -> None:
        repo = self.repo(kind, name)
        sha = repo.resolve(revision or "main")
        siblings = [{"rfilename": path} for path in repo.trees[sha]]
        self.answer(
            {"id": name, "modelId": name, "sha": sha, "siblings": siblings, "tags": [], "downloads": 0}
        )

    def tree(self, kind: str, name: str, revision: str) -> None:
        repo = self.repo(kind, name)
        files = repo.trees[repo.resolve(revision)]
        self.answer([self._entry(path, content) for path, content in files.items()])

    def _entry(self, path: str, content: bytes) -> dict[str, Any]:
        entry = {"type": "file", "path": path, "size": len(content), "oid": blob_id(content)}
        if is_large(path, len(content)):
            sha = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"oid": sha, "size": len(content), "pointerSize": 134}
        return entry

    def resolve(self, kind: str, name: str, revision: str, path: str) -> None:
        self.hub.on_read(path)
        repo = self.readable(kind, name)
        sha = repo.resolve(revision)
        content = repo.trees[sha].get(path)
        if content is None:
            raise Refused(404, "EntryNotFound", **{"X-Repo-Commit": sha})
        if is_large(path, len(content)):
            return self._redirect(sha, content)
        self._file(content, {"X-Repo-Commit": sha, "ETag": f'"{blob_id(content)}"'})

    def _redirect(self, sha: str, content: bytes) -> None:
        oid = hashlib.sha256(content).hexdigest()
        self.hub.large[oid] = content
        linked = {"X-Linked-ETag": f'"{oid}"', "X-Linked-Size": str(len(content))}
        elsewhere = self.hub.url.replace("127.0.0.1", "localhost")  # large files come from another host
        self.send(b"", 302, {"X-Repo-Commit": sha, "Location": f"{elsewhere}/large/{oid}", **linked})

    def large_file(self, oid: str) -> None:
        self._file(self.hub.large[oid], {"ETag": f'"{oid}"'})

    def _file(self, content: bytes, headers: dict[str, str]) -> None:
        headers |= {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked:
            return self.send(content, 200, headers)
        start, end = int(asked[1]), min(int(asked[2] or len(content) - 1), len(content) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        self.send(content[start : end + 1], 206, headers)

    def whoami(self) -> None:
        if not self.known:
            raise Refused(401, "", "Invalid username or password.")
        self.answer({"type": "user", "name": USER, "orgs": [], "auth": {"accessToken": {"role": "write"}}})

    # Writing

    def create(self) -> None:
        asked = json.loads(self.body)
        kind, namespace = asked.get("type", "model"), asked["organization"] or USER
        self.writer(namespace)
        name = f"{namespace}/{asked['name']}"
        url = f"{self.hub.url}/{PREFIXES[kind]}{name}"
        if (kind, name) in self.hub.repos:
            return self.answer({"error": "You already created this repo", "url": url}, 409)
        repo = self.hub.add(kind, name, {})
        repo.variables = {v["key"]: v["value"] for v in asked.get("variables", [])}
        repo.hardware = asked.get("hardware", repo.hardware)
        repo.private = asked.get("visibility") == "private"
        self.answer({"url": url, "name": name})

    def validate_yaml(self) -> None:
        asked = json.loads(self.body)
        found = re.match(r"---\n(.*?)\n---\n", asked["content"], re.DOTALL)
        data = yaml.safe_load(found[1]) if found else {}
        wanted = {"space": ("sdk", "title"), "model": ()}[asked["repoType"]]
        errors = [{"message": f'"{key}" is required'} for key in wanted if key not in data]
        self.answer({"errors": errors, "warnings": []}, 400 if errors else 200)

    def preupload(self, kind: str, name: str, revision: str) -> None:
        self.writer(name.split("/")[0])
        files = self.repo(kind, name).trees[self.repo(kind, name).resolve(revision)]
        self.answer({"files": [self._mode(files, asked) for asked in json.loads(self.body)["files"]]})

    def _mode(self, files: dict[str, bytes], asked: dict[str, Any]) -> dict[str, Any]:
        path, large = asked["path"], is_large(asked["path"], asked["size"])
        answer = {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
        if path in files:
            answer["oid"] = hashlib.sha256(files[path]).hexdigest() if large else blob_id(files[path])
        return answer

    def batch(self, kind: str, name: str) -> None:
        self.writer(name.split("/")[0])
        objects = [{"oid": o["oid"], "size": o["size"]} for o in json.loads(self.body)["objects"]]
        for entry in objects:
            if entry["oid"] not in self.hub.large:
                here = f"{self.hub.url}/large/{entry['oid']}"
                entry["actions"] = {"upload": {"href": here}, "verify": {"href": here + "/verify"}}
        self.answer({"transfer": "basic", "objects": objects})

    def store(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise Refused(400, "", "the content does not have that SHA-256")
        self.hub.large[oid] = self.body
        self.answer({})

    def verify(self, oid: str) -> None:
        if len(self.hub.large.get(oid, b"")) != json.loads(self.body)["size"]:
            raise Refused(400, "", "the content does not have that size")
        self.answer({})

    def commit(self, kind: str, name: str, revision: str) -> None:
        self.writer(name.split("/")[0])
        repo = self.repo(kind, name)
        header, *operations = [json.loads(line) for line in self.body.splitlines()]
        parent = header["value"].get("parentCommit")
        if parent and parent != repo.resolve(revision):
            raise Refused(412, "", "A commit has happened since. Please refresh and try again.")
        files = dict(repo.trees[repo.resolve(revision)])
        for operation in operations:
            self._apply(files, operation["key"], operation["value"])
        sha = repo.commit(files, header["value"]["summary"], revision)
        self.answer({"success": True, "commitOid": sha, "commitUrl": f"{self.hub.url}/{name}/commit/{sha}"})

    def _apply(self, files: dict[str, bytes], key: str, value: dict[str, Any]) -> None:
        path = value["path"]
        if key == "file":
            if is_large(path, len(value["content"]) * 3 // 4):
                raise Refused(400, "", f"{path} must be stored as a large file")
            files[path] = base64.b64decode(value["content"])
        elif key == "lfsFile":
            files[path] = self.hub.large[value["oid"]]
        elif files.pop(path, None) is None:
            raise Refused(404, "EntryNotFound", f"A file with this name doesn't exist: {path}")

    # Spaces

    def variables(self, name: str) -> None:
        repo = self.repo("space", name)
        if self.command == "POST":
            self.writer(name.split("/")[0])
            asked = json.loads(self.body)
            repo.variables[asked["key"]] = asked["value"]
        self.answer({key: {"value": value} for key, value in repo.variables.items()})

    def hardware(self, name: str) -> None:
        self.writer(name.split("/")[0])
        self.repo("space", name).hardware = json.loads(self.body)["flavor"]
        self.runtime(name)

    def runtime(self, name: str) -> None:
        flavour = self.repo("space", name).hardware
        self.answer({"stage": "RUNNING", "hardware": {"current": flavour, "requested": flavour}})


def _routes() -> Iterator[tuple[str, str, Callable[..., None]]]:
    name = r"(?P<name>[^/]+/[^/]+?)"
    for kind, prefix in PREFIXES.items():
        api = rf"/api/{kind}s/{name}"

        def of(action: Callable[..., None], kind: str = kind) -> Callable[..., None]:
            return lambda self, **found: action(self, kind=kind, **found)

        yield "GET", api, of(Handler.info)
        yield "GET", api + "/revision/(?P<revision>.+)", of(Handler.info)
        yield "GET", api + "/tree/(?P<revision>[^/]+)", of(Handler.tree)
        yield "POST", api + "/preupload/(?P<revision>.+)", of(Handler.preupload)
        yield "POST", api + "/commit/(?P<revision>.+)", of(Handler.commit)
        yield "POST", rf"/{prefix}{name}\.git/info/lfs/objects/batch", of(Handler.batch)
        yield "GET HEAD", rf"/{prefix}{name}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", of(Handler.resolve)
    yield "GET", "/api/whoami-v2", Handler.whoami
    yield "POST", "/api/repos/create", Handler.create
    yield "POST", "/api/validate-yaml", Handler.validate_yaml
    yield "GET HEAD", "/large/(?P<oid>[0-9a-f]{64})", Handler.large_file
    yield "PUT", "/large/(?P<oid>[0-9a-f]{64})", Handler.store
    yield "POST", "/large/(?P<oid>[0-9a-f]{64})/verify", Handler.verify
    yield "GET POST", rf"/api/spaces/{name}/variables", Handler.variables
    yield "POST", rf"/api/spaces/{name}/hardware", Handler.hardware
    yield "GET", rf"/api/spaces/{name}/runtime", Handler.runtime


ROUTES = [(methods.split(), pattern, action) for methods, pattern, action in _routes()]


@contextmanager
def serve(port: int = 0) -> Iterator[Hub]:
    """A running Hub on 127.0.0.1; port 0 takes a free one."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", port), type("BoundHandler", (Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    with serve(8642) as running:
        print(f"HF_ENDPOINT={running.url} HF_TOKEN={TOKEN} HF_HUB_DISABLE_XET=1", flush=True)
        threading.Event().wait()
