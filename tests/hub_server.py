"""A small server on localhost that speaks the protocol of the Hugging Face Hub."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_right"
LARGE = (".safetensors", ".png", ".parquet", ".zip")  # stored by their SHA-256


@dataclass
class StoredRepo:
    """A repository: commits by their id, each with all files by path."""

    private: bool = False
    gated: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)

    @property
    def head(self) -> str:
        return next(reversed(self.commits), "")

    def commit(self, files: dict[str, bytes]) -> str:
        digest = hashlib.sha1(str(len(self.commits)).encode())
        for path, content in sorted(files.items()):
            digest.update(path.encode() + content)
        self.commits[digest.hexdigest()] = files
        return self.head


@dataclass
class FakeHub:
    """What the server holds, and what it was asked."""

    url: str
    repos: dict[str, StoredRepo] = field(default_factory=dict)  # by "models/me/faces"
    uploads: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # "METHOD PATH"
    agents: set[str] = field(default_factory=set)
    lies: dict[str, bytes] = field(default_factory=dict)  # other content than it says, by path
    breaks: dict[str, int] = field(default_factory=dict)  # bytes after which a file breaks off once

    def add(self, kind: str, name: str, files: dict[str, bytes], gated: bool = False) -> str:
        repo = self.repos.setdefault(f"{kind}/{name}", StoredRepo(gated=gated))
        return repo.commit(files)


class _Answerer(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *_: Any) -> None:
        pass

    def _answer(self, status: int, body: Any = b"", **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _begin(self) -> tuple[str, bytes]:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        self.hub.agents.add(self.headers.get("User-Agent", ""))
        return path, self.rfile.read(int(self.headers.get("Content-Length") or 0))

    @property
    def _known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _find(self, kind: str, name: str) -> StoredRepo | None:
        """The repository; None: an error was answered."""
        repo = self.hub.repos.get(f"{kind}/{name}")
        if self.headers.get("Authorization") and not self._known:
            self._answer(401, {"error": "Invalid credentials"})
        elif repo is None or (repo.private and not self._known):
            code = 404 if self._known else 401
            self._answer(code, {"error": "not found"}, X_Error_Code="RepoNotFound")
        elif repo.gated and not self._known:
            self._answer(401, {"error": "gated"}, X_Error_Code="GatedRepo")
        else:
            return repo
        return None

    def do_GET(self) -> None:
        path, _ = self._begin()
        if found := re.fullmatch(r"/api/(models|datasets)/([^/]+/[^/]+)(/revision/(.+))?", path):
            self._describe(found[1], found[2], found[4] or "main")
        elif found := re.fullmatch(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._send_file("datasets" if found[1] else "models", found[2], found[3], found[4])
        else:
            self._answer(404, {"error": f"no {path} here"})

    def do_HEAD(self) -> None:
        self.do_GET()

    def _describe(self, kind: str, name: str, revision: str) -> None:
        repo = self._find(kind, name)
        if repo is None:
            return
        commit = repo.head if revision == "main" else revision
        if commit not in repo.commits and repo.commits:
            self._answer(404, {"error": "no revision"}, X_Error_Code="RevisionNotFound")
            return
        siblings = []
        for path, content in repo.commits.get(commit, {}).items():
            header = b"blob %d\0" % len(content)
            one: dict[str, Any] = {
                "rfilename": path,
                "size": len(content),
                "blobId": hashlib.sha1(header + content).hexdigest(),
            }
            if path.endswith(LARGE):
                digest = hashlib.sha256(content).hexdigest()
                one["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
            siblings.append(one)
        values = {"id": name, "sha": commit, "private": repo.private, "siblings": siblings}
        self._answer(200, values | {"tags": [], "downloads": 0, "likes": 0})

    def _send_file(self, kind: str, name: str, commit: str, path: str) -> None:
        repo = self._find(kind, name)
        if repo is None:
            return
        content = self.hub.lies.get(path, repo.commits[commit][path])
        headers = {
            "X_Repo_Commit": commit,
            "ETag": f'"{hashlib.sha256(repo.commits[commit][path]).hexdigest()}"',
        }
        start = 0
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start = int(found[1])
            headers["Content_Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if self.command == "GET" and path in self.hub.breaks:
            cut = self.hub.breaks.pop(path)
            self._answer(200, content[:cut], Content_Length=str(len(content)), **headers)
            self.close_connection = True
            return
        self._answer(206 if start else 200, content[start:], **headers)

    def do_POST(self) -> None:
        path, body = self._begin()
        if path == "/api/validate-yaml":
            self._answer(200, {"warnings": [], "errors": []})
        elif not self._known:
            self._answer(401, {"error": "Invalid credentials"})
        elif path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            if asked["organization"] != "me":
                self._answer(403, {"error": "not a member of this organization"})
                return
            private = bool(asked.get("private")) or asked.get("visibility") == "private"
            self.hub.repos[f"models/{name}"] = StoredRepo(private)
            self._answer(200, {"url": f"{self.hub.url}/{name}"})
        elif re.fullmatch(r"/api/models/[^/]+/[^/]+/preupload/main", path):
            files = [
                {
                    "path": one["path"],
                    "uploadMode": "lfs" if one["path"].endswith(LARGE) else "regular",
                    "shouldIgnore": False,
                }
                for one in json.loads(body)["files"]
            ]
            self._answer(200, {"files": files})
        elif path.endswith(".git/info/lfs/objects/batch"):
            objects = [
                one | {"actions": {"upload": {"href": f"{self.hub.url}/upload/{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]
            self._answer(200, {"transfer": "basic", "objects": objects})
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/main", path):
            self._commit(found[1], body)
        else:
            self._answer(404, {"error": f"no {path} here"})

    def do_PUT(self) -> None:
        path, body = self._begin()
        digest = path.rpartition("/")[2]
        assert hashlib.sha256(body).hexdigest() == digest
        self.hub.uploads[digest] = body
        self._answer(200)

    def _commit(self, name: str, body: bytes) -> None:
        repo = self.hub.repos[f"models/{name}"]
        files = dict(repo.commits.get(repo.head, {}))
        for line in body.splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                files[value["path"]] = self.hub.uploads[value["oid"]]
            elif operation["key"] == "deletedFile":
                del files[value["path"]]
        commit = repo.commit(files)
        url = f"{self.hub.url}/{name}/commit/{commit}"
        self._answer(200, {"commitUrl": url, "commitOid": commit, "success": True})


@contextmanager
def serve_hub() -> Iterator[FakeHub]:
    """Run the server until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answerer)
    hub = FakeHub(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = type("Answerer", (_Answerer,), {"hub": hub})
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
